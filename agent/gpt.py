"""Chat completions by the official SDK: Azure OpenAI, OpenAI, or any service that speaks the same protocol.

The SDK alone repeats what may be repeated (429 with Retry-After, 5xx, connection); nothing here loops around it but for
a parameter that the service does not know.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import httpx2
import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessage

from agent.conversation import ChatConfig, ChatReply, Message
from agent.deadline import deadline_hooks
from agent.errors import (
    AnswerUnusableError,
    ChatAccessError,
    ChatError,
    ChatNotConfiguredError,
    ChatRateLimitedError,
    ChatRejectedError,
    ChatServiceError,
    ChatTimeoutError,
    ChatUnreachableError,
    ContentFilteredError,
)

__all__ = ["ChatClient", "ChatConfig", "ChatReply", "Message", "chat"]

_log = logging.getLogger(__name__)

_OPENAI_ENDPOINT = "https://api.openai.com/v1"
_CONNECT_TIMEOUT_S = 5.0
# A local service needs no key, but the SDK insists on one.
_NO_KEY = "none"

# What a service that does not know a parameter wants in its place; None: leave it out.
PARAMETER_FALLBACKS: dict[str, str | None] = {
    "response_format": None,
    "seed": None,
    "temperature": None,
    "max_tokens": "max_completion_tokens",
}
_UNKNOWN_PARAMETER = (
    "unsupported",
    "not supported",
    "does not support",
    "unrecognized",
    "unknown",
    "unexpected",
    "not permitted",
    "not allowed",
    "extra inputs",
)
# "'response_format.type' must be 'json_schema' or 'text'"; of other parameters it would mean a wrong value.
_OTHER_FORMAT = ("response_format", "must be")

# Every error class of the SDK, so that a new one in a later version is noticed by a test.
OPENAI_ERRORS: dict[type[BaseException], tuple[type[ChatError], str]] = {
    openai.OpenAIError: (ChatServiceError, "failed in a way that its SDK does not name"),
    openai.APIError: (ChatServiceError, "failed"),
    openai.APIStatusError: (ChatRejectedError, "refuses the request"),
    openai.APIResponseValidationError: (ChatServiceError, "answered something that is no chat completion"),
    openai.APIConnectionError: (ChatUnreachableError, "cannot be reached; check its address and the network"),
    openai.APITimeoutError: (ChatTimeoutError, "did not answer in time; raise CHAT_TIMEOUT if it is slow"),
    openai.BadRequestError: (ChatRejectedError, "refuses the request"),
    openai.UnprocessableEntityError: (ChatRejectedError, "refuses the request"),
    openai.ConflictError: (ChatRejectedError, "refuses the request"),
    openai.AuthenticationError: (ChatAccessError, "refuses the key; check it in the configuration"),
    openai.OAuthError: (ChatAccessError, "refuses the key; check it in the configuration"),
    openai.PermissionDeniedError: (ChatAccessError, "does not let this key use the model"),
    openai.NotFoundError: (ChatAccessError, "has no such deployment or model; check its name and address"),
    openai.RateLimitError: (
        ChatRateLimitedError,
        "has no room for us now, or our quota is used up; try again later",
    ),
    openai.InternalServerError: (ChatServiceError, "failed; try again later"),
    openai.LengthFinishReasonError: (AnswerUnusableError, "was cut off before the end of its answer"),
    openai.ContentFilterFinishReasonError: (ContentFilteredError, "withheld its answer: content filter"),
    openai.WebSocketConnectionClosedError: (ChatServiceError, "ended the connection"),
    openai.WebSocketQueueFullError: (ChatServiceError, "has too much to send"),
}


class ChatClient:
    """The SDK's client for one service, made at first use. Thread-safe."""

    def __init__(self, config: ChatConfig) -> None:
        """Only keep the values: nothing is made or connected yet."""
        self.config = config
        self._guard = threading.Lock()
        self._client: openai.OpenAI | None = None
        self._adjusted: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Say for messages which model of which service is meant."""
        return f"{self.config.provider}/{self.config.model}"

    @property
    def adjusted(self) -> frozenset[str]:
        """The parameters that this service turned out not to know."""
        return self._adjusted

    def adjust(self, parameter: str) -> None:
        """Remember that the service does not know `parameter`; another thread may have learned it before us."""
        with self._guard:
            if parameter in self._adjusted:
                return
            self._adjusted |= {parameter}
        _log.warning("%s does not know %s; asking without it from now on", self.name, parameter)

    def sdk(self) -> openai.OpenAI:
        """Give the SDK's client. Raises ChatNotConfiguredError."""
        with self._guard:
            # Not before the first question: a client made before a fork would share its sockets with the children.
            if self._client is None:
                self._client = _sdk_client(self.config)
            return self._client

    def close(self) -> None:
        """Give its connections back to the system; a later question makes a new client."""
        with self._guard:
            if self._client is not None:
                self._client.close()
                self._client = None


