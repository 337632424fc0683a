"""One call to a WebUI, and the translation of everything that can go wrong with it.

The WebUI has two error shapes, at any status: A `{"detail": text or list}`, B `{"error", "detail", "body", "errors"}`;
and it answers some faults of the caller with 500. The tables below know them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from agent.errors import (
    BrokenAnswerError,
    InstanceConnectionLostError,
    InstanceServiceError,
    InstanceTimeoutError,
    InstanceUnreachableError,
    MissingOnInstanceError,
    PictureRejectedError,
    SDAccessError,
    SDError,
    SDNotConfiguredError,
    SDOutOfMemoryError,
)
from agent.instance import SDInstance
from agent.wire import Answer, exchange

_QUESTION_TIMEOUT_S = 30.0
_LONGEST_QUOTE = 200

_UNREACHABLE = "cannot be reached; is it running, and is its address in SD_ENDPOINTS right?"
_LOST = "ended the connection in the middle of a call; look at its log"
_NO_ANSWER = "did not answer in time; raise SD_READ_TIMEOUT if its jobs take longer"
_NO_ADDRESS = "has an address that is no URL; correct SD_ENDPOINTS"
_UNREADABLE = "answered something that cannot be read"
_OUR_FAULT = "could not be sent a request that is no JSON; report this"

# Every class of requests.exceptions, so that a new one in a later version is noticed by a test.
REQUESTS_ERRORS: dict[type[BaseException], tuple[type[SDError], str]] = {
    requests.exceptions.RequestException: (InstanceServiceError, _UNREADABLE),
    requests.exceptions.HTTPError: (InstanceServiceError, _UNREADABLE),
    requests.exceptions.ConnectionError: (InstanceConnectionLostError, _LOST),
    requests.exceptions.ConnectTimeout: (InstanceUnreachableError, _UNREACHABLE),
    requests.exceptions.SSLError: (InstanceUnreachableError, _UNREACHABLE),
    requests.exceptions.ProxyError: (InstanceUnreachableError, _UNREACHABLE),
    requests.exceptions.Timeout: (InstanceTimeoutError, _NO_ANSWER),
    requests.exceptions.ReadTimeout: (InstanceTimeoutError, _NO_ANSWER),
    requests.exceptions.ChunkedEncodingError: (InstanceConnectionLostError, _LOST),
    requests.exceptions.ContentDecodingError: (BrokenAnswerError, _UNREADABLE),
    requests.exceptions.JSONDecodeError: (BrokenAnswerError, _UNREADABLE),
    requests.exceptions.StreamConsumedError: (BrokenAnswerError, _UNREADABLE),
    requests.exceptions.TooManyRedirects: (InstanceServiceError, _UNREADABLE),
    requests.exceptions.RetryError: (InstanceServiceError, _UNREADABLE),
    requests.exceptions.InvalidJSONError: (PictureRejectedError, _OUR_FAULT),
    requests.exceptions.UnrewindableBodyError: (PictureRejectedError, _OUR_FAULT),
    requests.exceptions.URLRequired: (SDNotConfiguredError, _NO_ADDRESS),
    requests.exceptions.MissingSchema: (SDNotConfiguredError, _NO_ADDRESS),
    requests.exceptions.InvalidSchema: (SDNotConfiguredError, _NO_ADDRESS),
    requests.exceptions.InvalidURL: (SDNotConfiguredError, _NO_ADDRESS),
    requests.exceptions.InvalidProxyURL: (SDNotConfiguredError, _NO_ADDRESS),
    requests.exceptions.InvalidHeader: (SDNotConfiguredError, _NO_ADDRESS),
}


def call_sdapi(instance: SDInstance, path: str, *, timeout_s: float | None = None) -> Any:
    """GET `path` (with its /sdapi/v1, /controlnet or /sam) and return the decoded JSON. Raises SDError leaves."""
    limit_s = timeout_s or min(instance.read_timeout_s, _QUESTION_TIMEOUT_S)
    return decoded(_call(instance, instance.questions, "GET", path, None, limit_s), instance.name, path)


def post_sdapi(instance: SDInstance, path: str, payload: Any, *, timeout_s: float | None = None) -> Any:
    """POST `payload` as JSON to `path` and return the decoded answer. Raises SDError leaves."""
    return decoded(send_sdapi(instance, path, payload, timeout_s=timeout_s), instance.name, path)


def ask_sdapi(instance: SDInstance, path: str, payload: Any, *, timeout_s: float) -> Any:
    """POST beside the call that may be under way, and return the decoded answer. Raises SDError leaves."""
    return decoded(_call(instance, instance.questions, "POST", path, payload, timeout_s), instance.name, path)


def send_sdapi(instance: SDInstance, path: str, payload: Any, *, timeout_s: float | None = None) -> Answer:
    """POST `payload` and return the answer as it came, so that the instance can be given back before it is decoded.

    Raises SDError leaves for everything but an answer that arrived; `decoded` does the rest.
    """
    return _call(instance, instance.session, "POST", path, payload, timeout_s or instance.read_timeout_s)


def _call(
    instance: SDInstance, session: requests.Session, method: str, path: str, payload: Any, timeout_s: float
) -> Answer:
    try:
        return exchange(
            session,
            method,
            instance.endpoint + path,
            connect_timeout_s=instance.connect_timeout_s,
            read_timeout_s=timeout_s,
            payload=payload,
        )
    except requests.RequestException as exc:
        raise translate(exc, instance.name) from exc


def translate(exc: requests.RequestException, name: str) -> SDError:
    """Make the SDError that stands for an error of `requests` on the way to the instance `name`."""
    # requests has one ConnectionError for "refused" and "broke off"; only urllib3's reason tells them apart, and
    # only after a refusal is it certain that nothing was begun.
    cause = exc.args[0] if exc.args else None
    if isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError | ConnectTimeoutError):
        return InstanceUnreachableError(f"the WebUI {name} {_UNREACHABLE}", name)
    kind, sentence = next(REQUESTS_ERRORS[one] for one in type(exc).__mro__ if one in REQUESTS_ERRORS)
    return kind(f"the WebUI {name} {sentence}", name)


@dataclass(frozen=True)
class _Problem:
    """An error answer in either shape, brought to one form."""

    status: int
    error: str
    text: str

    def says(self, *words: str) -> bool:
        return any(word.lower() in f"{self.error} {self.text}".lower() for word in words)


_Rule = tuple[Callable[[_Problem], bool], type[SDError], str]

# The first rule that fits decides. 504 comes from a proxy that gave up waiting: the job behind it may be running.
_RULES: tuple[_Rule, ...] = (
    (lambda p: p.status in (401, 403), SDAccessError, "refuses user and password; correct SD_API_AUTH"),
    (
        lambda p: p.says("please download model", "not found in supported modules", "Script '"),
        MissingOnInstanceError,
        "lacks a model or extension; install it there",
    ),
    (
        lambda p: p.says("invalid encoded image", "init image not found", "local resource", "requests not allowed"),
        PictureRejectedError,
        "cannot read the picture that was sent; send another one",
    ),
    (
        lambda p: p.says("bad number of images"),
        PictureRejectedError,
        "wants one picture for each picture to make",
    ),
    (
        lambda p: p.says("OutOfMemoryError", "out of memory"),
        SDOutOfMemoryError,
        "ran out of GPU memory; ask for a smaller size or batch",
    ),
    (
        lambda p: p.status in (404, 405),
        MissingOnInstanceError,
        "does not know this call; start it with --api and install the extension",
    ),
    (lambda p: p.status in (408, 504), InstanceTimeoutError, "was not waited for by the proxy before it"),
    (
        lambda p: p.says("ValidationError"),
        PictureRejectedError,
        "refuses the values that were sent; correct the preset",
    ),
    (
        lambda p: 300 <= p.status < 400,
        InstanceServiceError,
        "sends us to another address; put that into SD_ENDPOINTS",
    ),
    (lambda p: p.status < 300 or p.status == 429 or p.status >= 500, InstanceServiceError, "failed; look at its log"),
    (lambda p: True, PictureRejectedError, "refuses the request; correct the preset or the picture"),
)


def decoded(answer: Answer, name: str, path: str) -> Any:
    """Decode an answer of the instance `name` to a call of `path`. Raises SDError leaves for errors and garbage."""
    try:
        body = json.loads(answer.content)
    except ValueError as exc:
        if answer.status < 300:
            raise BrokenAnswerError(f"the WebUI {name} answered {path} with something that is no JSON", name) from exc
        body = None
    if answer.status >= 300 or _is_shape_b(body):
        raise _error_from(_problem(answer.status, body), name, path)
    return body


def _is_shape_b(body: Any) -> bool:
    return isinstance(body, dict) and "error" in body and "errors" in body


def _problem(status: int, body: Any) -> _Problem:
    if not isinstance(body, dict):
        return _Problem(status, "", "")
    # Shape B has its text in `detail` for the WebUI's own complaints and in `errors` for every other exception.
    detail = body.get("detail") or body.get("errors") or ""
    if isinstance(detail, list):
        detail = "; ".join(_validation_line(row) for row in detail)
    return _Problem(status, str(body.get("error") or ""), str(detail))


def _validation_line(row: Any) -> str:
    if not isinstance(row, dict):
        return ""
    return f"{'.'.join(str(part) for part in row.get('loc', ()))}: {row.get('msg', '')}"


def _error_from(problem: _Problem, name: str, path: str) -> SDError:
    _, kind, sentence = next(rule for rule in _RULES if rule[0](problem))
    # Never the field `body`: it repeats what was sent, prompts and pictures included.
    quote = " ".join(f"{problem.error} {problem.text}".split())[:_LONGEST_QUOTE]
    said = f" (it said: {quote})" if quote else ""
    return kind(f"the WebUI {name} {sentence} [{problem.status} on {path}]{said}", name)
