"""Times as the store keeps them."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Give the present in UTC, cut to milliseconds, as MongoDB keeps no finer time."""
    return to_milliseconds(datetime.now(UTC))


def to_milliseconds(moment: datetime) -> datetime:
    """Give an aware time in UTC cut to milliseconds, so that it equals what is read back."""
    in_utc = moment.astimezone(UTC)
    return in_utc.replace(microsecond=in_utc.microsecond // 1000 * 1000)
