"""What goes into a generation and what comes out of it, as values."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

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


@dataclass(frozen=True)
class Submission:
    """A generation as it is asked for."""

    app_id: int
    operation: str
    participant_id: str
    inputs: Inputs
    origin: Mapping[str, str] = field(default_factory=dict)
    """The words of the request that led here, such as the button that was pressed; for the record only."""
    request_id: str = "-"
    generation_id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class Finished:
    """A generation that succeeded."""

    generation_id: str
    products: tuple[Product, ...]