def chat(
    client: ChatClient,
    messages: Sequence[Message],
    *,
    temperature: float = 1.0,
    max_tokens: int = 1000,
    seed: int | None = None,
) -> ChatReply:
    """Ask for one answer, as a JSON object where the service can promise that. Raises ChatError leaves."""
    sdk = client.sdk()
    wanted = _parameters(messages, temperature, max_tokens, seed)
    began = time.monotonic()
    completion = _complete(client, sdk, messages, wanted)
    return _reply(client, completion, time.monotonic() - began)


def _sdk_client(config: ChatConfig) -> openai.OpenAI:
    # A service that is down shows in seconds, one that thinks may take its full time.
    timeout = httpx2.Timeout(config.timeout_s, connect=min(config.timeout_s, _CONNECT_TIMEOUT_S))
    http_client = openai.DefaultHttpxClient(event_hooks=deadline_hooks(config.timeout_s))
    try:
        if config.provider == "azure":
            return openai.AzureOpenAI(
                azure_endpoint=config.endpoint or "",
                azure_deployment=config.model,
                api_version=config.api_version,
                api_key=config.api_key or _NO_KEY,
                timeout=timeout,
                max_retries=config.max_retries,
                http_client=http_client,
            )
        return openai.OpenAI(
            base_url=config.endpoint or _OPENAI_ENDPOINT,
            api_key=config.api_key or _NO_KEY,
            timeout=timeout,
            max_retries=config.max_retries,
            http_client=http_client,
        )
    except (openai.OpenAIError, ValueError, httpx2.InvalidURL) as exc:
        http_client.close()
        raise ChatNotConfiguredError(
            f"the settings of the chat service {config.provider}/{config.model} make no client: {type(exc).__name__}"
        ) from exc


def _parameters(messages: Sequence[Message], temperature: float, max_tokens: int, seed: int | None) -> dict[str, Any]:
    wanted: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens}
    # The services refuse JSON mode unless a message speaks of JSON.
    if any("json" in message.content.lower() for message in messages):
        wanted["response_format"] = {"type": "json_object"}
    if seed is not None:
        wanted["seed"] = seed
    return wanted


def _complete(
    client: ChatClient, sdk: openai.OpenAI, messages: Sequence[Message], wanted: dict[str, Any]
) -> ChatCompletion:
    # Ends after as many rounds as there are parameters: each round learns about one more, or raises.
    turns: Any = [{"role": message.role, "content": message.content} for message in messages]
    while True:
        # What this round sends: meanwhile another thread may learn what the service does not know.
        adjusted = client.adjusted
        try:
            completion: ChatCompletion = sdk.chat.completions.create(
                model=client.config.model, messages=turns, **_known(wanted, adjusted)
            )
        except (openai.BadRequestError, openai.UnprocessableEntityError) as exc:
            parameter = _unknown_parameter(exc, wanted.keys() - adjusted)
            if parameter is None:
                raise translate(exc, client.name) from exc
            client.adjust(parameter)
        except openai.OpenAIError as exc:
            raise translate(exc, client.name) from exc
        except ValueError as exc:
            # The SDK lets the decoder's own error through when a body says JSON and is none.
            raise ChatServiceError(f"the chat service {client.name} answered something that is no JSON") from exc
        else:
            return completion


