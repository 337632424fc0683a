"""What a session comes to in numbers, and what the sessions of a condition come to together. Pure functions."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from apps.research.timeline import Span
from jobs.veil import shown_at
from store.documents import GenerationRecord
from store.studies import Study

BOUNDS_S = (0.0, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0)
"""Where the bars of a histogram begin, in seconds."""


class SessionNumbers(BaseModel):
    """One session: counts, the seconds of each wait, really and as shown, and those in each stage."""

    model_config = ConfigDict(frozen=True)

    condition_id: str
    state: str
    operations: dict[str, int] = Field(default_factory=dict)
    failures: dict[str, int] = Field(default_factory=dict)
    waits_s: list[float] = Field(default_factory=list)
    shown_s: list[float] = Field(default_factory=list)
    stages_s: dict[str, float] = Field(default_factory=dict)
    outputs: int = 0
    generations: int = 0


def numbers_of(
    condition_id: str, state: str, generations: Iterable[GenerationRecord], stays: Iterable[Span], until: datetime
) -> SessionNumbers:
    """Sum up one session; a stay that lasts counts until `until`."""
    made = list(generations)
    ended = [one for one in made if one.state == "succeeded" and one.ended_at is not None]
    stages: dict[str, float] = {}
    for stay in stays:
        spent_s = max(((stay.end or until) - stay.start).total_seconds(), 0.0)
        stages[stay.stage] = stages.get(stay.stage, 0.0) + spent_s
    return SessionNumbers(
        condition_id=condition_id,
        state=state,
        operations=dict(Counter(one.operation for one in made)),
        failures=dict(Counter(one.error.type for one in made if one.state == "failed" and one.error is not None)),
        waits_s=[_seconds(one.created_at, one.ended_at) for one in ended],
        shown_s=[_seconds(one.created_at, shown_at(one)) for one in ended],
        stages_s={stage: round(seconds, 3) for stage, seconds in stages.items()},
        outputs=sum(len(one.outputs) for one in ended),
        generations=len(made),
    )


def overview_of(study: Study, sessions: Sequence[SessionNumbers], as_of: datetime) -> dict[str, Any]:
    """Sum up the sessions of a study by its conditions, in their order."""
    conditions = [
        _condition(one.id, one.name, [session for session in sessions if session.condition_id == one.id])
        for one in study.conditions
    ]
    return {"as_of": as_of, "conditions": conditions}


def _condition(condition_id: str, name: str, sessions: Sequence[SessionNumbers]) -> dict[str, Any]:
    stages: dict[str, list[float]] = {}
    for session in sessions:
        for stage, seconds in session.stages_s.items():
            stages.setdefault(stage, []).append(seconds)
    return {
        "id": condition_id,
        "name": name,
        "sessions": len(sessions),
        "completed": sum(one.state == "completed" for one in sessions),
        "withdrawn": sum(one.state == "withdrawn" for one in sessions),
        "generations": sum(one.generations for one in sessions),
        "outputs": sum(one.outputs for one in sessions),
        "operations": _summed(one.operations for one in sessions),
        "failures": _summed(one.failures for one in sessions),
        "waiting_s": _spread([seconds for one in sessions for seconds in one.waits_s]),
        "shown_s": _spread([seconds for one in sessions for seconds in one.shown_s]),
        "stage_s": {stage: _spread(seconds, with_bars=False) for stage, seconds in stages.items()},
    }


def _spread(seconds: Sequence[float], *, with_bars: bool = True) -> dict[str, Any]:
    """Tell how values are spread: mean, quantiles, and how many lie in each bar of a histogram."""
    ordered = sorted(seconds)
    found: dict[str, Any] = {
        "n": len(ordered),
        "mean": round(statistics.fmean(ordered), 3) if ordered else None,
        **{f"p{percent}": _quantile(ordered, percent) for percent in (25, 50, 75, 90, 95)},
    }
    if with_bars:
        found["histogram"] = _bars(ordered)
    return found


def _bars(ordered: Sequence[float]) -> list[list[float]]:
    counts = Counter(max(bound for bound in BOUNDS_S if bound <= value) for value in ordered)
    return [[bound, counts[bound]] for bound in BOUNDS_S]


def _quantile(ordered: Sequence[float], percent: int) -> float | None:
    """Give the value below which so many per cent lie, between the two nearest."""
    if not ordered:
        return None
    place = (len(ordered) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (ordered[high] - ordered[low]) * (place - low), 3)


def _summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def _seconds(start: datetime, end: datetime | None) -> float:
    return 0.0 if end is None else round(max((end - start).total_seconds(), 0.0), 3)
