"""Each process that runs generations says every few seconds that it lives, and looks for what others left behind."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import Any, Final

from jobs.recovery import Recovery
from jobs.threads import in_thread
from store.errors import StoreError
from store.runners import Runners

logger = logging.getLogger(__name__)

BEAT_S: Final = 1.5
DEAD_AFTER_S: Final = 6.0

Facts = Callable[[], Mapping[str, Any]]


class Heartbeat:
    """Beats in a thread of its own from `start()` on; starting it again does nothing.

    Args:
        facts: what the others may know of this process, asked at each beat.
        clock: the wall clock, which goes on while a machine sleeps; the monotonic one does not.
    """

    def __init__(
        self,
        runners: Runners,
        runner_id: str,
        recovery: Recovery,
        facts: Facts = lambda: {},
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._last_s = self._sound_since_s = clock()
        self._runners = runners
        self._runner_id = runner_id
        self._recovery = recovery
        self._facts = facts
        self._has_beaten = self._is_started = False
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Beat in the background from now on; nothing is written in the caller's thread."""
        with self._lock:
            if not self._is_started and not self._stopped.is_set():
                self._is_started = True
                Context().run(in_thread, self._go_on, "heartbeat")

    def stop(self, *, is_clear: bool) -> None:
        """End, and be forgotten, unless work is left that others must see to."""
        self._stopped.set()
        if not (self._has_beaten and is_clear):
            return
        with self._lock:
            try:
                self._runners.forget(self._runner_id)
            except StoreError as exc:
                logger.info("the heartbeat's document stays until the next start: %s", exc)

    def make_sure(self) -> None:
        """Have beaten at least once, so that what is begun now is found if this process dies. Raises StoreError."""
        if not self._has_beaten:
            self.beat()

    def beat(self) -> None:
        """Beat once, between two ticks if what the others may know has changed. Raises StoreError."""
        with self._lock:
            # A beat after the end would bring a document back that nobody removes.
            if self._stopped.is_set():
                return
            self._runners.beat(self._runner_id, self._facts())
            self._has_beaten = True

    def tick(self) -> None:
        """Beat once, and see to what is left behind.

        Those who have not been heard of lately are taken for dead only if they could have been heard: after a pause of
        the whole machine, or with the database away, everybody gets time to beat again.
        """
        now_s = self._clock()
        if now_s - self._last_s > DEAD_AFTER_S / 2:
            self._sound_since_s = now_s
        self._last_s = now_s
        try:
            self.beat()
            self._recovery.of_this_process()
            self._recovery.of_dead_neighbours(DEAD_AFTER_S)
            if now_s - self._sound_since_s > DEAD_AFTER_S:
                self._recovery.of_the_silent(DEAD_AFTER_S)
            self._recovery.of_nobody()
        except StoreError as exc:
            self._sound_since_s = now_s
            logger.warning("heartbeat: %s", exc)

    def _go_on(self) -> None:
        self.tick()
        while not self._stopped.wait(BEAT_S):
            self.tick()
