"""Each process that runs generations says every few seconds that it lives; what a dead one left behind is closed.

A process that is killed cannot write the end of its records. The others, or the same server after a restart, find them
by the heartbeat that no longer comes, and mark them failed with the reason, so no record says `running` for ever.
"""

import logging
import threading
import time

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


class Heartbeat:
    """Beats in a thread of its own from `start()` on; starting it again does nothing."""

    def __init__(self, stores: Stores) -> None:
        self.runner_id = new_id()
        self._stores = stores
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Beat once now, and from now on in the background.

        Raises:
            StoreError: the first beat could not be written.
        """
        with self._lock:
            if self._thread is None:
                self._stores.runners.beat(self.runner_id)
                self._thread = threading.Thread(target=self._go_on, name="heartbeat", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=BEAT_S + 1)

    def _go_on(self) -> None:
        sound_since = time.monotonic()
        while not self._stopped.wait(BEAT_S):
            try:
                self._stores.runners.beat(self.runner_id)
                # After the database was away nobody's heartbeat is recent: give all runners time to beat again.
                if time.monotonic() - sound_since > DEAD_AFTER_S:
                    self.close_abandoned()
            except StoreError as exc:
                sound_since = time.monotonic()
                logger.warning("heartbeat: %s", exc)

    def close_abandoned(self) -> int:
        """Mark the generations of dead runners failed; return how many there were."""
        closed = 0
        for runner in self._stores.runners.dead(DEAD_AFTER_S):
            for generation_id in self._stores.generations.abandoned(runner):
                closed += self._close(generation_id, runner)
            self._stores.runners.forget(runner)
        if closed:
            logger.warning("%d generations of a stopped server process marked failed", closed)
        return closed

    def _close(self, generation_id: str, runner: str) -> bool:
        try:
            self._stores.generations.fail(generation_id, runner, STOPPED)
        except OwnershipLostError:
            # Another process of this server looks for dead runners too and was first.
            return False
        return True
