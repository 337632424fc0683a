"""What is kept of the judgement about one generation and its repetition."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

ItemVerdict = Literal["equal", "similar", "differs", "failed", "recovered", "failed_again", "not_replayed"]
OutputVerdict = Literal["equal", "similar", "differs", "missing", "extra"]
ReasonCode = Literal[
    "seed",
    "checkpoint",
    "model_hash",
    "prompt_version",
    "directions_version",
    "views_version",
    "preset_version",
    "chat_anew",
    "prompt",
    "sampler",
    "scheduler",
    "not_applied",
    "batch",
    "webui_version",
    "random_source",
    "instance",
    "inputs",
    "size",
    "encoding",
    "output_missing",
    "output_extra",
    "unexplained",
    "was_canceled",
    "not_ended",
    "refused",
    "gone",
    "error",
]
UNEQUAL: frozenset[str] = frozenset(("similar", "differs", "failed"))
"""The verdicts about a generation that say: this is not what the session showed."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ErrorShown(_Shape):
    """Why a generation failed."""

    type: str
    message: str


class PromptShown(_Shape):
    """What a chat service or a WebUI was asked in one step."""

    step: str
    kind: Literal["chat", "picture"]
    prompt: str
    negative_prompt: str = ""
    index: int = 0
    seed: int | None = None


class Side(_Shape):
    """One of the two runs, in short. `inputs` are pictures by their sha256."""

    state: str
    created_at: datetime
    duration_s: float | None = None
    seed: int | None = None
    checkpoints: list[str] = []
    model_hashes: list[str] = []
    instances: list[str] = []
    task: str = ""
    texts: list[str] = []
    inputs: list[str] = []
    prompts: list[PromptShown] = []
    error: ErrorShown | None = None


class Measures(_Shape):
    """How far two outputs are from each other, by measure; what was not measured is None.

    `hash_distance`: part of the bits of two perceptual hashes that differ. `mean_difference`: of all colour values, 1
    being black against white. `text_ratio`: how much of two texts is the same, word by word.
    """

    hash_distance: float | None = None
    mean_difference: float | None = None
    text_ratio: float | None = None


class OutputPair(_Shape):
    """One place of the answer in both runs: pictures by their sha256, texts as they are."""

    index: int
    kind: Literal["image", "text"]
    verdict: OutputVerdict | None = None
    score: float | None = None
    measures: Measures = Measures()
    old: str | None = None
    new: str | None = None


class Reason(_Shape):
    """Why something came out otherwise: a word for programs, a sentence for people."""

    code: ReasonCode
    text: str


class Difference(_Shape):
    """One fact that is not the same in both runs; None: it is not there."""

    what: str
    step: str
    old: str | None
    new: str | None


class Judgement(_Shape):
    """All that was found about one generation and its repetition."""

    verdict: ItemVerdict
    score: float | None = None
    why: list[Reason] = []
    old: Side | None = None
    new: Side | None = None
    outputs: list[OutputPair] = []
    differences: list[Difference] = []
