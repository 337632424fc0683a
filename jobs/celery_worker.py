"""The Celery worker of a host: it takes messages, each in a thread, until it is told to stop."""

import logging
import threading
import warnings
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.exceptions import CPendingDeprecationWarning, Reject
from celery.signals import setup_logging, worker_ready, worker_shutting_down
from celery.worker import WorkController
from celery.worker.consumer import Consumer

from jobs.celery_app import ADOPT_TASK, as_worker
from jobs.celery_places import PlacesClosedError
from store.errors import StoreError

logger = logging.getLogger(__name__)

QUEUES_S = 5.0


class MessageWorker:
    """Runs Celery's worker in this process.

    Args:
        app: made by `celery_app`.
        name: of this host, as no other worker has it.
        threads: how many messages may be in hand.
        queues: the queues that this host should listen to now; asked every few seconds.
        take: what is done with the generation's id that a message carries.
        on_stop: called once, in a thread of its own, when this process is told to end; what runs may go on.
    """

    def __init__(
        self,
        app: Celery,
        name: str,
        threads: int,
        queues: Callable[[], tuple[str, ...]],
        take: Callable[[str], object],
        on_stop: Callable[[], None],
    ) -> None:
        self._listened = queues()
        self._app = as_worker(app, self._listened, threads)
        self._name = name
        self._queues = queues
        self._take = take
        self._on_stop = on_stop
        self._stopped = threading.Event()

    def run(self) -> int:
        """Work until a signal comes and the messages in hand are dealt with; return the exit code."""
        _quieten()
        self._app.task(name=ADOPT_TASK)(self._adopt)
        # Whoever connects here keeps Celery from setting up the log, which is set up already.
        setup_logging.connect(self._logs_already)
        worker_ready.connect(self._ready)
        worker_shutting_down.connect(self._stopping)
        # Nothing of other workers is told or asked over Redis: the heartbeats in the database say it all.
        worker: WorkController = self._app.Worker(
            hostname=f"stepideator@{self._name}", quiet=True,
            without_gossip=True, without_mingle=True, without_heartbeat=True,
        )  # fmt: skip
        worker.start()
        return int(worker.exitcode or 0)

    def _adopt(self, generation_id: str) -> None:
        try:
            self._take(generation_id)
        except PlacesClosedError as exc:
            # Back into its queue, for another host.
            raise Reject(str(exc), requeue=True) from exc
        except StoreError as exc:
            logger.warning("generation %s waits until the database is back: %s", generation_id, exc)

    def _logs_already(self, **_: Any) -> None:
        return

    def _ready(self, sender: Consumer, **_: Any) -> None:
        # What would be another way to lose a connection; Celery has set up its own filters by now.
        warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
        logger.info("worker %s listens to %s", self._name, ", ".join(self._listened))
        threading.Thread(target=self._keep_listening, args=(sender,), name="queues", daemon=True).start()

    def _stopping(self, **_: Any) -> None:
        # A signal handler must be quick, and this may wait for jobs.
        if not self._stopped.is_set():
            self._stopped.set()
            threading.Thread(target=self._on_stop, name="stopping", daemon=True).start()

    def _keep_listening(self, consumer: Consumer) -> None:
        """Follow the checkpoints that the WebUIs of this host have; the consumer's own thread makes the changes."""
        while not self._stopped.wait(QUEUES_S):
            wanted = self._queues()
            for name in set(wanted).difference(self._listened):
                consumer.call_soon(consumer.add_task_queue, name)
            for name in set(self._listened).difference(wanted):
                consumer.call_soon(consumer.cancel_task_queue, name)
            self._listened = wanted


def _quieten() -> None:
    """Leave out what Celery says at each job, which the runner says better."""
    logging.getLogger("celery.worker.strategy").setLevel(logging.WARNING)
    # A warning here is a message that went back into its queue.
    logging.getLogger("celery.app.trace").setLevel(logging.ERROR)