def _known(wanted: dict[str, Any], adjusted: frozenset[str]) -> dict[str, Any]:
    known = {key: value for key, value in wanted.items() if key not in adjusted}
    for key in wanted.keys() & adjusted:
        other = PARAMETER_FALLBACKS[key]
        if other is not None:
            known[other] = wanted[key]
    return known


def _unknown_parameter(exc: openai.APIStatusError, sent: set[str]) -> str | None:
    """Find the parameter that the service complains not to know, among those that were sent and can be done without."""
    text = f"{exc.message} {exc.body}".lower()
    if not any(words in text for words in _UNKNOWN_PARAMETER) and not all(words in text for words in _OTHER_FORMAT):
        return None
    named = (exc.param or "").partition(".")[0]
    if named in sent and named in PARAMETER_FALLBACKS:
        return named
    return next((key for key in PARAMETER_FALLBACKS if key in sent and key in text), None)


def translate(exc: openai.OpenAIError, name: str) -> ChatError:
    """Make the ChatError that stands for an error of the SDK; `name` says which service."""
    if isinstance(exc, openai.APIStatusError) and _is_filtered(exc):
        return ContentFilteredError(f"the chat service {name} withheld the question: content filter; word it otherwise")
    kind, sentence = next(OPENAI_ERRORS[one] for one in type(exc).__mro__ if one in OPENAI_ERRORS)
    status = f" [{exc.status_code}]" if isinstance(exc, openai.APIStatusError) else ""
    code = f" ({exc.code})" if isinstance(exc, openai.APIError) and exc.code else ""
    return kind(f"the chat service {name} {sentence}{status}{code}")


def _is_filtered(exc: openai.APIStatusError) -> bool:
    return exc.status_code == 400 and "content_filter" in f"{exc.code} {exc.body}"


def _reply(client: ChatClient, completion: Any, duration_s: float) -> ChatReply:
    message, text = _message(completion)
    if text is None:
        raise ChatServiceError(f"the chat service {client.name} answered something that is no chat completion")
    usage = completion.usage
    reply = ChatReply(
        text=text,
        model=completion.model or "",
        prompt_tokens=getattr(usage, "prompt_tokens", None) or 0,
        completion_tokens=getattr(usage, "completion_tokens", None) or 0,
        finish_reason=completion.choices[0].finish_reason or "",
        duration_s=duration_s,
        response_id=completion.id or "",
    )
    if reply.finish_reason == "content_filter" or getattr(message, "refusal", None):
        raise ContentFilteredError(f"the chat service {client.name} withheld its answer; word it otherwise", (reply,))
    if not reply.text.strip():
        raise AnswerUnusableError(f"the chat service {client.name} answered nothing", (reply,), "the answer is empty")
    return reply


def _message(completion: Any) -> tuple[Any, str | None]:
    """Find the first choice's message and its text; no text (None) where this is no chat completion."""
    # The SDK builds its models without checking, and hands out the bare text of a body that is no JSON.
    choices = getattr(completion, "choices", None)
    message = getattr(choices[0], "message", None) if isinstance(choices, list) and choices else None
    content = getattr(message, "content", None)
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        # Some services answer in parts, as questions with pictures are asked.
        content = "".join(str(part["text"]) for part in content if part.get("type") == "text" and part.get("text"))
    is_message = isinstance(message, ChatCompletionMessage) and isinstance(content, str | None)
    return message, (content or "") if is_message else None
