"""What the caller did wrong, and the one place where any exception becomes an answer.

BusinessException            the caller can mend it; status 400
├── InvalidBodyError         the body is no JSON (400), or a field has the wrong form (422)
├── InvalidInputError        a field does not fit, though the body's form is right; status 422
│   ├── InvalidImageError    a picture is broken, too small, too large or not one
│   └── UnknownImageError    an image URL that this server did not give out
├── UnknownGenerationError   no generation has this id; status 404
├── UnknownRecordError       no session, replay or the like has this id; status 404
├── NotNowError              it cannot be done as things stand; status 409
├── NotEndedError            a generation that is still under way cannot be used for this; status 409
├── NotAllowedError          only some may do this; status 401 or 403
├── TooManyAttemptsError     a password was wrong too often; status 429
└── RecordedError            a generation failed or was canceled: the status of the error in its record

What our agents, the jobs and the store meet (`agent.errors`, `jobs.errors`, `store.errors`, `settings.errors`) is
listed in `STATUSES` below, for an exception that reaches us and, by its name, for an error that stands in a record.
"""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from agent import errors as agent
from apps.codes import BUSINESS_FAIL, MODEL_FAIL, SERVER_FAIL
from apps.logs import current_request_id
from jobs import errors as jobs
from settings.errors import SettingsError
from store.documents import ErrorRecord
from store.errors import (
    CursorInvalidError,
    DocumentTooLargeError,
    OutdatedError,
    OwnershipLostError,
    StoreError,
    StoreUnavailableError,
)

logger = logging.getLogger(__name__)

MESSAGE_LIMIT = 500
RETRY_AFTER_S = 10


