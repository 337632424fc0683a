"""What the participants' calls take and tell."""

import json
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from apps.schemas import Envelope

MOST_EVENTS = 200
LONGEST_DATA = 16_384
_SESSION: dict[str, Any] = {
    "id": "01KAVJ5Q4M8X0T3N6R9W2Z7CDE",
    "study": {"id": "01KAVJ4Z8C5S7E2Q9T0V3X6MNB", "name": "Lamps", "task": "设计一款台灯", "is_default": False},
    "allowed": ["sketch.create_new"],
    "assistant": True,
    "num_max": 3,
    "state": "active",
    "started_at": "2026-11-25T08:00:00Z",
    "ended_at": None,
    "server_time": "2026-11-25T08:00:00Z",
}
_JOINED: dict[str, Any] = {"code": "p-N0b0dyKn0wsTh1sC0deX1", "session": _SESSION}
_TOLD: dict[str, Any] = {"accepted": ["8f14e45f"], "known": []}

Short = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(max_length=1000)]
Verb = Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z]+(\.[a-z_]+)+$")]
EventId = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9._:-]+$")]


class ClientInfo(BaseModel):
    """What the participant's browser tells of itself."""

    model_config = ConfigDict(extra="forbid")

    user_agent: str = Field("", max_length=500)
    language: str = Field("", max_length=50)
    screen: str = Field("", max_length=50)


class JoinRequest(BaseModel):
    """A participant agrees, and begins or comes back."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"consent": True, "client": {"language": "zh-CN"}}]}
    )

    consent: bool = Field(description="must be true: the participant agrees to `consent_text`")
    client: ClientInfo | None = None
    code: Annotated[str, Field(max_length=100)] | None = Field(
        None, description="the code of the first time, to come back to the same session"
    )


class SessionRequest(BaseModel):
    """A participant begins or comes back, by name or code."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"username": "P07"}]})

    username: Name = Field(description="the name that was typed, or the code that a study gave")
    client: ClientInfo | None = None


class NewEvent(BaseModel):
    """One thing that happened in the participant's page."""

    model_config = ConfigDict(extra="forbid")

    id: EventId = Field(description="chosen by the page; sent again it is the same event")
    verb: Verb = Field(examples=["stage.switch"])
    client_at_ms: int | None = Field(None, ge=0, lt=2**53, description="ms since 1970 by the page's clock")
    client_seq: int | None = Field(None, ge=0, lt=2**53, description="its number in this page load")
    page_id: str = Field("", max_length=80, description="the page load")
    object: Short = ""
    inputs: list[Short] = Field(default_factory=list, max_length=200)
    outputs: list[Short] = Field(default_factory=list, max_length=200)
    generation_id: str = Field("", max_length=40)
    data: Any = Field(None, description=f"further facts, up to {LONGEST_DATA} bytes as JSON")

    @field_validator("data")
    @classmethod
    def _is_small(cls, value: Any) -> Any:
        if value is not None and len(json.dumps(value, ensure_ascii=False).encode()) > LONGEST_DATA:
            raise ValueError(f"must have at most {LONGEST_DATA} bytes as JSON")
        return value


class EventsRequest(BaseModel):
    """Events in the order in which they happened."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "username": "P07",
                    "events": [{"id": "8f14e45f", "verb": "stage.switch", "object": "sketch", "client_at_ms": 1}],
                }
            ]
        },
    )

    may_be_text: ClassVar[bool] = True

    username: Name
    events: list[NewEvent] = Field(max_length=MOST_EVENTS)


class EndRequest(BaseModel):
    """A participant ends the session."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"username": "P07"}]})

    username: Name
    reason: Literal["completed", "withdrawn"] = "completed"


class StudyInfo(BaseModel):
    """What a participant may know of a study."""

    id: str
    name: str
    task: str = Field(description="the design task to begin with; may be empty")
    is_default: bool


class SessionInfo(BaseModel):
    """A session as its participant sees it; which condition it has is not told."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SESSION]})

    id: str
    study: StudyInfo
    allowed: list[str] = Field(description="names of the operations that are offered")
    assistant: bool = Field(description="false: there are no operations")
    num_max: int | None = Field(description="most results of one generation; null: no limit")
    state: Literal["active", "completed", "withdrawn"]
    started_at: datetime
    ended_at: datetime | None
    server_time: datetime


class OneSession(BaseModel):
    """A session."""

    session: SessionInfo


class SessionAnswer(Envelope[OneSession]):
    """A session."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"success": True, "data": {"session": _SESSION}, "code": 0, "message": ""}]}
    )


class Joined(BaseModel):
    """The participant's code, which is their name from now on and nobody else's, and the session."""

    code: str
    session: SessionInfo


class JoinedAnswer(Envelope[Joined]):
    """A participant has joined."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"success": True, "data": _JOINED, "code": 0, "message": ""}]}
    )


class Invitation(BaseModel):
    """What a link leads to."""

    name: str
    description: str
    consent_text: str
    task: str
    is_open: bool


class InvitationAnswer(Envelope[Invitation]):
    """What a link leads to."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "name": "Lamps",
        "description": "",
        "consent_text": "I agree …",
        "task": "设计一款台灯",
        "is_open": True,
    }
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"success": True, "data": EXAMPLE, "code": 0, "message": ""}]}
    )


class Told(BaseModel):
    """Which events are kept now, and which were before."""

    accepted: list[str]
    known: list[str]


class ToldAnswer(Envelope[Told]):
    """Which events are kept now."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"success": True, "data": _TOLD, "code": 0, "message": ""}]}
    )
