"""Brings a queued record to the worker hosts: a message over Redis, or nothing, and they find it by themselves."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from celery import Celery
from kombu.exceptions import OperationalError

from agent.capabilities import bare_checkpoint
from jobs.celery_app import ADOPT_TASK
from jobs.celery_hosts import Fleet
from jobs.celery_routing import WorkerHost, host_queue, route
from store.documents import GenerationRecord

logger = logging.getLogger(__name__)

PAUSE_S = 5.0


@dataclass
class _Sent:
    """How many pictures went to a host since a heartbeat, which knows nothing of them, by checkpoint."""

    beat_at: datetime
    pictures: Counter[str] = field(default_factory=Counter)


class CeleryDispatcher:
    """Sends the id of a queued record to the queue that the routing rule names.

    Args:
        app: made by `celery_app`.
        fleet: the worker hosts.
        checkpoint_of: names the first checkpoint that a record's run needs; None: it only chats.
        soon: does work a little later and in its order; None: in a thread that is made for it.
    """

    def __init__(
        self,
        app: Celery,
        fleet: Fleet,
        checkpoint_of: Callable[[GenerationRecord], str | None],
        *,
        soon: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._app = app
        self._fleet = fleet
        self._checkpoint_of = checkpoint_of
        self._soon = soon or ThreadPoolExecutor(1, thread_name_prefix="dispatch").submit
        self._sent: dict[str, _Sent] = {}
        self._away_until_s = 0.0

    def dispatch(self, record: GenerationRecord) -> None:
        """Send the message, in a thread of its own: a broker that hangs must hold up no submission.

        One that is away is no error: the record waits, and the hosts look for such records by themselves.
        """
        self._soon(partial(self._send, record))

    def _send(self, record: GenerationRecord) -> None:
        if time.monotonic() < self._away_until_s:
            return
        queue = self._queue_for(record)
        try:
            self._app.send_task(ADOPT_TASK, args=(record.id,), queue=queue, retry=False)
        except OperationalError as exc:
            # For a moment nobody tries again; what is submitted meanwhile is found in the records.
            self._away_until_s = time.monotonic() + PAUSE_S
            logger.warning("the broker is away (%s); generation %s waits until a host finds it", exc, record.id)
        else:
            logger.info("generation %s is sent to %s", record.id, queue)

    def _queue_for(self, record: GenerationRecord) -> str:
        checkpoint = self._checkpoint_of(record)
        queue = route(checkpoint, [self._less_sent(host, beat_at) for host, beat_at in self._fleet.hosts()])
        if checkpoint is not None and queue in self._sent:
            self._sent[queue].pictures[bare_checkpoint(checkpoint)] += record.inputs.num
        return queue

    def _less_sent(self, host: WorkerHost, beat_at: datetime) -> WorkerHost:
        """Show a host as of its last heartbeat, less what was sent to its own queue since."""
        queue = host_queue(host.name)
        sent = self._sent.get(queue)
        if sent is None or sent.beat_at != beat_at:
            self._sent[queue] = _Sent(beat_at)
            return host
        ready = {name: count - sent.pictures[name] for name, count in host.ready.items()}
        return replace(host, ready=ready, spare=host.spare - sent.pictures.total())
