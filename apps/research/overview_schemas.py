"""What is told of a study as a whole."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from apps.schemas import Envelope

_BARS = [[0.0, 3], [1.0, 12], [2.0, 5]]
_SPREAD: dict[str, Any] = {"n": 20, "mean": 1.7, "p25": 1.1, "p50": 1.6, "p75": 2.1, "p90": 2.6, "p95": 2.8}
_CONDITION: dict[str, Any] = {
    "id": "fast",
    "name": "Fast answers",
    "sessions": 20,
    "completed": 18,
    "withdrawn": 1,
    "generations": 21,
    "outputs": 40,
    "operations": {"sketch.create_new": 21},
    "failures": {"InstanceTimeoutError": 1},
    "waiting_s": {**_SPREAD, "histogram": _BARS},
    "shown_s": {**_SPREAD, "histogram": _BARS},
    "stage_s": {"sketch": _SPREAD},
}
_OVERVIEW: dict[str, Any] = {"as_of": "2026-11-25T08:00:00Z", "conditions": [_CONDITION]}


class Spread(BaseModel):
    """How values are spread; in seconds, null without any."""

    n: int
    mean: float | None
    p25: float | None
    p50: float | None
    p75: float | None
    p90: float | None
    p95: float | None


class Histogram(Spread):
    """The same, with how many lie in each bar: pairs of its beginning and the number."""

    histogram: list[tuple[float, int]]


class ConditionOverview(BaseModel):
    """One condition."""

    id: str
    name: str
    sessions: int
    completed: int
    withdrawn: int
    generations: int
    outputs: int = Field(description="pictures and texts")
    operations: dict[str, int] = Field(description="how often each was asked for")
    failures: dict[str, int] = Field(description="by the error's name")
    waiting_s: Histogram = Field(description="from asking to the end, of generations that succeeded")
    shown_s: Histogram = Field(description="from asking until it was shown, which a hold makes later")
    stage_s: dict[str, Spread] = Field(description="time of a session in each stage")


class Overview(BaseModel):
    """A study in numbers, by condition."""

    model_config = ConfigDict(json_schema_extra={"examples": [_OVERVIEW]})

    as_of: datetime
    conditions: list[ConditionOverview]


class OverviewAnswer(Envelope[Overview]):
    """A study in numbers."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"success": True, "data": _OVERVIEW, "code": 0, "message": ""}]}
    )
