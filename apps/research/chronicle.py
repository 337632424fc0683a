"""A session on one clock: everything that was done and made, in one order, from the records of all kinds.

Nothing of it is kept a second time: events, generations with their logs, saves, uploads and time reports are merged
when they are read. The order is total and the same at every reading: by the server's clock, then causes before effects,
then by the order within a record.

    for seq, entry in enumerate(chronicle(records), start=1): ...
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from apps.research.entries import Entry
from apps.research.seen_by_clients import told_events, told_visits
from apps.research.seen_by_server import told_generations, told_saves, told_uploads
from store.documents import GenerationRecord
from store.events import Event
from store.saved_states import SaveSummary
from store.time_records import TimeRecord
from store.uploads import Upload


@dataclass(frozen=True)
class SessionRecords:
    """The records of one session, of all kinds, each in any order."""

    events: Iterable[Event] = ()
    generations: Iterable[GenerationRecord] = ()
    saves: Iterable[SaveSummary] = ()
    uploads: Iterable[Upload] = ()
    time_records: Iterable[TimeRecord] = ()


def chronicle(records: SessionRecords, until: datetime | None = None) -> Iterator[Entry]:
    """Tell everything that happened in a session, in order.

    With `until` only what happened before that moment: an answer that is held back will be seen later.
    """
    merged = heapq.merge(
        told_events(records.events),
        told_uploads(records.uploads),
        told_visits(records.time_records),
        told_saves(records.saves),
        told_generations(records.generations),
        key=lambda one: one[0],
    )
    return (entry for _, entry in merged if until is None or entry.at < until)
