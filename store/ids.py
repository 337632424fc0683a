"""Ids that sort by the time they were made."""

from __future__ import annotations

from ulid import ULID


def new_id(after: str = "") -> str:
    """Give a ULID (26 characters) that sorts by time, and behind the id `after` in any case.

    `after` matters where two hosts' clocks differ: what follows must not sort before what it follows.
    """
    fresh = str(ULID())
    if fresh > after:
        return fresh
    # The other clock is ahead of ours; one more than its id is the least that keeps the order.
    return str(ULID.from_int(int(ULID.from_str(after)) + 1))
