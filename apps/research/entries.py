"""What the chronicle of a session is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    """One thing that happened.

    `at` is by the server's clock, `client_at_ms` by the client's, where a client saw it; `received_at` is when the
    server heard of it then. `inputs` and `outputs` are content hashes of pictures, texts, or ids; `data` is any JSON.
    """

    at: datetime
    actor: str
    verb: str
    object: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    generation_id: str = ""
    client_at_ms: int | None = None
    received_at: datetime | None = None
    data: Any = None


@dataclass(frozen=True, order=True)
class Place:
    """Where an entry stands: its moment, its kind (causes before effects), its record, its number within that."""

    at: datetime
    kind: int
    record: str
    number: int = 0


Placed = tuple[Place, Entry]

EVENT, UPLOAD, VISIT, SAVE, GENERATION = range(5)
"""Which kind comes first of what happened within one millisecond."""


def moment_of(milliseconds: int) -> datetime | None:
    """Turn milliseconds since 1970 into a moment; None for what is in no year that there is."""
    try:
        return EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def milliseconds_of(moment: datetime) -> int:
    """Turn a moment into milliseconds since 1970."""
    return (moment - EPOCH) // timedelta(milliseconds=1)
