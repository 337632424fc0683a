"""What goes into a generation and what comes out of it, as values."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from jobs.pins import Pins
from store.clock import to_milliseconds, utc_now
from store.documents import GenerationInputs, GenerationRecord, Output
from store.ids import new_id

SEED_LIMIT = 2**32


def chosen_seed(asked: int | None) -> int:
    """Return the seed that was asked for, or choose one, so that every run can be repeated."""
    return secrets.randbelow(SEED_LIMIT) if asked is None else asked


@dataclass(frozen=True)
class Inputs:
    """What an operation works on. Images are named by the sha256 under which the store keeps them."""

    task: str
    num: int
    seed: int
    texts: tuple[str, ...] = ()
    image_ids: tuple[str, ...] = ()
    stage: str = ""
    """Representation of the participant's workspace: brief, sketch, model, rendering, or empty when unknown."""


@dataclass(frozen=True)
class Text:
    """One answer in words; `content` becomes JSON text."""

    content: BaseModel

    def json(self) -> str:
        """Write the answer as JSON, under the names that people read, without nulls."""
        return self.content.model_dump_json(by_alias=True, exclude_none=True)


@dataclass(frozen=True)
class Image:
    """One picture, by its sha256 in the store."""

    image_id: str


Product = Text | Image


def output_of(product: Product, index: int, step: str = "") -> Output:
    """Turn what an operation made into an output of its record; `index` is its place, `step` the id of its step."""
    if isinstance(product, Text):
        return Output(kind="text", text=product.json(), index=index, step=step)
    return Output(kind="image", image_id=product.image_id, index=index, step=step)


@dataclass(frozen=True)
class Belonging:
    """Where a generation belongs, and what its study says of it: see the fields of the same names in its record."""

    study_id: str = ""
    session_id: str = ""
    condition_id: str = ""
    hold_kind: str = ""
    hold_s: float | None = None
    drift: bool | None = None


@dataclass(frozen=True)
class Submission:
    """A generation as it is asked for.

    `presets` are the image presets that it will use; it is refused at once if no instance has what they name. A job
    that has not ended after `cancel_after_s` seconds is given up. `rerun_of`, `pins` and `overrides` are those of a
    repetition, see pins.py; `replay_id` is the replay of a session that it is made for.
    """

    app_id: int
    operation: str
    participant_id: str
    inputs: Inputs
    origin: Mapping[str, str] = field(default_factory=dict)
    """The words of the request that led here, such as the button that was pressed; for the record only."""
    request_id: str = "-"
    generation_id: str = field(default_factory=new_id)
    presets: tuple[str, ...] = ()
    cancel_after_s: float | None = None
    rerun_of: str = ""
    pins: Pins = field(default_factory=Pins)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    replay_id: str = ""
    belongs: Belonging = field(default_factory=Belonging)


def record_of(submission: Submission, owner: str, parents: tuple[str, ...] = ()) -> GenerationRecord:
    """Make the record of a submission; `owner` is the runner that takes it at once, empty for whoever comes first."""
    inputs, now, after_s = submission.inputs, utc_now(), submission.cancel_after_s
    return GenerationRecord(
        id=submission.generation_id,
        app_id=submission.app_id,
        participant_id=submission.participant_id,
        operation=submission.operation,
        origin=dict(submission.origin),
        inputs=GenerationInputs(
            task=inputs.task,
            texts=inputs.texts,
            image_ids=inputs.image_ids,
            num=inputs.num,
            current_stage=inputs.stage,
        ),
        seed=inputs.seed,
        created_at=now,
        parents=parents,
        owner=owner,
        request_id=submission.request_id,
        cancel_at=None if after_s is None else to_milliseconds(now + timedelta(seconds=after_s)),
        rerun_of=submission.rerun_of,
        pins=submission.pins.to_document(),
        overrides=dict(submission.overrides),
        replay_id=submission.replay_id,
        **asdict(submission.belongs),
    )


def inputs_of(record: GenerationRecord) -> Inputs:
    """Read from a record what its operation works on, so that any runner can take it up."""
    given = record.inputs
    return Inputs(
        task=given.task,
        num=given.num,
        seed=record.seed or 0,
        texts=given.texts,
        image_ids=given.image_ids,
        stage=given.current_stage,
    )
