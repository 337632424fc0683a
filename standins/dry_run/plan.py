"""What is simulated: the study, how participants work, and how long the real services take. Seconds are real ones."""

import random
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field


class Act(BaseModel):
    """One operation of a participant, `think_s` after the one before was shown."""

    model_config = ConfigDict(frozen=True)

    operation: str
    think_s: float
    num: int = 3


class Plan(BaseModel):
    """A dry run. `scripts` are recorded sessions; without any the usual session is taken."""

    model_config = ConfigDict(frozen=True)

    name: str = "Dry run"
    task: str = "设计一款农业无人机"
    conditions: list[dict[str, Any]] = Field(default_factory=lambda: [{"id": "default", "name": "default"}])
    participants: int = 40
    instances: int = 2
    per_hour: float | None = None
    scripts: list[list[Act]] = Field(default_factory=list)
    step_s: float = 0.1
    load_s: float = 5.0
    chat_s: float = 4.0
    picture_kb: float = 420.0
    scale: float | None = None
    seed: int = 1


USUAL: Final = (
    "brief.create_new", "brief.extend", "brief.reference", "sketch.create_new", "sketch.create_new",
    "sketch.reference", "sketch.extend", "sketch.create_new", "model.create_new", "model.transform", "model.transform",
    "rendering.create_new", "rendering.transform", "rendering.transform", "rendering.reference", "rendering.create_new",
)  # fmt: skip
THINK_S: Final = 90.0
"""Mean of the usual pause between an answer and the next request; exponentially distributed."""


def script_of(plan: Plan, number: int) -> list[Act]:
    """Give what a participant does: a recorded session, drawn by lot, or the usual one."""
    lot = random.Random(plan.seed * 1_000_003 + number)
    if plan.scripts:
        return list(lot.choice(plan.scripts))
    return [Act(operation=name, think_s=lot.expovariate(1 / THINK_S)) for name in USUAL]


def arrival_s(plan: Plan, number: int) -> float:
    """Say when a participant comes: all within a minute, or evenly over the hours."""
    lot = random.Random(plan.seed * 7_919 + number)
    return lot.uniform(0, 60) if plan.per_hour is None else number * 3600 / plan.per_hour
