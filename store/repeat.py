"""Operations that may be sent twice, and are, when the connection breaks.

The driver's own retry is off: across a restart of the embedded server it is not exactly-once. Instead every
operation of the store is written so that a second run changes nothing (an insert under its own `_id`, an update
that names the state it starts from), and this decorator runs it again for a bounded time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from pymongo.collection import Collection
from pymongo.errors import (
    AutoReconnect,
    DuplicateKeyError,
    OperationFailure,
    ServerSelectionTimeoutError,
)
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

from store.errors import CODE_TABLE, StoreUnavailableError, mongo_errors
from store.schema import Document

P = ParamSpec("P")
R = TypeVar("R")

REPEAT_FOR_S: Final = 8.0


def idempotent(operation: Callable[P, R]) -> Callable[P, R]:
    """Repeat a repeatable operation for up to 8 s after lost connections; raise StoreError beyond that.

    A selection timeout is not repeated: there the driver has already waited for the server to come back.
    """

    @wraps(operation)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> R:
        with mongo_errors():
            retrying = Retrying(
                retry=retry_if_exception(_is_worth_repeating),
                stop=stop_after_delay(REPEAT_FOR_S),
                wait=wait_exponential(multiplier=0.05, max=1),
                reraise=True,
            )
            return retrying(operation, *args, **kwargs)

    return repeated


def _is_worth_repeating(error: BaseException) -> bool:
    if isinstance(error, ServerSelectionTimeoutError):
        return False
    # A server that is stopping or has just lost its rank refuses politely; another try finds the next primary.
    if isinstance(error, OperationFailure):
        return CODE_TABLE.get(error.code or 0, (None, ""))[0] is StoreUnavailableError
    return isinstance(error, AutoReconnect)


def insert_once(collection: Collection[Document], document: Document) -> bool:
    """Insert a document under its own `_id`; False if that `_id` is there already.

    Only for ids that nobody else would give to other content (ULIDs, hashes).
    """
    # A duplicate `_id` is our own first try, or another process with the same content: both are a success.
    try:
        collection.insert_one(document)
    except DuplicateKeyError as error:
        if "_id" not in (error.details or {}).get("keyPattern", {"_id": 1}):
            raise
        return False
    return True
