"""Lets a worker stop at once what was canceled, or taken from it, elsewhere."""

import logging
import threading

from jobs.recovery import let_go_of_what_was_taken
from jobs.runner import Runner
from store.errors import StoreError
from store.generations import Generations

logger = logging.getLogger(__name__)

LOOK_S = 0.3


class Recall:
    """Asks the records several times a second, as long as there are jobs, whether they are this runner's still."""

    def __init__(self, generations: Generations, runner: Runner) -> None:
        self._generations = generations
        self._runner = runner
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="recall", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()
        self._thread.join()

    def look(self) -> None:
        """Stop the jobs that are not this runner's any more. Raises StoreError."""
        if self._runner.jobs:
            let_go_of_what_was_taken(self._runner, self._generations)

    def _go_on(self) -> None:
        while not self._stopped.wait(LOOK_S):
            try:
                self.look()
            except StoreError as exc:
                logger.info("whether jobs were canceled is seen when the database is back: %s", exc)
