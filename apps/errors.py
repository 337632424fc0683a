"""What the caller did wrong, and the one place where any exception becomes an answer.

BusinessException            the caller can mend it; status 400
├── InvalidBodyError         the body is no JSON (400), or a field has the wrong form (422)
├── InvalidInputError        a field does not fit, though the body's form is right; status 422
├── InvalidImageError        a picture is broken, too small, too large or not one; status 422
└── UnknownImageError        an image URL that this server did not give out; status 422

What our agents and the store meet (`agent.errors`, `store.errors`, `settings.errors`) is listed in `STATUSES` below.
"""

import logging
from typing import Any

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from agent import errors as agent
from apps.codes import BUSINESS_FAIL, MODEL_FAIL, SERVER_FAIL
from apps.logs import current_request_id
from settings.errors import SettingsError
from store.errors import DocumentTooLargeError, OwnershipLostError, StoreError, StoreUnavailableError

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


STATUSES: tuple[tuple[type[Exception], int, int], ...] = (
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
    (DocumentTooLargeError, 413, BUSINESS_FAIL),
    (OwnershipLostError, 503, SERVER_FAIL),
    (StoreError, 500, SERVER_FAIL),
    (SettingsError, 500, SERVER_FAIL),
)
"""Which HTTP status and envelope code an exception from below gets; the first row that fits counts."""


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
    return 500, SERVER_FAIL


def failure(status: int, code: int, message: str) -> ResponseReturnValue:
    """Build the envelope of a failure; 503 says when to come back."""
    response = jsonify(success=False, data=None, code=code, message=message[:MESSAGE_LIMIT])
    response.status_code = status
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def register_errors(app: Flask) -> None:
    """Give every exception that a request can meet its one answer: the envelope."""

    @app.errorhandler(BusinessException)
    def business(error: BusinessException) -> ResponseReturnValue:
        return failure(error.status, error.code, error.message)

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
            return failure(500, code, f"internal error; the log has it under request id {current_request_id()}")
        logger.warning("%s: %s", type(error).__name__, error)
        return failure(status, code, str(error))


def _own_headers(error: HTTPException) -> list[tuple[str, str]]:
    return [(name, value) for name, value in error.get_headers() if name.lower() in {"allow", "location"}]


def _sentence(error: ValidationError) -> str:
    problems: list[Any] = error.errors(include_url=False, include_context=False, include_input=False)
    told = ((".".join(map(str, p["loc"])) or "body", p["msg"].removeprefix("Value error, ")) for p in problems[:5])
    return "; ".join(f"{field}: {what}" for field, what in told)
