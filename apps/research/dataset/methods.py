"""A paragraph on methods, and the numbers that a paper needs, written from the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

from apps.research.dataset.rows import Record
from apps.research.dataset.tallies import ConditionTally, Tallies, quartiles

Kind = TypeVar("Kind")
HEADS = ("condition", "sessions", "completed", "withdrawn", "still open", "generations", "failed", "canceled",
         "waiting, s", "shown after, s", "held back")  # fmt: skip


def methods(study: Record, tallies: Tallies, version: str) -> str:
    """Write METHODS.md. Times are medians with the middle half of the values in brackets."""
    parts = [
        f"# Methods: {_line(study.get('name') or study['_id'])}",
        "Written from the records by StepIdeator-API; check it, and say what only you know (who took part, how they "
        "were found, what they were told).",
        "## Participants and procedure",
        _participants(study, tallies),
        "## Apparatus",
        _apparatus(tallies, version),
        "## Conditions",
        _table(study, tallies),
        "Waiting is the time from asking to the end of the work, of generations that succeeded; shown after is the "
        "time from asking to seeing, which is longer where answers were held back. Medians, in brackets the first "
        "and third quartile.",
        "## Operations",
        _operations(tallies),
    ]
    return "\n\n".join(parts) + "\n"


def _participants(study: Record, tallies: Tallies) -> str:
    states = sum((one.sessions for one in tallies.conditions.values()), Counter[str]())
    total = sum(states.values())
    names = [str(one.get("name") or one["id"]) for one in study["conditions"]]
    when = ""
    if tallies.first is not None:
        when = f" between {tallies.first:%Y-%m-%d} and {tallies.last:%Y-%m-%d} (UTC)"
    planned = f" of {study['planned']} planned" if study.get("planned") else ""
    sentences = [
        f"{_count(total, 'session')}{planned}{when}, each of one participant, in "
        f"{_count(len(names), 'condition')} ({_line(', '.join(names))}).",
        f"{states['completed']} completed, {states['withdrawn']} withdrew, {states['active']} were not ended.",
    ]
    if len(names) > 1:
        sentences.append("A new participant was assigned to the condition with the fewest sessions, ties by chance.")
    if study.get("seal"):
        sentences.append(f"The configuration was sealed on {study['seal']['at']:%Y-%m-%d} ({study['seal']['hash']}).")
    return " ".join(sentences)


def _apparatus(tallies: Tallies, version: str) -> str:
    sentences = [f"Participants worked with StepIdeator-API {version}."]
    if tallies.chat_models:
        models = (f"{_line(name)} ({_count(number, 'answer')})" for name, number in _most(tallies.chat_models))
        sentences.append(f"Texts were written by {', '.join(models)}.")
    if tallies.image_models:
        found = (
            f"{_line(name)} [{model_hash or 'hash not told'}] in Stable Diffusion WebUI {webui or '(version not told)'}"
            f" ({_count(number, 'call')})"
            for (name, model_hash, webui), number in _most(tallies.image_models)
        )
        sentences.append(f"Pictures were made with {', '.join(found)}.")
        samplers = (
            f"{sampler} {schedule}, {steps} steps, CFG scale {scale:g} ({_count(number, 'call')})"
            for (sampler, schedule, steps, scale), number in _most(tallies.samplers)
        )
        sentences.append(f"Samplers: {'; '.join(samplers)}.")
    return " ".join(sentences)


def _table(study: Record, tallies: Tallies) -> str:
    given = {one["id"]: one for one in study["conditions"]}
    lines = [f"| {' | '.join(HEADS)} |", f"|{' --- |' * len(HEADS)}"]
    for name, tally in tallies.conditions.items():
        condition = given.get(name, {})
        cells = [
            _line(str(condition.get("name") or name)).replace("|", "\\|"),
            *(str(number) for number in _numbers(tally)),
            _times(tally.waited_s),
            _times(tally.shown_s),
            _hold(condition.get("hold") or {}),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _numbers(tally: ConditionTally) -> Iterable[int]:
    sessions, generations = tally.sessions, tally.generations
    yield from (sum(sessions.values()), sessions["completed"], sessions["withdrawn"], sessions["active"])
    yield from (sum(generations.values()), generations["failed"], generations["canceled"])


def _operations(tallies: Tallies) -> str:
    lines = ["| condition | operation | generations |", "| --- | --- | --- |"]
    for name, tally in tallies.conditions.items():
        lines += [f"| {name} | {operation} | {number} |" for operation, number in sorted(tally.operations.items())]
    return "\n".join(lines) if len(lines) > 2 else "None were used."


def _times(values: Iterable[float]) -> str:
    found = quartiles(values)
    return "none" if found is None else f"{found[1]:.2f} [{found[0]:.2f}, {found[2]:.2f}]"


def _hold(hold: Record) -> str:
    numbers = [f"{name} {value:g} s" for name, value in hold.items() if isinstance(value, int | float)]
    return " ".join([str(hold.get("kind") or "none"), *numbers])


def _most(counter: Counter[Kind]) -> list[tuple[Kind, int]]:
    # Ties in an order of their own, as that of counting would be one of chance.
    return sorted(counter.items(), key=lambda item: (-item[1], str(item[0])))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _line(text: object) -> str:
    return " ".join(str(text).split())
