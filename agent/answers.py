"""The answer in a chat completion: found, repaired where a library can, checked against a form, asked for once more.

The wording of the second question comes from the settings and is handed in; this module only knows when to ask it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from json_repair import repair_json
from pydantic import BaseModel, ValidationError

from agent.conversation import Question
from agent.errors import AnswerUnusableError, ChatError
from agent.gpt import ChatClient, ChatReply, Message, chat

_log = logging.getLogger(__name__)

T = TypeVar("T", bound=BaseModel)

_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```[a-zA-Z0-9]*\s*(.*?)```", re.DOTALL)
_LONGEST_PLAIN_ANSWER = 200
_MOST_REASONS = 5
# An answer of one text is a noun or a list of words; a sentence is a refusal or an explanation.
_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？")


@dataclass(frozen=True)
class Asked(Generic[T]):
    """An answer in its form, every reply that it took, and whether the accepted one had to be repaired."""

    answer: T
    replies: tuple[ChatReply, ...]
    repaired: bool


def ask(
    client: ChatClient,
    question: Question,
    form: type[T],
    *,
    again: Callable[[str], Question],
    seed: int | None = None,
) -> Asked[T]:
    """Ask for an answer of `form`; when it is unusable, put the question `again(reason)` after it.

    Raises ChatError leaves, AnswerUnusableError after the second try; `replies` in them are all answers so far.
    """
    replies: tuple[ChatReply, ...] = ()
    reason = advice = ""
    # Twice at most: a model that fails two times with the reason before it fails the third time too.
    for _ in range(2):
        try:
            reply = _chat(client, question, seed)
            replies += (reply,)
            answer, repaired = _parsed(reply.text, form)
            return Asked(answer, replies, repaired)
        except AnswerUnusableError as exc:
            # An empty answer brings its reply with it; for one that could not be read it was added above.
            replies += tuple(reply for reply in exc.replies if reply not in replies)
            reason, advice = exc.reason, ""
            if replies[-1].finish_reason == "length":
                reason = f"the answer was cut off at max_tokens ({question.max_tokens}), so that {reason}"
                advice = "; raise max_tokens in the prompt file"
            _log.warning("an answer of %s is unusable (%s)", client.name, form.__name__)
            question = replace(again(reason), earlier=(*question.messages, *_as_turn(replies)))
        except ChatError as exc:
            exc.replies = replies + exc.replies
            raise
    raise AnswerUnusableError(
        f"the chat service {client.name} gave no usable {form.__name__} in two tries: {reason}{advice}",
        replies,
        reason,
    )


def _chat(client: ChatClient, question: Question, seed: int | None) -> ChatReply:
    return chat(client, question.messages, temperature=question.temperature, max_tokens=question.max_tokens, seed=seed)


def parse_answer(text: str, form: type[T]) -> T:
    """Read an answer into `form`: strict JSON, else without fences and prose, else repaired; nulls are left out.

    What stands between <think> and </think> is no part of the answer.

    A form of one text field also takes a short plain answer. Raises AnswerUnusableError with a reason for the model.
    """
    return _parsed(text, form)[0]


def _as_turn(replies: tuple[ChatReply, ...]) -> list[Message]:
    text = replies[-1].text if replies else ""
    return [Message("assistant", text)] if text.strip() else []


def _parsed(text: str, form: type[T]) -> tuple[T, bool]:
    reason = ""
    text = _without_thoughts(text)
    for repaired, value in _readings(text):
        try:
            return form.model_validate(_shaped(value, form)), repaired
        except ValidationError as exc:
            # The first reading is the most faithful one: its complaint is the one to send back.
            reason = reason or _reason(exc)
    plain = _plain_answer(text, form)
    if plain is not None:
        return plain, True
    reason = reason or "it is not a JSON object"
    raise AnswerUnusableError(f"the answer is not usable: {reason}", reason=reason)


def _without_thoughts(text: str) -> str:
    # Some services swallow the opening tag, because it stands in the prompt of theirs.
    return _THOUGHT.sub("", text).rpartition("</think>")[2]


def _readings(text: str) -> list[tuple[bool, Any]]:
    """List the objects that the text may hold, the most faithful first, and whether it had to be repaired."""
    found: list[tuple[bool, Any]] = []
    # Strict readings first: the repair always finds something, and may find it where nothing was meant.
    inner = _FENCE.search(text)
    for repaired, candidate in (
        (False, text),
        (True, inner.group(1) if inner else ""),
        (True, _between_braces(text)),
    ):
        try:
            found.append((repaired, json.loads(candidate)))
        except (ValueError, RecursionError):
            continue
    if "{" in text:
        try:
            value = repair_json(_from_brace(inner.group(1) if inner else text), return_objects=True)
            # Several objects: what comes last is the answer, what comes before it are drafts and examples.
            values = reversed(value) if isinstance(value, list) else [value]
            found += [(True, one) for one in values if isinstance(one, dict)]
        except (ValueError, RecursionError):
            _log.debug("the repair gave up")
    return [(repaired, _without_nulls(value)) for repaired, value in found]


def _between_braces(text: str) -> str:
    return text[text.find("{") : text.rfind("}") + 1]


def _from_brace(text: str) -> str:
    start = text.find("{")
    return text[start:] if start >= 0 else text


def _without_nulls(value: Any) -> Any:
    """Drop nulls at any depth: a null in a text breaks the page that shows it."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value if inner is not None]
    return value


def _shaped(value: Any, form: type[BaseModel]) -> Any:
    """Bring near misses into the form's shape: an object in a list, another key for the only text."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    key = _only_text(form)
    if key is None or not isinstance(value, dict) or key in value:
        return value
    texts = [inner for inner in value.values() if isinstance(inner, str)]
    return {key: texts[0]} if len(value) == 1 and len(texts) == 1 else value


def _only_text(form: type[BaseModel]) -> str | None:
    fields = list(form.model_fields.items())
    if len(fields) != 1 or fields[0][1].annotation is not str:
        return None
    return fields[0][1].alias or fields[0][0]


def _plain_answer(text: str, form: type[T]) -> T | None:
    key, plain = _only_text(form), text.strip().strip("\"'`").strip()
    if key is None or not plain or len(plain) > _LONGEST_PLAIN_ANSWER or any(mark in plain for mark in "{}\n"):
        return None
    if plain.endswith(_SENTENCE_ENDS):
        return None
    try:
        return form.model_validate({key: plain})
    except ValidationError:
        return None


def _reason(exc: ValidationError) -> str:
    return "; ".join(_one_reason(error) for error in exc.errors(include_url=False)[:_MOST_REASONS])


def _one_reason(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return f"key {where} is missing"
    return f"key {where}: {error['msg']}" if where else str(error["msg"])
