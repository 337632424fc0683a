"""Where the time of a generation went, for its record: sums over its steps, of which several run at the same time."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from store.clock import utc_now
from store.documents import StepRecord

PAINTED = frozenset({"txt2img", "img2img"})


def times_of(
    created_at: datetime, began_at: datetime, steps: Iterable[StepRecord], eta_first_s: float | None = None
) -> dict[str, float]:
    """Add up the seconds of a job whose last step has ended just now.

    `queued_s` is spent waiting, to begin (`began_at`) and then for instances; `load_s` on loading checkpoints,
    `paint_s` and `sam_s` at the WebUIs, `chat_s` at the chat service, `network_s` on the way to the WebUIs and back,
    `total_s` from acceptance to end. `eta_first_s` is what the total was expected to be when it was first told.
    """
    known = tuple(steps)
    painted = [step for step in known if step.kind in PAINTED]
    times = {
        "queued_s": (began_at - created_at).total_seconds() + sum(step.waited_s for step in known),
        "chat_s": _own(known, "chat"),
        "load_s": _noted(painted, "load_s"),
        "paint_s": _noted(painted, "paint_s"),
        "sam_s": _own(known, "sam"),
        "network_s": _noted(known, "network_s"),
        "total_s": (utc_now() - created_at).total_seconds(),
    }
    if eta_first_s is not None:
        times["eta_first_s"] = eta_first_s
    return {name: round(seconds, 3) for name, seconds in times.items()}


def _own(steps: Iterable[StepRecord], kind: str) -> float:
    return sum(max(step.duration_s - step.waited_s, 0.0) for step in steps if step.kind == kind)


def _noted(steps: Iterable[StepRecord], name: str) -> float:
    return sum(_number(step.details, name) for step in steps)


def _number(details: Mapping[str, object], name: str) -> float:
    value = details.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
