"""What a caller may ask for in the headers of a submission: to wait, to be repeatable, to be given up in time."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from werkzeug.datastructures import Headers
from werkzeug.http import parse_list_header

from apps.codes import BUSINESS_FAIL
from apps.errors import BusinessException

LONGEST_WAIT_S = 600
LONGEST_KEY = 255
LONGEST_CANCEL_AFTER_S = 7 * 24 * 3600

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PREFERENCE = re.compile(rf'({_TOKEN})(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN})))?\s*(?:;.*)?', re.ASCII)
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,6})?", re.ASCII)
_PRINTABLE = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True)
class Preferences:
    """The headers of one submission. Times in seconds; None: the header is not there.

    `wait_s` is None too when the preference cannot be understood: RFC 7240 wants it passed over then.
    """

    wait_s: int | None = None
    idempotency_key: str | None = None
    cancel_after_s: float | None = None


def read_preferences(headers: Headers) -> Preferences:
    """Read `Prefer`, `Idempotency-Key` and `Cancel-After`.

    Raises:
        BusinessException: a key or a time that cannot be used; status 400.
    """
    return Preferences(
        wait_s=_wait(headers.get("Prefer", "")),
        idempotency_key=_key(headers.get("Idempotency-Key")),
        cancel_after_s=_cancel_after(headers.get("Cancel-After")),
    )


def last_event_id(headers: Headers, query: Mapping[str, str]) -> int:
    """Read which event a client saw last, from `Last-Event-ID` or `?lastEventId=`; 0 when it saw none.

    Raises:
        BusinessException: no id that this server gave out; status 400.
    """
    value = headers.get("Last-Event-ID") or query.get("lastEventId") or "0"
    if not re.fullmatch(r"\d{1,15}", value, re.ASCII):
        raise BusinessException(BUSINESS_FAIL, "Last-Event-ID: must be the id of an event of this stream, a number")
    return int(value)


def _wait(value: str) -> int | None:
    for name, said in _preferences(value):
        # Of a preference that is named twice the first one counts.
        if name == "wait":
            return min(int(said), LONGEST_WAIT_S) if re.fullmatch(r"\d{1,9}", said, re.ASCII) else None
    return None


def _preferences(value: str) -> Iterator[tuple[str, str]]:
    for part in parse_list_header(value):
        if found := _PREFERENCE.fullmatch(part.strip()):
            yield found[1].lower(), found[2] or found[3] or ""


def _key(value: str | None) -> str | None:
    if value is not None and (len(value) > LONGEST_KEY or not _PRINTABLE.fullmatch(value)):
        raise BusinessException(BUSINESS_FAIL, f"Idempotency-Key: must be 1 to {LONGEST_KEY} printable characters")
    return value


def _cancel_after(value: str | None) -> float | None:
    if value is None:
        return None
    if not _SECONDS.fullmatch(value) or not 0 < float(value) <= LONGEST_CANCEL_AFTER_S:
        raise BusinessException(
            BUSINESS_FAIL, f"Cancel-After: must be seconds, more than 0 and at most {LONGEST_CANCEL_AFTER_S}"
        )
    return float(value)
