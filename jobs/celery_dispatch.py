"""Brings a queued record to the worker hosts: a message over Redis, or nothing, and they find it by themselves."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from celery import Celery
from kombu.exceptions import OperationalError

from jobs.celery_app import ADOPT_TASK
from jobs.celery_routing import WorkerHost, bare, host_of, host_queue, route
from store.documents import GenerationRecord
from store.errors import StoreError
from store.runners import Runners

logger = logging.getLogger(__name__)

ALIVE_S = 5.0
LOOK_S = 0.5
PAUSE_S = 2.0


@dataclass
class _Sent:
    """What went to a host since its last heartbeat, of which that heartbeat knows nothing yet."""

    beat: object
    pictures: dict[str, int] = field(default_factory=dict)


class CeleryDispatcher:
    """Sends the id of a queued record to the queue that the routing rule names.

    Args:
        app: made by `celery_app`.
        runners: where the worker hosts' heartbeats are.
        checkpoint_of: names the first checkpoint that a record's run needs; None: it only chats.
    """

    def __init__(self, app: Celery, runners: Runners, checkpoint_of: Callable[[GenerationRecord], str | None]) -> None:
        self._app = app
        self._runners = runners
        self._checkpoint_of = checkpoint_of
        self._lock = threading.Lock()
        self._looked_s = -LOOK_S
        self._hosts: tuple[tuple[WorkerHost, object], ...] = ()
        self._sent: dict[str, _Sent] = {}
        self._away_until_s = 0.0

    def dispatch(self, record: GenerationRecord) -> None:
        """Send the message. A broker that is away is no error: the record waits, and the hosts look for such records.

        Raises nothing of Celery's or the store's.
        """
        if time.monotonic() < self._away_until_s:
            return
        queue = self._queue_for(record)
        try:
            self._app.send_task(ADOPT_TASK, args=(record.id,), queue=queue, retry=False)
        except OperationalError as exc:
            # For a moment nobody tries again, so that a broker that does not answer holds up one submission only.
            self._away_until_s = time.monotonic() + PAUSE_S
            logger.warning("the broker is away (%s); generation %s waits until a host finds it", exc, record.id)
        else:
            logger.info("sent to %s", queue)

    def _queue_for(self, record: GenerationRecord) -> str:
        checkpoint = self._checkpoint_of(record)
        with self._lock:
            queue = route(checkpoint, self._present())
            if checkpoint is not None:
                self._note(queue, bare(checkpoint), record.inputs.num)
        return queue

    def _present(self) -> list[WorkerHost]:
        """The hosts as of their last heartbeats, less what was sent to them since."""
        if time.monotonic() - self._looked_s > LOOK_S:
            self._look()
        return [self._less_sent(host, beat) for host, beat in self._hosts]

    def _look(self) -> None:
        try:
            alive = self._runners.alive(ALIVE_S)
        except StoreError as exc:
            logger.warning("the worker hosts' heartbeats cannot be read: %s", exc)
            return
        self._looked_s = time.monotonic()
        found = ((host_of(runner.facts), runner.beat_at) for runner in alive)
        self._hosts = tuple((host, beat) for host, beat in found if host is not None)

    def _less_sent(self, host: WorkerHost, beat: object) -> WorkerHost:
        sent = self._sent.get(host_queue(host.name))
        if sent is None or sent.beat != beat:
            self._sent[host_queue(host.name)] = _Sent(beat)
            return host
        ready = {name: count - sent.pictures.get(name, 0) for name, count in host.ready.items()}
        return replace(host, ready=ready, room=host.room - sum(sent.pictures.values()))

    def _note(self, queue: str, checkpoint: str, pictures: int) -> None:
        sent = self._sent.get(queue)
        if sent is not None:
            sent.pictures[checkpoint] = sent.pictures.get(checkpoint, 0) + pictures
