"""The figures of a dry run, in real seconds, and the table that people read."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from standins.dry_run.crowd import Done, Findings
from standins.dry_run.pace import Pace, base_of, occupied_s, painted_steps
from standins.dry_run.plan import Plan

TOO_SLOW: Final = 1.2
"""So many times longer than they should the instances may be taken, before the figures are called too high."""


def figures_of(
    plan: Plan, pace: Pace, found: Findings, conditions: Mapping[str, str], record_bytes: int, took_s: float
) -> dict[str, Any]:
    """Compute everything that is told; `conditions` names each participant's."""
    by_condition: dict[str, list[Done]] = {}
    for done in found.done:
        by_condition.setdefault(conditions.get(done.participant_id, "?"), []).append(done)
    pictures = sum(_pictures(done) for done in found.done)
    slowness = _slowness(plan, pace, found.done)
    record_mb, picture_mb = record_bytes / 1e6, pictures * plan.picture_kb / 1e3
    count = max(plan.participants, 1)
    return {
        "participants": plan.participants,
        "instances": plan.instances,
        "assumed": {"step_s": plan.step_s, "load_s": plan.load_s, "chat_s": plan.chat_s, "picture_kb": plan.picture_kb,
                    "steps": round(pace.mean_steps, 1), "behaviour": "recorded" if plan.scripts else "usual"},
        "scale": round(pace.scale, 1),
        "took_s": round(took_s, 1),
        "study_hours": round(took_s * pace.scale / 3600, 2),
        "gpu_hours": round(sum(_gpu_s(plan, pace, done) for done in found.done) / 3600, 3),
        "pictures": pictures,
        "all": _part(plan, pace, found.done),
        "conditions": {name: _part(plan, pace, done) for name, done in sorted(by_condition.items())},
        "longest_queue": max(found.waiting, default=0),
        "storage_mb": {"total": round(record_mb + picture_mb, 1), "records": round(record_mb, 1),
                       "pictures": round(picture_mb, 1), "per_participant": round((record_mb + picture_mb) / count, 2)},
        "not_allowed": found.refused,
        "lost": found.lost,
        "accuracy_s": round(percentile(found.ping_s, 95) * pace.scale, 1),
        "slowness": round(slowness, 2),
        "warnings": _warnings(pace, found, slowness),
    }  # fmt: skip


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that `share` percent do not exceed; 0 for nothing."""
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * share / 100) - 1, 0)] if ordered else 0.0


def table(figures: Mapping[str, Any]) -> str:
    """Write the figures for people."""
    head = f"{'condition':22}{'requests':>9}{'failed':>8}{'mean':>8}{'p50':>8}{'p95':>8}{'max':>8}"
    rows = [_row(name, part) for name, part in figures["conditions"].items()]
    assumed, storage = figures["assumed"], figures["storage_mb"]
    lines = [
        f"{figures['participants']} participants, {figures['instances']} instances, "
        f"{figures['study_hours']} h simulated in {figures['took_s']:g} s (time shortened {figures['scale']:g} times)",
        f"assumed: {assumed['step_s']:g} s a step, {assumed['load_s']:g} s a load, {assumed['chat_s']:g} s an answer "
        f"of the chat, {assumed['picture_kb']:g} kB a picture; {assumed['behaviour']} behaviour",
        "",
        "seconds that participants wait for an answer:",
        head,
        *rows,
        *([_row("all", figures["all"])] if len(rows) != 1 else []),
        "",
        f"GPU            {figures['gpu_hours']:g} hours for {figures['pictures']} pictures",
        *(f"failed         {count} by {name}" for name, count in figures["all"]["failures"].items()),
        f"longest queue  {figures['longest_queue']} pictures",
        f"storage        {storage['total']:g} MB in all, {storage['per_participant']:g} MB a participant "
        f"({storage['records']:g} MB records)",
        f"accuracy       waits are right to about {figures['accuracy_s']:g} s on this machine",
        *(f"WARNING        {warning}" for warning in figures["warnings"]),
    ]
    return "\n".join(lines)


def _row(name: str, part: Mapping[str, Any]) -> str:
    waits = "".join(f"{part['waiting_s'][key]:8.1f}" for key in ("mean", "p50", "p95", "max"))
    return f"{name[:21]:22}{part['requests']:9}{sum(part['failures'].values()):8}{waits}"


def _part(plan: Plan, pace: Pace, done: Sequence[Done]) -> dict[str, Any]:
    waits = [max(one.latency_s - base_of(pace, one, plan.instances), 0) * pace.scale for one in done if not one.error]
    mean = sum(waits) / len(waits) if waits else 0.0
    told = {"mean": mean, "p50": percentile(waits, 50), "p95": percentile(waits, 95), "max": max(waits, default=0.0)}
    return {
        "requests": len(done),
        "failures": dict(Counter(one.error for one in done if one.error)),
        "waiting_s": {name: round(value, 1) for name, value in told.items()},
    }


def _pictures(done: Done) -> int:
    return sum(output["kind"] == "image" for output in done.job.get("outputs", ()))


def _gpu_s(plan: Plan, pace: Pace, done: Done) -> float:
    """Add up an instance's real seconds: steps as they were assumed, loads and masks as they were seen."""
    painted = sum(_should_s(plan, step) + step["details"]["load_s"] * pace.scale for step in painted_steps(done.job))
    masks = [step for step in done.job.get("steps", ()) if step["kind"] == "sam"]
    return float(painted + sum(max(step["duration_s"] - step["waited_s"], 0.0) for step in masks))


def _should_s(plan: Plan, step: Any) -> float:
    return float(step["details"]["steps"] * step["details"].get("batch", 1) * plan.step_s)


def _slowness(plan: Plan, pace: Pace, done: Sequence[Done]) -> float:
    """Say how many times longer than they should the instances were taken by their pictures."""
    steps = [step for one in done for step in painted_steps(one.job)]
    should = sum(_should_s(plan, step) for step in steps) / pace.scale
    return sum(occupied_s(step) for step in steps) / should if should else 1.0


def _warnings(pace: Pace, found: Findings, slowness: float) -> list[str]:
    told = []
    if slowness > TOO_SLOW:
        told.append(
            f"this machine, not the simulated GPUs, was the limit: pictures took {slowness:.2f} times as long as they "
            f"should, so waits are too high; try --scale {pace.scale / slowness / 1.5:.0f}"
        )
    if pace.scale > pace.wanted * 1.05:
        told.append(f"--scale {pace.scale:g} is more than the {pace.wanted:.0f} that this machine was found good for")
    if found.lost:
        told.append(f"{len(found.lost)} participants did not come to their end, the first: {found.lost[0]}")
    return told
