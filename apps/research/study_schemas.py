"""What the calls about studies take and answer."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from apps.research.study_parts import MOST_CONDITIONS, ConditionForm, Name, Text, check_conditions
from apps.schemas import Envelope, succeeded

StudyState = Literal["draft", "open", "closed"]
DriftPolicy = Literal["refuse", "record"]
Conditions = Annotated[
    list[ConditionForm], Field(min_length=1, max_length=MOST_CONDITIONS), AfterValidator(check_conditions)
]
Planned = Annotated[int, Field(ge=1, le=100_000)]
NO_HOLD: dict[str, Any] = {
    "kind": "none",
    "seconds": None,
    "low": None,
    "high": None,
    "mean": None,
    "sd": None,
    "min": None,
    "max": None,
}
CONDITION: dict[str, Any] = {
    "id": "assistant",
    "name": "With assistant",
    "description": "",
    "allowed": None,
    "assistant": True,
    "checkpoint": None,
    "num_max": 4,
    "hold": {**NO_HOLD, "kind": "fixed", "seconds": 20},
}
CONTROL: dict[str, Any] = {
    **CONDITION,
    "id": "control",
    "name": "Without assistant",
    "assistant": False,
    "hold": NO_HOLD,
}
EXAMPLE: dict[str, Any] = {
    "name": "Waiting and ideation",
    "description": "",
    "task": "设计一款农业无人机",
    "consent_text": "I take part of my own free will …",
    "conditions": [CONDITION, CONTROL],
    "planned": 40,
    "drift_policy": "refuse",
}
STUDY: dict[str, Any] = {
    **EXAMPLE,
    "id": "01KAVJ5Q4M8X0T3N6R9W2Z7CDE",
    "state": "draft",
    "is_default": False,
    "revision": 1,
    "created_at": "2026-11-25T09:00:00Z",
    "changed_at": "2026-11-25T09:00:00Z",
    "join_url": "https://design.example/join/3f9c…",
    "seal": None,
    "counts": {"sessions": 0, "active": 0, "completed": 0, "withdrawn": 0, "generations": 0, "failed": 0},
    "assigned": {"assistant": 0, "control": 0},
}


class NewStudy(BaseModel):
    """A study to be laid out."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    name: Name
    description: Text = ""
    task: Text = Field("", description="the design task that participants are given; empty: they write their own")
    consent_text: Text = Field("", description="what participants agree to before they begin")
    conditions: Conditions
    planned: Planned | None = Field(None, description="how many participants are planned")
    drift_policy: DriftPolicy = Field(
        "refuse",
        description="what becomes of a generation while a frozen study has drifted: 409, or a mark in its record",
    )


class StudyChange(BaseModel):
    """What is to be another way in a study; `revision` is the one that the caller has seen."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"revision": 1, "planned": 48}]})

    revision: Annotated[int, Field(ge=0, strict=True)]
    name: Name | None = None
    description: Text | None = None
    task: Text | None = None
    consent_text: Text | None = None
    conditions: Conditions | None = None
    planned: Planned | None = None
    drift_policy: DriftPolicy | None = None

    def wanted(self) -> dict[str, Any]:
        """Give the fields that are there."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"revision"}}


class StateChange(BaseModel):
    """The state that a study is to have."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"state": "open"}]})

    state: StudyState = Field(description="open: participants can join; closed: nobody new can")


class FreezeRequest(BaseModel):
    """Nothing needs to be said."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})


class SealInfo(BaseModel):
    """That a study is frozen: one hash over all that its data is made with."""

    hash: str = Field(description="SHA-256 of the canonical JSON of all that is sealed")
    at: datetime
    by: str = Field(description="login of who froze it")


class StudyCounts(BaseModel):
    """How far a study is."""

    sessions: int
    active: int
    completed: int
    withdrawn: int
    generations: int
    failed: int


class StudyInfo(BaseModel):
    """A study as researchers see it."""

    id: str
    name: str
    description: str
    task: str
    consent_text: str
    conditions: list[ConditionForm]
    planned: int | None
    drift_policy: DriftPolicy
    state: StudyState
    is_default: bool = Field(description="the study of all who came without a link")
    revision: int
    created_at: datetime
    changed_at: datetime
    join_url: str = Field(description="the address that participants are given; empty for the default study")
    seal: SealInfo | None = Field(description="null: it is not frozen")
    counts: StudyCounts
    assigned: dict[str, int] = Field(description="sessions by condition")


class StudyAnswer(Envelope[StudyInfo]):
    """One study."""

    model_config = ConfigDict(json_schema_extra={"examples": [succeeded(STUDY)]})


class StudyList(BaseModel):
    """All studies."""

    studies: list[StudyInfo]


class StudiesAnswer(Envelope[StudyList]):
    """All studies, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [succeeded({"studies": [STUDY]})]})


class DifferenceInfo(BaseModel):
    """One thing that is not as it was sealed."""

    what: str = Field(description="study, prompt, preset, directions, views, checkpoint, controlnet or service")
    name: str
    sealed: str | None = Field(description="null: it was not there")
    now: str | None = Field(description="null: it is not there any more")


class Drift(BaseModel):
    """Whether a study is still made with what was sealed."""

    is_frozen: bool
    hash: str | None
    differences: list[DifferenceInfo]
    unknown: list[str] = Field(description="models whose hash no WebUI knew at the time; they cannot be compared")


class DriftAnswer(Envelope[Drift]):
    """Whether a study is still made with what was sealed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                succeeded(
                    {
                        "is_frozen": True,
                        "hash": "5a1f…",
                        "differences": [
                            {"what": "prompt", "name": "brief_create_new", "sealed": "8c2e…", "now": "91d0…"},
                        ],
                        "unknown": [],
                    }
                )
            ]
        }
    )
