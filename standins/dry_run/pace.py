"""By how much the time can be shortened: measured on this machine, at this moment, before the crowd comes.

Shortened time shortens what services take, not what the server needs. So the scale is bounded by two things: a picture
must take several times as long as what comes on top of it, and the crowd must ask for at most half of what the server
was seen to do when the services took no time at all. What comes on top of each picture is taken off its steps.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from standins.dry_run.crowd import Done, Visitor, closed_loop
from standins.dry_run.plan import USUAL, Act, Plan, script_of
from standins.dry_run.stage import Stage

PAINTED: Final = ("txt2img", "img2img")
LONGEST: Final = 400.0
LOOP_S: Final = 6.0
SHARE: Final = 0.5
TIMES_OVERHEAD: Final = 3.0


@dataclass(frozen=True)
class Pace:
    """What was measured with services that take no time, in seconds, and the scale that follows."""

    scale: float
    wanted: float
    picture_overhead_s: float
    base_s: dict[str, float]
    pictures_per_s: float
    mean_steps: float


def measured(stage: Stage, plan: Plan, visitors: Sequence[Visitor]) -> Pace:
    """Measure this machine, choose the scale, and set the times of the stand-ins. Raises ValueError if it cannot."""
    stage.set_times(0, 0, 0)
    names = list(dict.fromkeys(act.operation for act in script_of(plan, 0))) or list(USUAL)
    acts = [Act(operation=name, think_s=0) for name in names]
    # The first pictures are slow; they should not be the measure.
    for act in acts:
        visitors[0].act(act)
    alone = [done for act in acts if (done := visitors[0].act(act)) is not None]
    together = closed_loop(visitors, acts, LOOP_S)
    steps = [step for done in (*alone, *together) for step in painted_steps(done.job)]
    if not steps:
        raise ValueError("no condition of the study lets anybody make a picture; there is nothing to simulate")
    overhead_s = statistics.median(occupied_s(step) for done in alone for step in painted_steps(done.job))
    per_s = sum(step["details"].get("batch", 1) for done in together for step in painted_steps(done.job)) / LOOP_S
    mean_steps = statistics.mean(step["details"]["steps"] for step in steps)
    picture_s = mean_steps * plan.step_s
    safe = min(picture_s / (TIMES_OVERHEAD * overhead_s), SHARE * per_s * picture_s / plan.instances, LONGEST)
    scale = max(plan.scale or safe, 1.0)
    step_s = max(picture_s / scale - overhead_s, 0.0) / mean_steps
    stage.set_times(step_s, plan.load_s / scale, plan.chat_s / scale)
    base_s = {done.operation: done.latency_s for done in alone}
    return Pace(scale, max(safe, 1.0), overhead_s, base_s, per_s, mean_steps)


def painted_steps(job: Any) -> list[Any]:
    """Give the steps of a job in which a WebUI painted."""
    return [
        s for s in job.get("steps", ()) if s["kind"] in PAINTED and s["error"] is None and "paint_s" in s["details"]
    ]


def occupied_s(step: Any) -> float:
    """Say for how long an instance was taken by a picture, loads left out."""
    return float(step["details"]["paint_s"] + step["details"]["network_s"])


def base_of(pace: Pace, done: Done, instances: int) -> float:
    """Say how much of an answer's time was the server's own, which the scale must not make longer."""
    pictures = sum(step["details"].get("batch", 1) for step in painted_steps(done.job))
    return max(float(pace.base_s.get(done.operation, 0.0) - pace.picture_overhead_s * pictures / instances), 0.0)
