"""The values that go into a chat and come out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class ChatConfig:
    """Where to ask and how long to wait.

    `endpoint`: Azure's resource URL, or the base URL (with its /v1) of a compatible service (None: OpenAI's own).
    `model`: Azure's deployment name, or the model's. `timeout_s` is for one try, `max_retries` are added to it.
    """

    provider: Literal["azure", "openai"]
    model: str
    endpoint: str | None = None
    api_key: str = field(default="", repr=False)
    api_version: str | None = None
    timeout_s: float = 60.0
    max_retries: int = 2


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class ChatReply:
    """One answer, what it cost, and how the service calls it."""

    text: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    duration_s: float
    response_id: str


@dataclass(frozen=True)
class Question:
    """What is said to the model next, after the turns in `earlier`, and how it may answer."""

    text: str
    temperature: float = 1.0
    max_tokens: int = 1000
    earlier: tuple[Message, ...] = ()

    @property
    def messages(self) -> tuple[Message, ...]:
        """The whole conversation, this question last."""
        return (*self.earlier, Message("user", self.text))
