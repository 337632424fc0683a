"""What /api/generations tells of a generation, here called a job: while it runs, and when it has ended."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from apps.schemas import Envelope
from store.documents import State

_ID, _IMAGE_ID = "01KAVJ5Q4M8X0T3N6R9W2Z7CDE", "5f0c…e1"
_URL = f"http://127.0.0.1:5002/images/{_IMAGE_ID}.png"


class TextOutput(BaseModel):
    """A result in words: JSON text."""

    index: int
    kind: Literal["text"] = "text"
    text: str


class ImageOutput(BaseModel):
    """A picture."""

    index: int
    kind: Literal["image"] = "image"
    url: str


AnyOutput = TextOutput | ImageOutput


class JobError(BaseModel):
    """Why it failed or was canceled."""

    type: str
    message: str


class JobInputs(BaseModel):
    """What it works on."""

    task: str
    num: int
    texts: list[str]
    images: list[str] = Field(description="URLs")
    stage: str = Field(description="representation that the first picture shows; empty: unknown or of no matter")


class JobStep(BaseModel):
    """One call of a model."""

    id: str
    kind: str = Field(examples=["txt2img"])
    name: str = Field(description="the prompt or preset")
    started_at: datetime
    duration_s: float
    waited_s: float = Field(description="of it, waiting for an instance")
    details: dict[str, Any] = Field(
        description="what is needed to repeat it, and where its time went; empty in lists and events"
    )
    error: JobError | None


class JobState(BaseModel):
    """How far a job is."""

    id: str
    state: State
    progress: float = Field(ge=0, le=1)
    place: int | None = Field(description="place in the queue from 1 on; 0: it is at work; null: unknown or ended")
    eta_s: float | None = Field(description="seconds to its end as far as is known")
    outputs: list[AnyOutput] = Field(description="what is there already, by index")


class Job(JobState):
    """A generation: what was asked, how far it is, what came of it."""

    operation: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    shown_at: datetime | None = Field(
        description="when its results could first be seen: later than its end where a study holds answers back"
    )
    duration_s: float | None = Field(description="from start to end")
    seed: int | None
    participant_id: str
    inputs: JobInputs
    steps: list[JobStep]
    error: JobError | None
    times: dict[str, float] = Field(description="where the time went, in seconds")
    attempt: int = Field(description="how often it was begun")
    rerun_of: str = Field(description="id of the generation that it repeats, or empty")
    revision: int = Field(description="rises with each change; the id of the newest event")


_JOB_EXAMPLE = {
    "id": _ID,
    "operation": "sketch.create_new",
    "state": "running",
    "progress": 0.5,
    "place": None,
    "eta_s": 2.5,
    "created_at": "2026-11-25T08:00:00.000000Z",
    "started_at": "2026-11-25T08:00:00.250000Z",
    "ended_at": None,
    "shown_at": None,
    "duration_s": None,
    "seed": 7,
    "participant_id": "01KAVJ4Z8C5S7E2Q9T0V3X6MNB",
    "inputs": {"task": "设计一款农业无人机", "num": 2, "texts": [], "images": [], "stage": ""},
    "outputs": [{"index": 0, "kind": "image", "url": _URL}],
    "steps": [],
    "error": None,
    "times": {},
    "attempt": 1,
    "rerun_of": "",
    "revision": 3,
}


def _example(data: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [{"success": True, "data": data, "code": 0, "message": ""}]})


class JobAnswer(Envelope[Job]):
    """One job."""

    model_config = _example(_JOB_EXAMPLE)


class JobsPage(BaseModel):
    """Some generations, newest first."""

    generations: list[Job]
    next: str | None = Field(description="`cursor` of the next page; null on the last one")


class JobsAnswer(Envelope[JobsPage]):
    """A page of generations."""

    model_config = _example({"generations": [_JOB_EXAMPLE], "next": None})