class BusinessException(Exception):
    """The request cannot be served as it is; `message` tells the caller what to change."""

    status = 400

    def __init__(self, code: int = BUSINESS_FAIL, message: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class InvalidBodyError(BusinessException):
    """The body is not what the route declares; the message names each field."""

    def __init__(self, error: ValidationError) -> None:
        super().__init__(BUSINESS_FAIL, _sentence(error))
        if all(problem["type"] != "json_invalid" for problem in error.errors()):
            self.status = 422


class InvalidInputError(BusinessException):
    """A field has the right type but a value that does not fit."""

    status = 422

    def __init__(self, message: str) -> None:
        super().__init__(BUSINESS_FAIL, message)


class InvalidImageError(InvalidInputError):
    """A picture in the request cannot be used."""


class UnknownImageError(InvalidInputError):
    """An image URL that this server did not give out; it is not fetched."""


class UnknownGenerationError(BusinessException):
    """No generation has this id."""

    status = 404

    def __init__(self, generation_id: str) -> None:
        super().__init__(BUSINESS_FAIL, f"there is no generation {generation_id[:40]!r}; /api/generations lists them")


class UnknownRecordError(BusinessException):
    """Nothing has this id; the message says what was looked for."""

    status = 404

    def __init__(self, message: str) -> None:
        super().__init__(BUSINESS_FAIL, message)


class NotNowError(BusinessException):
    """It cannot be done as things stand; the message says what stands in the way."""

    status = 409

    def __init__(self, message: str) -> None:
        super().__init__(BUSINESS_FAIL, message)


class NotEndedError(BusinessException):
    """The generation is still under way."""

    status = 409


class NotAllowedError(BusinessException):
    """The caller may not do this; 401 when a token would help, else 403."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(BUSINESS_FAIL, message)
        self.status = status


class TooManyAttemptsError(BusinessException):
    """A password was wrong too often; the next attempt must wait `retry_after_s` seconds."""

    status = 429

    def __init__(self, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(BUSINESS_FAIL, f"too many attempts to log in; try again in {math.ceil(retry_after_s)} s")


class RecordedError(BusinessException):
    """A generation did not succeed, wherever it ran; its record says why."""

    def __init__(self, error: ErrorRecord, request_id: str) -> None:
        found = told(error, request_id)
        super().__init__(found.code, found.message)
        self.status = found.status


STATUSES: tuple[tuple[type[Exception], int, int], ...] = (
    (jobs.QueueFullError, 429, MODEL_FAIL),
    (jobs.UnservableError, 422, BUSINESS_FAIL),
    (jobs.InvalidOverrideError, 422, BUSINESS_FAIL),
    (jobs.JobCanceledError, 409, BUSINESS_FAIL),
    (jobs.UnknownHostError, 404, BUSINESS_FAIL),
    (jobs.HostNotNamedError, 422, BUSINESS_FAIL),
    (jobs.HostSilentError, 504, SERVER_FAIL),
    (jobs.JobTimeoutError, 504, MODEL_FAIL),
    (jobs.JobError, 503, SERVER_FAIL),
    (agent.CallCanceledError, 409, BUSINESS_FAIL),
    (agent.NoInstanceUpError, 503, MODEL_FAIL),
    (agent.UnknownInstanceError, 404, BUSINESS_FAIL),
    (agent.NothingFoundError, 422, BUSINESS_FAIL),
    (agent.PictureRejectedError, 422, BUSINESS_FAIL),
    (agent.ContentFilteredError, 422, MODEL_FAIL),
    (agent.ChatTimeoutError, 504, MODEL_FAIL),
    (agent.InstanceTimeoutError, 504, MODEL_FAIL),
    (agent.ChatRateLimitedError, 503, MODEL_FAIL),
    (agent.ChatNotConfiguredError, 503, MODEL_FAIL),
    (agent.SDNotConfiguredError, 503, MODEL_FAIL),
    (agent.PoolTimeoutError, 503, MODEL_FAIL),
    (agent.AgentError, 502, MODEL_FAIL),
    (StoreUnavailableError, 503, SERVER_FAIL),
    (CursorInvalidError, 422, BUSINESS_FAIL),
    (DocumentTooLargeError, 413, BUSINESS_FAIL),
    (OwnershipLostError, 503, SERVER_FAIL),
    (OutdatedError, 409, BUSINESS_FAIL),
    (StoreError, 500, SERVER_FAIL),
    (SettingsError, 500, SERVER_FAIL),
)
"""Which HTTP status and envelope code an exception from below gets; the first row that fits counts."""


NAMED = {"RunnerDiedError": (503, SERVER_FAIL)}
"""Errors that stand in records only: nobody is left to raise them."""

UNKNOWN = (500, SERVER_FAIL)
INTERNAL = "internal error; the log has it under request id {}"

WORDS = {
    404: "there is nothing at this address; /docs lists every call",
    405: "this address does not take this method; the header Allow names those that it takes",
}
"""Sentences in place of those that werkzeug writes for a browser. Our own 404 has its own."""


def status_of(error: Exception) -> tuple[int, int]:
    """Look up (HTTP status, envelope code) of an exception; 500 for one that nobody foresaw."""
    if isinstance(error, BusinessException):
        return error.status, error.code
    for kind, status, code in STATUSES:
        if isinstance(error, kind):
            return status, code
    return UNKNOWN


@dataclass(frozen=True)
class Told:
    """What is told of an error that stands in a record."""

    type: str
    message: str
    status: int
    code: int


def told(error: ErrorRecord, request_id: str) -> Told:
    """Look up what an error of a record is to the caller, by its name; also when another process met it.

    Of an error that nobody foresaw only the place in the log is told.
    """
    if error.type in NAMED:
        return Told(error.type, error.message, *NAMED[error.type])
    kind = _kinds().get(error.type)
    status, code = next(((status, code) for base, status, code in STATUSES if kind and issubclass(kind, base)), UNKNOWN)
    if status == 500 and kind is None:
        return Told("InternalError", INTERNAL.format(request_id), status, code)
    return Told(error.type, error.message, status, code)


@cache
def _kinds() -> dict[str, type[Exception]]:
    """Name all exceptions that the rooms below raise."""

    def tree(kind: type[Exception]) -> Iterator[type[Exception]]:
        yield kind
        for child in kind.__subclasses__():
            yield from tree(child)

    roots: tuple[type[Exception], ...] = (agent.AgentError, jobs.JobError, StoreError, SettingsError)
    return {kind.__name__: kind for root in roots for kind in tree(root)}


def failure(status: int, code: int, message: str, retry_after_s: float = RETRY_AFTER_S) -> ResponseReturnValue:
    """Build the envelope of a failure; 429 and 503 say when to come back, 401 how to be allowed."""
    response = jsonify(success=False, data=None, code=code, message=message[:MESSAGE_LIMIT])
    response.status_code = status
    if status in (429, 503):
        response.headers["Retry-After"] = str(max(1, math.ceil(retry_after_s)))
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def register_errors(app: Flask) -> None:
    """Give every exception that a request can meet its one answer: the envelope."""

    @app.errorhandler(BusinessException)
    def business(error: BusinessException) -> ResponseReturnValue:
        wait_s = getattr(error, "retry_after_s", RETRY_AFTER_S)
        return failure(error.status, error.code, error.message, wait_s)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        if isinstance(error, RequestEntityTooLarge):
            limit = (app.config["MAX_CONTENT_LENGTH"] or 0) // 2**20
            return failure(413, BUSINESS_FAIL, f"the request is larger than {limit} MiB (MAX_UPLOAD_MB)")
        is_ours = error.description != type(error).description
        message = (not is_ours and WORDS.get(error.code or 500)) or error.description or error.name
        response = app.make_response(failure(error.code or 500, BUSINESS_FAIL, message))
        response.headers.extend(_own_headers(error))
        return response

    @app.errorhandler(Exception)
    def anything_else(error: Exception) -> ResponseReturnValue:
        status, code = status_of(error)
        if status == 500:
            logger.error("unexpected %s", type(error).__name__, exc_info=error)
            return failure(500, code, INTERNAL.format(current_request_id()))
        logger.warning("%s: %s", type(error).__name__, error)
        return failure(status, code, str(error), getattr(error, "retry_after_s", RETRY_AFTER_S))


def _own_headers(error: HTTPException) -> list[tuple[str, str]]:
    return [(name, value) for name, value in error.get_headers() if name.lower() in {"allow", "location"}]


def _sentence(error: ValidationError) -> str:
    problems: list[Any] = error.errors(include_url=False, include_context=False, include_input=False)
    told = ((".".join(map(str, p["loc"])) or "body", p["msg"].removeprefix("Value error, ")) for p in problems[:5])
    return "; ".join(f"{field}: {what}" for field, what in told)
