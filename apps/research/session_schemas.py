"""What the calls about sessions answer."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from apps.research.session_queries import SessionState
from apps.schemas import Envelope, succeeded

SHA = "c551cfdf0607e9586dcda00bea73192ab097dec324e54bd1459475f10646141e"
ROW: dict[str, Any] = {
    "id": "01KAVJ5Q4M8X0T3N6R9W2Z7CDE",
    "number": 7,
    "participant": "01KAVJ5Q4KH2V7M1T8Y3D6N0PX",
    "condition_id": "assistant",
    "state": "active",
    "started_at": "2026-11-25T09:00:00Z",
    "last_event_at": "2026-11-25T09:12:31.250Z",
    "ended_at": None,
    "generations": 9,
    "failed": 0,
    "waiting_s": 118.4,
    "stage": "sketch",
    "is_live": True,
}
MOMENT = "2026-11-25T09:03:11.482Z"


class SessionRow(BaseModel):
    """One session at a glance."""

    id: str
    number: int = Field(description="1, 2, 3 … in the order of assignment; 0 in the default study")
    participant: str = Field(description="pseudonym")
    condition_id: str
    state: SessionState
    started_at: datetime
    last_event_at: datetime | None
    ended_at: datetime | None
    generations: int
    failed: int
    waiting_s: float = Field(description="seconds from asking to seeing, over all generations")
    stage: str = Field(description="where the participant is; empty when nobody is there now")
    is_live: bool = Field(description="whether anything happened within the last 90 seconds")


class SessionsPage(BaseModel):
    """Some sessions, the newest first."""

    sessions: list[SessionRow]
    next: str | None = Field(description="for `before`; null: these are the last")


class SessionsAnswer(Envelope[SessionsPage]):
    """Some sessions of a study, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [succeeded({"sessions": [ROW], "next": None})]})


class AssignedInfo(BaseModel):
    """How a session came to its condition."""

    method: Literal["balanced", "chosen", "only"]
    at: datetime
    counts: dict[str, int] = Field(description="sessions of each condition before")


class ConsentInfo(BaseModel):
    """That the participant agreed."""

    text_sha256: str
    at: datetime


class ClientInfo(BaseModel):
    """What the participant's browser tells of itself."""

    user_agent: str
    language: str
    screen: str


class SessionInfo(SessionRow):
    """One session in full."""

    study_id: str
    study_name: str
    assigned: AssignedInfo
    consent: ConsentInfo | None
    client: ClientInfo | None


class SessionAnswer(Envelope[SessionInfo]):
    """One session in full."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                succeeded(
                    {
                        **ROW,
                        "study_id": "01KAVJ5Q4A0000000000000000",
                        "study_name": "Waiting and ideation",
                        "assigned": {"method": "balanced", "at": MOMENT, "counts": {"assistant": 3, "control": 3}},
                        "consent": {"text_sha256": SHA, "at": MOMENT},
                        "client": {"user_agent": "Mozilla/5.0 …", "language": "zh-CN", "screen": "1280x800"},
                    }
                )
            ]
        }
    )


class EntryInfo(BaseModel):
    """One thing that happened."""

    seq: int
    at: datetime = Field(description="by the server's clock")
    client_at_ms: int | None = Field(description="by the client's clock, milliseconds since 1970; null: it saw nothing")
    received_at: datetime | None = Field(description="when the server heard of what a client saw")
    actor: str
    verb: str
    object: str
    inputs: list[str]
    outputs: list[str]
    generation_id: str
    data: Any


class ChroniclePage(BaseModel):
    """Some entries, the earliest first."""

    entries: list[EntryInfo]
    total: int = Field(description="entries of the whole session")


class ChronicleAnswer(Envelope[ChroniclePage]):
    """Everything of a session on one clock, or a part of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                succeeded(
                    {
                        "entries": [
                            {
                                "seq": 41,
                                "at": MOMENT,
                                "client_at_ms": 1764061391474,
                                "received_at": "2026-11-25T09:03:13.020Z",
                                "actor": "participant",
                                "verb": "stage.switch",
                                "object": "sketch",
                                "inputs": [],
                                "outputs": [],
                                "generation_id": "",
                                "data": {"from": "brief"},
                            }
                        ],
                        "total": 214,
                    }
                )
            ]
        }
    )


class StayInfo(BaseModel):
    """A stay in one stage."""

    model_config = ConfigDict(populate_by_name=True)

    stage: str
    start: datetime = Field(alias="from")
    end: datetime | None = Field(alias="to", description="null: it lasts")


class WaitInfo(BaseModel):
    """The wait for one generation."""

    model_config = ConfigDict(populate_by_name=True)

    generation_id: str
    start: datetime = Field(alias="from")
    end: datetime | None = Field(alias="to", description="when it had ended; null: not yet")
    shown_at: datetime | None = Field(description="when its end could be seen; later than `to` where it was held back")
    state: str


class Timeline(BaseModel):
    """How a session went."""

    stages: list[StayInfo]
    waits: list[WaitInfo]


class TimelineAnswer(Envelope[Timeline]):
    """Who spent how long in which stage, and when something was waited for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                succeeded(
                    {
                        "stages": [{"stage": "brief", "from": "2026-11-25T09:00:02Z", "to": MOMENT}],
                        "waits": [
                            {
                                "generation_id": ROW["id"],
                                "from": "2026-11-25T09:01:00Z",
                                "to": "2026-11-25T09:01:08Z",
                                "shown_at": "2026-11-25T09:01:20Z",
                                "state": "succeeded",
                            }
                        ],
                    }
                )
            ]
        }
    )


class Node(BaseModel):
    """One generation of the tree."""

    id: str
    operation: str
    representation: str
    state: str
    created_at: datetime
    parents: list[str] = Field(description="generations whose outputs went in")
    inputs: list[str] = Field(description="pictures that went in, by content hash")
    thumbs: list[str] = Field(description="pictures that came of it, by content hash: `/images/<hash>.png?size=256`")
    texts: list[str] = Field(description="beginnings of the texts that came of it")
    shown_s: float | None = Field(description="seconds from asking to seeing; null: not seen yet")


class Tree(BaseModel):
    """Generations, the newest first, and what they came of."""

    nodes: list[Node]
    next: str | None = Field(description="for `before`; null: these are the last")


class TreeAnswer(Envelope[Tree]):
    """Which generation came of which."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                succeeded(
                    {
                        "nodes": [
                            {
                                "id": ROW["id"],
                                "operation": "sketch.create_new",
                                "representation": "sketch",
                                "state": "succeeded",
                                "created_at": MOMENT,
                                "parents": [],
                                "inputs": [],
                                "thumbs": [SHA],
                                "texts": [],
                                "shown_s": 8.2,
                            }
                        ],
                        "next": None,
                    }
                )
            ]
        }
    )
