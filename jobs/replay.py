"""Answers that are known already: a rerun takes those of its parent wherever the same is asked."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.conversation import Message
from store.documents import GenerationRecord, StepRecord

REPEATED = ("replies", "repaired", "asked_again")
"""What of the parent's step stands in the rerun's step again, so that a rerun of the rerun finds it there."""

OPTIONAL = "ask_different"
"""The prompt whose failure does not fail a run."""


@dataclass(frozen=True)
class AnswerKey:
    """One question: equal keys were asked the same thing in the same way."""

    template: str
    template_hash: str
    question_hash: str
    index: int
    seed: int


@dataclass(frozen=True)
class Replay:
    """What the parent of a rerun was answered; empty for a generation without one.

    `answers` holds the details of the parent's chat steps, `subjects` the noun by the hash of task and prompt,
    `failed` what was asked in vain for a better answer while a good one was there.
    """

    parent: str = ""
    answers: Mapping[AnswerKey, Mapping[str, Any]] = field(default_factory=dict)
    subjects: Mapping[str, str] = field(default_factory=dict)
    failed: frozenset[AnswerKey] = frozenset()

    @classmethod
    def of(cls, parent: GenerationRecord | None) -> "Replay":
        """Gather the answers of a parent from its record; what failed there is asked anew, but for `failed`."""
        if parent is None:
            return cls()
        answered = [step for step in parent.steps if step.error is None]
        in_vain = [step for step in parent.steps if step.error is not None and step.name == OPTIONAL]
        return cls(
            parent=parent.id,
            answers={_key(step): _repeated(step) for step in answered if step.kind == "chat"},
            subjects={
                step.details["task_hash"]: step.details["subject"] for step in answered if step.kind == "subject"
            },
            failed=frozenset(_key(step) for step in in_vain),
        )


def question_hash(messages: Sequence[Message]) -> str:
    """Hash a whole conversation (SHA-256, hex): what stands in a record may be cut, its hash is not."""
    turns = [[message.role, message.content] for message in messages]
    return hashlib.sha256(json.dumps(turns).encode()).hexdigest()


def _key(step: StepRecord) -> AnswerKey:
    details = step.details
    # Records from before the hash was noted have the question's own text, which is all of a first question.
    asked = details.get("question_hash") or question_hash([Message("user", details["prompt"])])
    return AnswerKey(details["template"], details["template_hash"], asked, details["index"], details["seed"])


def _repeated(step: StepRecord) -> dict[str, Any]:
    return {name: step.details[name] for name in REPEATED if name in step.details}
