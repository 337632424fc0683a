"""What is sent to and told by the routes of replays."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from apps.research.replaying.asking import MOST_AT_ONCE, USUAL_AT_ONCE
from apps.research.replaying.planning import Changes
from apps.research.replaying.shapes import (
    Difference,
    ErrorShown,
    ItemVerdict,
    Measures,
    OutputVerdict,
    PromptShown,
    Reason,
)
from apps.schemas import Envelope
from store.replays import ItemState, ReplayState

PAGE_LIMIT = 100
_URL = "http://127.0.0.1:5002/images/5f0c…e1.png"


def _blank_is_nothing(value: Any) -> Any:
    return None if value == "" else value


class NewReplay(Changes):
    """What a replay does otherwise than the session; every key may be left out, and so may the whole body.

    `prompts` and `presets` are "current", for what the settings say now, or give by name the hash of a version, or
    "current". `checkpoint` takes the place of the one in every preset, `seed` that of every generation.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"prompts": "current"}]})
    may_be_left_out: ClassVar[bool] = True

    at_once: Annotated[int, Field(ge=1, le=MOST_AT_ONCE, strict=True)] = Field(
        USUAL_AT_ONCE, description="how many generations are under way at a time"
    )


class ReplayQuery(BaseModel):
    """Which items of a replay to list."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, le=10_000_000)] = Field(0, description="`next` of the page before")
    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT)] = 20
    verdict: Annotated[ItemVerdict | None, BeforeValidator(_blank_is_nothing)] = Field(
        None, description="only those with this verdict"
    )


class ItemCounts(BaseModel):
    """How many generations had which verdict."""

    equal: int = 0
    similar: int = 0
    differs: int = 0
    failed: int = Field(0, description="succeeded in the session, failed in the replay")
    recovered: int = Field(0, description="failed in the session, succeeded in the replay")
    failed_again: int = 0
    not_replayed: int = 0


class OutputCounts(BaseModel):
    """How many pictures, or texts, had which verdict."""

    equal: int = 0
    similar: int = 0
    differs: int = 0


class ReplayView(BaseModel):
    """One replay of a session."""

    id: str
    session_id: str
    study_id: str
    participant_id: str = Field(description="the session's; the replay's own generations have its id in this place")
    state: ReplayState
    is_stalled: bool = Field(description="it has not ended and nobody sees to it: it can be resumed")
    error: str
    changes: dict[str, Any] = Field(description="what is done otherwise than in the session; empty: nothing")
    at_once: int
    requested_by: str
    total: int
    done: int
    progress: float = Field(ge=0, le=1)
    counts: ItemCounts
    pictures: OutputCounts
    texts: OutputCounts
    is_equal: bool | None = Field(description="whether all is as the session showed it; null until it is done")
    threshold: float = Field(description="the least score of outputs that count as similar")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class PictureView(BaseModel):
    """A picture."""

    sha256: str
    url: str
    thumbnail: str


class TextView(BaseModel):
    """A text: JSON text."""

    text: str


class SideView(BaseModel):
    """One of the two runs of a generation."""

    state: str
    created_at: datetime
    duration_s: float | None
    seed: int | None
    checkpoints: list[str] = Field(description="what the WebUIs say they had loaded")
    model_hashes: list[str]
    instances: list[str]
    task: str
    texts: list[str]
    inputs: list[PictureView]
    prompts: list[PromptShown]
    error: ErrorShown | None


class OutputView(BaseModel):
    """One place of the answer in both runs."""

    index: int
    kind: Literal["image", "text"]
    verdict: OutputVerdict | None = Field(description="null until it is judged")
    score: float | None = Field(description="likeness from 0 to 1; null where nothing could be compared")
    measures: Measures
    old: PictureView | TextView | None
    new: PictureView | TextView | None


class ItemView(BaseModel):
    """One generation of the session and its repetition."""

    number: int
    generation_id: str
    new_generation_id: str = Field(description="empty where nothing was made")
    operation: str
    state: ItemState
    verdict: ItemVerdict | None = Field(description="null until it is judged")
    score: float | None
    why: list[Reason] = Field(description="the strongest reason first; empty when all is equal")
    old: SideView | None
    new: SideView | None
    outputs: list[OutputView]
    differences: list[Difference] = Field(description="every fact that is not the same, also where the outcome is")


_REPLAY = {
    "id": "01KAVK5Q4M8X0T3N6R9W2Z7CDE",
    "session_id": "01KAVJ5Q4M8X0T3N6R9W2Z7CDE",
    "study_id": "default",
    "participant_id": "01KAVJ4Z8C5S7E2Q9T0V3X6MNB",
    "state": "done",
    "is_stalled": False,
    "error": "",
    "changes": {"prompts": "current"},
    "at_once": 2,
    "requested_by": "anna",
    "total": 1,
    "done": 1,
    "progress": 1.0,
    "counts": {**ItemCounts(similar=1).model_dump()},
    "pictures": {"equal": 0, "similar": 1, "differs": 0},
    "texts": {"equal": 0, "similar": 0, "differs": 0},
    "is_equal": False,
    "threshold": 0.85,
    "created_at": "2026-11-25T08:00:00.000000Z",
    "started_at": "2026-11-25T08:00:00.100000Z",
    "ended_at": "2026-11-25T08:00:09.000000Z",
}
_PICTURE = {"sha256": "5f0c…e1", "url": _URL, "thumbnail": f"{_URL}?size=256"}
_ITEM = {
    "number": 1,
    "generation_id": "01KAVJ6Q4M8X0T3N6R9W2Z7CDE",
    "new_generation_id": "01KAVK6Q4M8X0T3N6R9W2Z7CDE",
    "operation": "sketch.create_new",
    "state": "done",
    "verdict": "similar",
    "score": 0.962,
    "why": [{"code": "instance", "text": "painted by another instance: gpu-1:7860, now gpu-2:7860"}],
    "old": None,
    "new": None,
    "outputs": [
        {
            "index": 0,
            "kind": "image",
            "verdict": "similar",
            "score": 0.962,
            "measures": {"hash_distance": 0.004, "mean_difference": 0.0076, "text_ratio": None},
            "old": _PICTURE,
            "new": _PICTURE,
        }
    ],
    "differences": [{"what": "instance", "step": "sketch_create_new 1", "old": "gpu-1:7860", "new": "gpu-2:7860"}],
}


def _example(data: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [{"success": True, "data": data, "code": 0, "message": ""}]})


class ReplayAnswer(Envelope[ReplayView]):
    """One replay."""

    model_config = _example(_REPLAY)


class ReplayList(BaseModel):
    """The replays of a session, newest first."""

    replays: list[ReplayView]


class ReplaysAnswer(Envelope[ReplayList]):
    """The replays of a session."""

    model_config = _example({"replays": [_REPLAY]})


class ReplayPage(BaseModel):
    """A replay with some of its items, in the session's order."""

    replay: ReplayView
    items: list[ItemView]
    next: int | None = Field(description="`after` of the next page; null on the last one")


class ReplayPageAnswer(Envelope[ReplayPage]):
    """A replay, and old and new side by side."""

    model_config = _example({"replay": _REPLAY, "items": [_ITEM], "next": None})
