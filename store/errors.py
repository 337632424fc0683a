"""What can go wrong between this server and MongoDB.

StoreError                        everything that the store raises
├── StoreUnavailableError         MongoDB is not reached: refused, reset, no primary, no free connection
│   └── StoreTimeoutError         it was reached and did not answer in time; the write may have happened
├── StoreConfigError              the address, the name or the credentials are wrong
├── DocumentError                 what was given cannot be kept as it is
│   ├── DocumentTooLargeError     it is over MongoDB's 16 MB for one document
│   └── DocumentInvalidError      BSON has no form for it (an integer over 64 bits, a lone surrogate …)
├── CursorInvalidError            a page was asked for after a place that no page gave
├── DuplicateError                another document has the same unique key
├── NotFoundError                 the document that should be changed does not exist
├── OutdatedError                 the document has been changed since it was read
├── OwnershipLostError            the generation is no longer this owner's, or has ended
├── DamagedError                  what was read is incomplete or not readable
└── StoreOperationError           MongoDB refused the operation for another reason
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bson import errors as bson_errors
from pymongo import errors as pymongo_errors


class StoreError(Exception):
    """Say that something could not be kept or found; the leaves say what."""


class StoreUnavailableError(StoreError):
    """Say that MongoDB is not reached; the same call may succeed later."""


class StoreTimeoutError(StoreUnavailableError):
    """Say that MongoDB gave no answer in time; a write may have happened all the same."""


class StoreConfigError(StoreError):
    """Say that the address, the database name or the credentials are wrong."""


class DocumentError(StoreError):
    """Say that what was given cannot be kept as it is; nothing was written."""


class DocumentTooLargeError(DocumentError):
    """Say that a document would be over 16 MB; nothing was written."""


class DocumentInvalidError(DocumentError):
    """Say that a value has no form in BSON; nothing was written."""


class CursorInvalidError(StoreError):
    """Say that a page was asked for after a place that no page gave."""


class DuplicateError(StoreError):
    """Say that another document has the same unique key; nothing was written."""


class NotFoundError(StoreError):
    """Say that the document to be changed does not exist."""


class OutdatedError(StoreError):
    """Say that a document has been changed since it was read; nothing was written."""


class OwnershipLostError(StoreError):
    """Say that a generation is no longer this owner's, or has already ended; nothing was written.

    `state` and `owner` are those that it has now.
    """

    def __init__(self, message: str, *, state: str = "", owner: str = "") -> None:
        super().__init__(message)
        self.state = state
        self.owner = owner


class DamagedError(StoreError):
    """Say that what was read is incomplete or not readable."""


class StoreOperationError(StoreError):
    """Say that MongoDB refused an operation for a reason that no other error names."""


UNAVAILABLE = "MongoDB is not reached; check that it runs and that its address is right"
TIMEOUT = "MongoDB did not answer in time; the write may have happened: read before you repeat"
CONFIG = "MongoDB does not accept this address, name or login; check the settings of the connection"
TOO_LARGE = "the document is over MongoDB's 16 MB; send less, or keep large parts as contents"
INVALID = "a value cannot be kept in MongoDB (integers over 64 bits, lone surrogates, NUL in a key)"
DUPLICATE = "another document has the same unique key; read that one instead"
DAMAGED = "MongoDB answered with something unreadable; check the server and its disk"
REFUSED = "MongoDB refused the operation; its log says why"

# The first row that fits counts, so the narrow classes stand above the wide ones.
ERROR_TABLE: tuple[tuple[type[Exception], type[StoreError], str], ...] = (
    (pymongo_errors.NetworkTimeout, StoreTimeoutError, TIMEOUT),
    (pymongo_errors.WTimeoutError, StoreTimeoutError, TIMEOUT),
    (pymongo_errors.ExecutionTimeout, StoreTimeoutError, TIMEOUT),
    (pymongo_errors.ConnectionFailure, StoreUnavailableError, UNAVAILABLE),
    (pymongo_errors.ConfigurationError, StoreConfigError, CONFIG),
    (pymongo_errors.InvalidName, StoreConfigError, CONFIG),
    (pymongo_errors.EncryptionError, StoreConfigError, CONFIG),
    (pymongo_errors.DocumentTooLarge, DocumentTooLargeError, TOO_LARGE),
    (pymongo_errors.DuplicateKeyError, DuplicateError, DUPLICATE),
    (pymongo_errors.ProtocolError, DamagedError, DAMAGED),
    (pymongo_errors.PyMongoError, StoreOperationError, REFUSED),
    (bson_errors.InvalidBSON, DamagedError, DAMAGED),
    (bson_errors.BSONError, DocumentInvalidError, INVALID),
    # bson raises these two of Python's own for integers over 64 bits and for lone surrogates.
    (OverflowError, DocumentInvalidError, INVALID),
    (UnicodeEncodeError, DocumentInvalidError, INVALID),
)

# OperationFailure is one class for all that a server may say; its code tells these apart.
CODE_TABLE: dict[int, tuple[type[StoreError], str]] = {
    code: row
    for codes, row in (
        ((17280, 17419, 17420, 10334, 1033), (DocumentTooLargeError, TOO_LARGE)),
        ((13, 18, 8000), (StoreConfigError, CONFIG)),
        ((50, 89, 262), (StoreTimeoutError, TIMEOUT)),
        ((6, 7, 91, 189, 9001, 10107, 11600, 11602, 13435, 13436), (StoreUnavailableError, UNAVAILABLE)),
        ((11000, 11001, 12582), (DuplicateError, DUPLICATE)),
    )
    for code in codes
}

TRANSLATED = (pymongo_errors.PyMongoError, bson_errors.BSONError, OverflowError, UnicodeEncodeError)


def translate(error: Exception) -> StoreError:
    """Give our error for one of the driver's; its text stays behind, as it may quote a document."""
    # The code is more exact than the class, which for most refusals is the same.
    code = getattr(error, "code", None)
    if isinstance(error, pymongo_errors.OperationFailure) and code in CODE_TABLE:
        ours, sentence = CODE_TABLE[code]
        return ours(sentence)
    for theirs, ours, sentence in ERROR_TABLE:
        if isinstance(error, theirs):
            return ours(sentence)
    raise TypeError(f"{type(error).__name__} is not in the table of the store's errors") from error


@contextmanager
def mongo_errors() -> Iterator[None]:
    """Translate every error of the driver that leaves the block into a StoreError."""
    try:
        yield
    except TRANSLATED as error:
        raise translate(error) from error
