"""Whether one more job is taken: not above the queue's limit, and not what no instance can ever serve."""

import logging
import math
import sqlite3
import time
from collections.abc import Callable
from typing import Final

from agent.errors import SDError
from agent.ledger import Ledger
from agent.pool import SDInstancePool
from jobs.celery_hosts import Fleet
from jobs.errors import QueueFullError, UnservableError
from jobs.parts import Parts
from jobs.submission import Submission

logger = logging.getLogger(__name__)

LONGEST_RETRY_S: Final = 60
UNKNOWN_MEAN_S: Final = 5.0
NO_LIMIT: Final = 2**31
COUNT_FOR_S: Final = 0.5


class Admission:
    """Counts the jobs of all processes in and out.

    Args:
        count: counts them in the database, for jobs that run on other hosts are not in this host's ledger; None: they
            all run on this host.
        fleet: the hosts that run them, whose WebUIs are asked in place of this one's; None: it runs them itself.
    """

    def __init__(
        self,
        parts: Parts,
        ledger: Ledger,
        limit: int,
        count: Callable[[], int] | None = None,
        fleet: Fleet | None = None,
    ) -> None:
        self._parts = parts
        self._ledger = ledger
        self._limit = limit
        self._count = count
        self._fleet = fleet
        self._counted: tuple[float, int] = (-COUNT_FOR_S, 0)

    def admit(self, generation_id: str, share: str) -> None:
        """Count a job in.

        Raises:
            QueueFullError: there are as many as may be.
            StoreError: they cannot be counted.
        """
        if not (self._enter(generation_id, share, self._limit) if self._count is None else self._has_room()):
            raise QueueFullError(
                f"{self._limit} generations are under way or wait, as many as this server takes (QUEUE_LIMIT);"
                " try again later",
                self._retry_after_s(),
            )

    def readmit(self, generation_id: str) -> None:
        """Count a job in again that was accepted before, whatever the limit."""
        if self._count is None:
            self._enter(generation_id, "", NO_LIMIT)

    def dismiss(self, generation_id: str) -> None:
        """Count a job out; one that is not in is passed over."""
        if self._count is not None:
            return
        try:
            self._ledger.dismiss(generation_id)
        except (OSError, sqlite3.Error) as exc:
            logger.warning("a job that has ended still counts as queued: %s", exc)

    def ahead(self) -> int:
        """Count the jobs that are in already, but for the last one."""
        if self._count is not None:
            return max(self._counted[1] - 1, 0)
        try:
            return max(self._ledger.admitted() - 1, 0)
        except (OSError, sqlite3.Error):
            return 0

    def check_servable(self, submission: Submission) -> None:
        """Make sure that some instance may have what the submission's presets name.

        Raises:
            UnservableError: every instance is known to lack it.
        """
        if submission.presets and (why := self._lack(submission)) is not None:
            raise UnservableError(why)

    def _lack(self, submission: Submission) -> str | None:
        pool = self._parts.pool
        if self._fleet is not None:
            return self._fleet.why_unservable(submission.presets, submission.pins.checkpoint or "")
        if pool is None:
            return None
        for name in submission.presets:
            preset = self._parts.book.preset(name)
            models = (preset.controlnet.model,) if preset.controlnet is not None else ()
            why = _why_unservable(pool, submission.pins.checkpoint or preset.checkpoint, models)
            if why is not None:
                return why
        return None

    def _enter(self, generation_id: str, share: str, limit: int) -> bool:
        try:
            return self._ledger.admit(generation_id, share, limit)
        except (OSError, sqlite3.Error) as exc:
            # A folder that cannot be used is a matter of the pool, which says so; texts need none.
            logger.warning("jobs cannot be counted (%s); this one is taken", exc)
            return True

    def _has_room(self) -> bool:
        assert self._count is not None
        counted_s, count = self._counted
        if time.monotonic() - counted_s > COUNT_FOR_S:
            counted_s, count = time.monotonic(), self._count()
        # Those that were let in since the last count are on their way into the database.
        self._counted = (counted_s, count + 1)
        return count < self._limit

    def _retry_after_s(self) -> int:
        """Estimate when a twentieth of the queue is done, so that those who were refused do not all come at once."""
        means = _means_s(self._parts.pool)
        mean_s = sum(means) / len(means) if means else UNKNOWN_MEAN_S
        return min(max(math.ceil(self._limit / 20 * mean_s / max(len(means), 1)), 1), LONGEST_RETRY_S)


def _means_s(pool: SDInstancePool | None) -> list[float]:
    try:
        return [] if pool is None else [one.mean_s or UNKNOWN_MEAN_S for one in pool.states()]
    except SDError:
        return []


def _why_unservable(pool: SDInstancePool, checkpoint: str, models: tuple[str, ...]) -> str | None:
    try:
        return pool.why_unservable(checkpoint, models)
    except SDError as exc:
        logger.warning("what the instances have is not known: %s", exc)
        return None
