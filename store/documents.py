"""The record of a generation: what was asked, what was done in which step, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from store.clock import utc_now
from store.ids import new_id

State = Literal["queued", "running", "succeeded", "failed", "canceled"]
ENDED: Final[frozenset[str]] = frozenset(("succeeded", "failed", "canceled"))
"""The states that nothing follows."""


class _Document(BaseModel):
    # Fields of a later version are passed over, so that an old and a new worker can serve side by side.
    model_config = ConfigDict(frozen=True, extra="ignore")


class ErrorRecord(_Document):
    """Why something failed: the name of the error's class and its message."""

    type: str
    message: str


class Output(_Document):
    """One result: an image by its content hash, or a text or card as JSON text.

    `step` is the id of the step that made it, `index` its place in the answer.
    """

    kind: Literal["text", "image", "card"]
    image_id: str | None = None
    text: str | None = None
    step: str = ""
    index: int = 0


class StepRecord(_Document):
    """One step of a generation: a call of a model or of our own image work. Times in seconds.

    `details` holds what is needed to repeat the step: template and preset with their hashes, rendered prompt,
    checkpoint, sampler, seed, instance, model, usage, what was not applied, attempts. Images only by their hash.
    """

    kind: str
    name: str
    id: str = Field(default_factory=new_id)
    started_at: datetime = Field(default_factory=utc_now)
    duration_s: float = 0.0
    waited_s: float = 0.0
    details: dict[str, Any] = Field(default_factory=dict)
    error: ErrorRecord | None = None


class GenerationInputs(_Document):
    """What the participant gave: design task, texts, images by content hash, number of results wanted."""

    task: str
    texts: tuple[str, ...] = ()
    image_ids: tuple[str, ...] = ()
    num: int = 1
    current_stage: str = ""
    options: dict[str, Any] = Field(default_factory=dict)


class LogEntry(_Document):
    """One thing that happened to a generation; `seq` is the revision of the record after it, counted from 1.

    `state` is the new state (type `state`), `step` the id of the step that ended (type `step`), `output` the
    position of the new result in the record's `outputs` (type `output`).
    """

    seq: int
    type: Literal["state", "step", "output"]
    at: datetime
    state: str = ""
    step: str = ""
    output: int | None = None


class Live(_Document):
    """What is going on in a generation right now: progress from 0 to 1, place in the queue, seconds to its end."""

    progress: float = 0.0
    place: int | None = None
    eta_s: float | None = None
    at: datetime = Field(default_factory=utc_now)


class GenerationRecord(_Document):
    """One generation from its acceptance to its end.

    `origin` holds the caller's own labels (aiStage, buttonText), `owner` the runner at work, `token` rises whenever
    that work changes hands, `attempt` counts who took it up, `revision` the entries of `log`, `parents` are
    generations whose outputs went in, `duration_s` counts from the start, `live` is there until the end only.
    `rerun_of` is the generation that this one repeats, `overrides` and `pins` say how; `times` says where its time
    went, in seconds. `replay_id` is the replay of a session that it belongs to, instead of to a participant.
    `study_id`, `session_id` and `condition_id` say where it was made; `hold_s` for how long its answer is held back,
    from its acceptance on, and by which rule (`hold_kind`); `drift` that its study was not as it had been sealed.
    """

    app_id: int
    participant_id: str
    operation: str
    inputs: GenerationInputs
    id: str = Field(default_factory=new_id)
    schema_version: int = 0
    origin: dict[str, str] = Field(default_factory=dict)
    state: State = "queued"
    created_at: datetime = Field(default_factory=utc_now)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_s: float | None = None
    seed: int | None = None
    steps: tuple[StepRecord, ...] = ()
    outputs: tuple[Output, ...] = ()
    parents: tuple[str, ...] = ()
    error: ErrorRecord | None = None
    owner: str = ""
    token: int = 0
    attempt: int = 0
    revision: int = 0
    changed_at: datetime | None = None
    log: tuple[LogEntry, ...] = ()
    live: Live | None = None
    cancel_at: datetime | None = None
    rerun_of: str = ""
    overrides: dict[str, Any] = Field(default_factory=dict)
    pins: dict[str, Any] = Field(default_factory=dict)
    times: dict[str, float] = Field(default_factory=dict)
    request_id: str = ""
    replay_id: str = ""
    study_id: str = ""
    session_id: str = ""
    condition_id: str = ""
    hold_kind: str = ""
    hold_s: float | None = None
    drift: bool | None = None
