"""Who waits for a job or follows it is woken when it changes, whichever process runs it, and only for that job.

This process's own writes, and the bell that the others of the host ring, say it at once. For other hosts, and for a
bell that was not heard, the database is asked once a second what changed, as long as anybody listens.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from jobs.background import Background
from store.documents import ENDED, GenerationRecord
from store.errors import StoreError
from store.stores import Stores

logger = logging.getLogger(__name__)

FRESH_S: Final = 0.5
"""How old a record may be that is read while nobody listens for its changes."""

KEPT: Final = 256
OVERLAP: Final = timedelta(seconds=1)
END_MARK: Final = "ended"


@dataclass
class _Kept:
    """A record as it was last read; `version` rises with every change, so that a slow reader keeps nothing old."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    record: GenerationRecord | None = None
    read_s: float = 0.0
    version: int = 0
    is_current: bool = False


@dataclass(eq=False)
class _Ear:
    event: threading.Event
    hears_only_the_end: bool
    place: int | None = None


class Watch:
    """The records of jobs, as readers in this process see them. Thread-safe.

    Args:
        place: tells the place of a job in the queue as all processes of this host see it; it must be cheap.
        look_s: seconds between two looks into the database.
    """

    def __init__(
        self,
        stores: Stores,
        background: Background,
        place: Callable[[str], int | None] = lambda _id: None,
        look_s: float = 1.0,
    ) -> None:
        self._stores = stores
        self._background = background
        self._place = place
        self._look_s = look_s
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._ears: dict[str, list[_Ear]] = {}
        self._since: datetime | None = None
        self._seen: dict[str, datetime] = {}
        self._is_looking = False
        self.is_ending = False
        self._lock = threading.Lock()

    def record(self, generation_id: str) -> GenerationRecord | None:
        """Give a record as it is now, or was a moment ago; None if there is none. Raises StoreError."""
        kept = self._entry(generation_id)
        # Of many who ask at the same time one reads, and the others take what it read.
        with kept.lock:
            if kept.record is not None and self._is_fresh(generation_id, kept):
                return kept.record
            version = kept.version
            record = self._stores.generations.get(generation_id)
            kept.record, kept.read_s, kept.is_current = record, time.monotonic(), kept.version == version
            return record

    @contextmanager
    def listening(self, generation_id: str, *, only_end: bool = False) -> Iterator[threading.Event]:
        """Set the event when the job changes; with `only_end` not for changes that are known not to be its end."""
        ear = _Ear(threading.Event(), only_end)
        with self._lock:
            self._ears.setdefault(generation_id, []).append(ear)
            if not self._is_looking:
                self._is_looking, self._since = True, None
                self._background.after(self._look_s, self._look)
        try:
            yield ear.event
        finally:
            with self._lock:
                ears = self._ears[generation_id]
                ears.remove(ear)
                if not ears:
                    del self._ears[generation_id]

    def changed(self, generation_id: str, *, is_end: bool) -> None:
        """Say that a job changed: what was read of it is old now."""
        with self._lock:
            kept = self._kept.get(generation_id)
            if kept is not None:
                kept.version += 1
                kept.is_current = False
            ears = tuple(self._ears.get(generation_id, ()))
        for ear in ears:
            if is_end or not ear.hears_only_the_end:
                ear.event.set()

    def is_awaited(self, generation_id: str) -> bool:
        """Tell whether somebody here waits for the end of a job."""
        with self._lock:
            return any(ear.hears_only_the_end for ear in self._ears.get(generation_id, ()))

    def stir(self, generation_id: str) -> None:
        """Say that a job came on, though its record is as it was."""
        with self._lock:
            ears = tuple(self._ears.get(generation_id, ()))
        for ear in ears:
            if not ear.hears_only_the_end:
                ear.event.set()

    def end_following(self) -> None:
        """Wake everybody who follows a job, for the last time: this process is going to end."""
        with self._lock:
            self.is_ending = True
            ears = [ear for ears in self._ears.values() for ear in ears if not ear.hears_only_the_end]
        for ear in ears:
            ear.event.set()

    def heard(self, message: str) -> None:
        """Take another process's word that a job changed: its id, and whether that was the end."""
        generation_id, _, mark = message.partition(" ")
        self.changed(generation_id, is_end=mark == END_MARK)

    def _entry(self, generation_id: str) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(generation_id, _Kept())
            self._kept.move_to_end(generation_id)
            while len(self._kept) > KEPT + len(self._ears):
                self._kept.popitem(last=False)
            return kept

    def _is_fresh(self, generation_id: str, kept: _Kept) -> bool:
        if not kept.is_current or kept.record is None:
            return False
        if kept.record.state in ENDED or generation_id in self._ears:
            return True
        return time.monotonic() - kept.read_s < FRESH_S

    def _look(self) -> None:
        """Ask the database what changed, and go on as long as anybody listens."""
        with self._lock:
            self._is_looking = bool(self._ears)
        if not self._is_looking:
            return
        try:
            self._look_into_records()
        except StoreError as exc:
            logger.info("what changes elsewhere is seen when the database is back: %s", exc)
        self._look_at_places()
        self._background.after(self._look_s, self._look)

    def _look_into_records(self) -> None:
        since = self._since or self._stores.database.ago(2 * OVERLAP.total_seconds())
        for change in self._stores.generations.changed_since(since):
            is_known = self._seen.get(change.id) == change.changed_at or self._has(change.id, change.changed_at)
            self._seen[change.id] = change.changed_at
            since = max(since, change.changed_at - OVERLAP)
            if not is_known:
                self.changed(change.id, is_end=change.state in ENDED)
        self._since = since
        self._seen = {name: moment for name, moment in self._seen.items() if moment >= since}

    def _look_at_places(self) -> None:
        with self._lock:
            ears = [(name, ear) for name, ears in self._ears.items() for ear in ears if not ear.hears_only_the_end]
        for name, ear in ears:
            place = self._place(name)
            if place != ear.place:
                ear.place = place
                ear.event.set()

    def _has(self, generation_id: str, changed_at: datetime) -> bool:
        kept = self._kept.get(generation_id)
        return bool(kept and kept.is_current and kept.record and kept.record.changed_at == changed_at)
