"""Holds an answer back: until its time, a job looks as if it were still at work.

Waiting is a confound: who has to wait longer draws otherwise. So a study can have every answer shown after the same
time, or after one drawn by chance. A failure and a cancellation are told at once, as there is nothing to wait for.
"""

from datetime import datetime, timedelta
from itertools import takewhile
from typing import Protocol

from store.clock import utc_now
from store.documents import GenerationRecord, Live, LogEntry, State

UNSEEN = ("failed", "canceled")
NEARLY = 0.99


class Held(Protocol):
    """What of a generation says when its answer may be seen."""

    @property
    def state(self) -> State:
        """How it stands."""

    @property
    def created_at(self) -> datetime:
        """When it was accepted."""

    @property
    def ended_at(self) -> datetime | None:
        """When it ended."""

    @property
    def hold_s(self) -> float | None:
        """For how many seconds from its acceptance on its answer is held back."""


def held_until(record: GenerationRecord) -> datetime | None:
    """Give the moment until which a record's answer is held back; None if it is not, or not any more."""
    if record.hold_s is None or record.state in UNSEEN:
        return None
    until = record.created_at + timedelta(seconds=record.hold_s)
    return until if until > utc_now() else None


def shown_at(record: Held) -> datetime | None:
    """Give the moment at which the answer was shown, or is the first time it can be; None while there is none."""
    if record.ended_at is None or record.hold_s is None or record.state in UNSEEN:
        return record.ended_at
    return max(record.ended_at, record.created_at + timedelta(seconds=record.hold_s))


def veiled(record: GenerationRecord) -> GenerationRecord:
    """Give a record as those see it for whom its answer is held back: without what it made, and how."""
    log = tuple(takewhile(_is_seen, record.log))
    seen = {"log": log, "revision": log[-1].seq if log else 0, "steps": (), "outputs": (), "times": {}}
    running = {"state": "running", "ended_at": None, "duration_s": None} if record.state == "succeeded" else {}
    return record.model_copy(update={**seen, **running})


def waiting(record: GenerationRecord, until: datetime) -> Live:
    """Say how far a held answer seems: as far as the time it is held for has passed."""
    now = utc_now()
    left_s = max((until - now).total_seconds(), 0.0)
    whole_s = record.hold_s or left_s or 1.0
    progress = min(max(1.0 - left_s / whole_s, 0.0), NEARLY)
    return Live(progress=round(progress, 3), place=0, eta_s=round(left_s, 1), at=now)


def _is_seen(entry: LogEntry) -> bool:
    return entry.type == "state" and entry.state in ("queued", "running")
