"""Counts of all processes of this server on one host, in files that outlive the process that wrote them.

The form of the files is that of prometheus_client's multiprocess mode, and its reader adds them up. They are named by a
slot instead of a process id: a process takes the first slot that nobody holds (the kernel frees it, `kill -9` included)
and counts on where the last holder stopped. So counters never fall while one process lives, and there are never more
files than there were processes at once. The first process of a server finds every slot free, and begins from zero.
"""

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from jobs.measures import Measure

PREFIXES = {"counter": "counter", "histogram": "histogram", "gauge": "gauge_livesum"}
"""How the reader of prometheus_client knows what a file holds; gauges are summed over the living."""

# The library's own signatures say nothing.
_open_table: Any = MmapedDict
_merged: Any = MultiProcessCollector.merge

ROOM_BYTES = 1 << 20
"""A file has its whole room from the start: on a full disk a memory map that must grow would end the process."""


@dataclass
class _Slot:
    """What a process holds: its number, the open lock, and a table of numbers for each kind."""

    number: int
    lock: int
    process: int
    tables: dict[str, Any]
    keys: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)


class Tally:
    """Adds up what this process counts, from any thread; opens its files at the first count, so after any fork."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()
        self._slot: _Slot | None = None

    def add(self, measure: Measure, labels: tuple[str, ...] = (), amount: float = 1.0) -> None:
        """Add to a counter or gauge; the labels' values stand in the order of the measure.

        Raises:
            OSError: the folder cannot be used.
        """
        with self._guard:
            self._put(self._own_slot(), measure, measure.name, measure.labels, labels, amount)

    def observe(self, measure: Measure, labels: tuple[str, ...], value: float) -> None:
        """Count a value in its bucket of a histogram.

        Raises:
            OSError: the folder cannot be used.
        """
        bounds = [*measure.buckets, float("inf")]
        found = next(place for place, bound in enumerate(bounds) if value <= bound)
        with self._guard:
            slot, name = self._own_slot(), f"{measure.name}_bucket"
            is_new = (name, (*labels, "inf")) not in slot.keys
            # All buckets are there from the first value on, so that a reader sees the zeros too.
            for place in range(len(bounds)) if is_new else [found]:
                bound = (*labels, str(bounds[place]))
                self._put(slot, measure, name, (*measure.labels, "le"), bound, float(place == found))
            self._put(slot, measure, f"{measure.name}_sum", measure.labels, labels, value)

    def families(self) -> list[Metric]:
        """Add up the counts of all processes.

        Raises:
            OSError: the folder cannot be used.
        """
        with self._door(fcntl.LOCK_SH):
            living = {number for number in self._numbers() if not self._is_free(number)}
            paths = [
                str(path)
                for path in sorted(self._folder.glob("*.db"))
                if not path.name.startswith("gauge") or int(path.stem.rpartition("_")[2]) in living
            ]
            return sorted(_merged(paths), key=lambda family: str(family.name))

    def close(self) -> None:
        """Leave the slot to another process, with its counts."""
        with self._guard:
            self._leave_slot()

    def _put(
        self, slot: _Slot, measure: Measure, name: str, names: Sequence[str], labels: tuple[str, ...], amount: float
    ) -> None:
        key = slot.keys.get((name, labels))
        if key is None:
            family = measure.name.removesuffix("_total") if measure.kind == "counter" else measure.name
            key = mmap_key(family, name, list(names), list(labels), measure.meaning)
            slot.keys[name, labels] = key
        table = slot.tables[measure.kind]
        value, _ = table.read_value(key)
        table.write_value(key, value + amount, 0.0)

    def _own_slot(self) -> _Slot:
        if self._slot is not None and self._slot.process != os.getpid():
            # After a fork the slot is the parent's, who keeps it: the lock is let go when both have closed it.
            self._leave_slot()
        if self._slot is None:
            self._slot = self._taken_slot()
        return self._slot

    def _leave_slot(self) -> None:
        if self._slot is not None:
            for table in self._slot.tables.values():
                table.close()
            os.close(self._slot.lock)
            self._slot = None

    def _taken_slot(self) -> _Slot:
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._door(fcntl.LOCK_EX):
            numbers = self._numbers()
            free = [number for number in numbers if self._is_free(number)]
            if free == numbers:
                for path in self._folder.glob("*.db"):
                    path.unlink()
            number = free[0] if free else len(numbers)
            lock = os.open(self._lock_path(number), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # What runs in a process ended with it.
            self._table_path("gauge", number).unlink(missing_ok=True)
            return _Slot(number, lock, os.getpid(), {kind: self._table(kind, number) for kind in PREFIXES})

    def _table(self, kind: str, number: int) -> Any:
        path = self._table_path(kind, number)
        with path.open("ab") as file:
            file.write(bytes(max(ROOM_BYTES - file.tell(), 0)))
        return _open_table(str(path))

    @contextmanager
    def _door(self, how: int) -> Iterator[None]:
        """Nobody takes a slot while another does, or while the files are read."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / "door", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, how)
            yield
        finally:
            os.close(handle)

    def _is_free(self, number: int) -> bool:
        handle = os.open(self._lock_path(number), os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(handle)
        return True

    def _numbers(self) -> list[int]:
        return sorted(int(path.suffix[1:]) for path in self._folder.glob("slot.*"))

    def _lock_path(self, number: int) -> Path:
        return self._folder / f"slot.{number}"

    def _table_path(self, kind: str, number: int) -> Path:
        return self._folder / f"{PREFIXES[kind]}_{number}.db"
