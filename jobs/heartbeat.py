"""Each process that runs generations says every few seconds that it lives; what nobody works on any more is closed.

A process that is killed cannot write the end of its records, and one whose database was away could not either. The
others, the same server after a restart, or the process itself find them and mark them failed with the reason, so that
no record says `running` for ever.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from store.documents import ErrorRecord
from store.errors import OwnershipLostError, StoreError
from store.ids import new_id
from store.stores import Stores

logger = logging.getLogger(__name__)

BEAT_S = 1.5
DEAD_AFTER_S = 6.0
STOPPED = ErrorRecord(
    type="RunnerDiedError",
    message="the server process that ran it stopped before it ended; send the request again",
)
UNWRITTEN = ErrorRecord(
    type="StoreUnavailableError",
    message="the database was away when it ended, so what it made is not kept; send the request again",
)


class Heartbeat:
    """Beats in a thread of its own from `start()` on; starting it again does nothing."""

    def __init__(self, stores: Stores, clock: Callable[[], float] = time.time) -> None:
        # The wall clock goes on while a machine sleeps, the monotonic one does not.
        self._clock = clock
        self._last_s = self._sound_since_s = clock()
        self.runner_id = new_id()
        self._stores = stores
        self._active: set[str] = set()
        self._has_beaten = False
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Beat in the background from now on; nothing is written in the caller's thread."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._go_on, name="heartbeat", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread, and be forgotten unless work is left that others must close."""
        self._stopped.set()
        if self._thread is None:
            return
        self._thread.join(timeout=BEAT_S + 1)
        if not self._active:
            try:
                self._stores.runners.forget(self.runner_id)
            except StoreError as exc:
                logger.info("the heartbeat's document stays until the next start: %s", exc)

    @contextmanager
    def working_on(self, generation_id: str) -> Iterator[None]:
        """Count a generation as being worked on by this process, which has beaten at least once.

        Raises:
            StoreError: the first beat could not be written.
        """
        self.start()
        if not self._has_beaten:
            self._beat()
        self._active.add(generation_id)
        try:
            yield
        finally:
            self._active.discard(generation_id)

    def close_abandoned(self) -> int:
        """Mark failed what dead runners left, and what this one could not finish writing; return how many."""
        closed = 0
        for runner in self._stores.runners.dead(DEAD_AFTER_S):
            closed += self._close_all(runner, STOPPED)
            self._stores.runners.forget(runner)
        closed += self._close_all(self.runner_id, UNWRITTEN)
        if closed:
            logger.warning("%d generations that nobody works on any more marked failed", closed)
        return closed

    def tick(self) -> None:
        """Beat once, and close what is abandoned, unless others cannot have beaten lately.

        After a pause of the whole machine, or with the database away, nobody's heartbeat is recent, and everybody gets
        time to beat again.
        """
        now_s = self._clock()
        if now_s - self._last_s > DEAD_AFTER_S / 2:
            self._sound_since_s = now_s
        self._last_s = now_s
        try:
            self._beat()
            if now_s - self._sound_since_s > DEAD_AFTER_S:
                self.close_abandoned()
        except StoreError as exc:
            self._sound_since_s = now_s
            logger.warning("heartbeat: %s", exc)

    def _go_on(self) -> None:
        self.tick()
        while not self._stopped.wait(BEAT_S):
            self.tick()

    def _beat(self) -> None:
        self._stores.runners.beat(self.runner_id)
        self._has_beaten = True

    def _close_all(self, runner: str, reason: ErrorRecord) -> int:
        return sum(
            self._close(generation_id, runner, reason)
            for generation_id in self._stores.generations.abandoned(runner)
            if generation_id not in self._active
        )

    def _close(self, generation_id: str, runner: str, reason: ErrorRecord) -> bool:
        try:
            self._stores.generations.fail(generation_id, runner, reason)
        except OwnershipLostError:
            # Another process of this server looks for dead runners too and was first.
            return False
        return True
