"""Pages of a list that is newest first, on servers that read all matches whatever the limit.

A page is found by windows of time that are bounded on both sides and grow backwards until it is full. Only then are
its documents read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from store.clock import AHEAD, BEGINNING, to_milliseconds, utc_now
from store.documents import GenerationRecord
from store.errors import CursorInvalidError

FIRST_WINDOW: Final = timedelta(minutes=1)
# Grown carefully where there is something to be found, as what is read beyond the page is read for nothing.
GROWTH_WHEN_EMPTY: Final = 16
GROWTH: Final = 4
CURSOR: Final = re.compile(r"([0-9]{1,14})-([A-Za-z0-9_-]{1,100})")

Key = tuple[datetime, str]
"""Where a record stands in the list: when it was made, and its id, as several may be made at once."""


@dataclass(frozen=True)
class Page:
    """Some records, newest first, and the cursor of what comes after them; None if they are the last."""

    records: tuple[GenerationRecord, ...]
    next_cursor: str | None


def cursor_of(key: Key) -> str:
    """Give the place after this one as text that may stand in a URL."""
    return f"{(key[0] - BEGINNING) // timedelta(milliseconds=1)}-{key[1]}"


def key_of(cursor: str) -> Key:
    """Read what `cursor_of` wrote. Raises CursorInvalidError for anything else."""
    found = CURSOR.fullmatch(cursor)
    if found is None:
        raise CursorInvalidError(f"{cursor[:50]!r} is no cursor; give the one that came with the page before")
    return BEGINNING + timedelta(milliseconds=int(found[1])), found[2]


def newest_keys(
    keys_in: Callable[[datetime, datetime], list[Key]],
    limit: int,
    *,
    since: datetime | None,
    until: datetime | None,
    before: Key | None,
) -> list[Key]:
    """Find the keys of the `limit` newest records in `since <= created_at < until` that come after `before`.

    `keys_in` gives all keys of a window, its start included and its end not.
    """
    now, first = utc_now(), since or BEGINNING
    end = to_milliseconds(until) if until is not None else now + AHEAD
    if before is not None:
        # One millisecond more, as others of the same one may be left.
        end = min(end, before[0] + timedelta(milliseconds=1))
    found: list[Key] = []
    span = FIRST_WINDOW
    while len(found) < limit and end > first:
        # What lies ahead of our clock is one window, as next to nothing does.
        start = now if end > now else end - min(span, end - first)
        keys = sorted(keys_in(max(start, first), end), reverse=True)
        found += [key for key in keys if before is None or key < before]
        span *= GROWTH if keys else GROWTH_WHEN_EMPTY
        end = start
    return found[:limit]
