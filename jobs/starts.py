"""Which of the jobs of this process begin: not more at once than threads are good for, and by turns.

A job that has begun costs a thread for itself and one for each of its pictures, most of which wait for an instance. The
pool is fair between those that have begun; this is for the many that have not.
"""

import itertools
import threading
from collections import Counter
from typing import Generic, TypeVar

MAX_STARTED = 256

Item = TypeVar("Item")


class Starts(Generic[Item]):
    """The jobs that wait for their beginning, by the id of the job and that of the share (participant)."""

    def __init__(self, limit: int = MAX_STARTED) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._begun: Counter[str] = Counter()
        self._waiting: dict[str, dict[str, tuple[int, Item]]] = {}
        """Of each share, its jobs in the order they came, each with its number among all."""

    def offer(self, share: str, key: str, item: Item) -> Item | None:
        """Let a job begin: give it back if it may at once, None if it has to wait."""
        with self._lock:
            if self._begun.total() < self._limit:
                self._begun[share] += 1
                return item
            self._waiting.setdefault(share, {})[key] = (next(self._numbers), item)
            return None

    def next_after(self, share: str) -> Item | None:
        """Count a job of this share as ended, and give the one that begins in its place."""
        with self._lock:
            self._end(share)
            return self._first()

    def withdraw(self, share: str, key: str) -> Item | None:
        """Take a job out of the line; None if it has begun or was never there."""
        with self._lock:
            _, item = self._waiting.get(share, {}).pop(key, (0, None))
            self._forget_if_empty(share)
            return item

    def place(self, share: str, key: str) -> int | None:
        """Say how many stand before a job, by the time they came; None if it does not wait."""
        with self._lock:
            if (mine := self._waiting.get(share, {}).get(key)) is None:
                return None
            return sum(number < mine[0] for line in self._waiting.values() for number, _ in line.values())

    def room(self) -> int:
        """Say how many more could begin at once."""
        with self._lock:
            return max(self._limit - self._begun.total(), 0)

    def _end(self, share: str) -> None:
        self._begun[share] -= 1
        if not self._begun[share]:
            del self._begun[share]

    def _first(self) -> Item | None:
        """Take the oldest job of the share that has begun least; among equals, of the one that came first."""
        if not self._waiting:
            return None
        share = min(self._waiting, key=lambda one: (self._begun[one], next(iter(self._waiting[one].values()))[0]))
        line = self._waiting[share]
        _, item = line.pop(next(iter(line)))
        self._forget_if_empty(share)
        self._begun[share] += 1
        return item

    def _forget_if_empty(self, share: str) -> None:
        if share in self._waiting and not self._waiting[share]:
            del self._waiting[share]
