"""Times as the store keeps them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD: Final = timedelta(days=1)
"""Some host's clock may be ahead of ours, though hardly more than this."""
FAR: Final = timedelta(days=36_500)
"""Nobody waits for a change of the next century; it bounds what would else be open at one end and be read whole."""


def utc_now() -> datetime:
    """Give the present in UTC, cut to milliseconds, as MongoDB keeps no finer time."""
    return to_milliseconds(datetime.now(UTC))


def to_milliseconds(moment: datetime) -> datetime:
    """Give an aware time in UTC cut to milliseconds, so that it equals what is read back."""
    in_utc = moment.astimezone(UTC)
    return in_utc.replace(microsecond=in_utc.microsecond // 1000 * 1000)
