"""What a worker host is told by web hosts: changes of its pool, each answered at once.

Celery's own remote control sends the same messages, but a worker hears them on the connection that it has for its
queues. Here it is a thread and a connection of its own, so that nothing that happens to it costs the worker its work.
"""

import logging
import threading
import time
from collections.abc import Callable

from celery import Celery
from kombu import Connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from agent.errors import SDError
from jobs.celery_app import CHANGE_POOL, mailbox
from jobs.pool_changes import Action, PoolOrder

logger = logging.getLogger(__name__)

RENEW_S = 60.0
"""After this long it listens on a new connection: one whose other end lost its power is deaf without a word."""

_LOOK_UP_S = 0.5
_PAUSE_S = 1.0


class Orders:
    """Listens to what this host is told.

    Args:
        app: made by `celery_app`.
        name: of this host, as its heartbeat says it.
        change: changes the pool of this host, and has everybody see it. May raise SDError.
    """

    def __init__(self, app: Celery, name: str, change: Callable[[PoolOrder], None]) -> None:
        self._app = app
        self._name = name
        self._change = change
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="orders", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._stopped.set()

    def _go_on(self) -> None:
        while not self._stopped.is_set():
            try:
                with self._app.connection_for_read() as connection:
                    connection.ensure_connection(max_retries=0)
                    self._listen(connection)
            except (OperationalError, RedisError, OSError) as exc:
                logger.debug("no order reaches this host while the broker is away: %s", exc)
                self._stopped.wait(_PAUSE_S)

    def _listen(self, connection: Connection) -> None:
        channel = connection.default_channel
        node = mailbox(connection).Node(self._name, channel=channel, handlers={CHANGE_POOL: self._do})
        end_s = time.monotonic() + RENEW_S
        with node.listen():
            while time.monotonic() < end_s and not self._stopped.is_set():
                try:
                    connection.drain_events(timeout=_LOOK_UP_S)
                except TimeoutError:
                    continue

    def _do(self, _state: object, action: Action, target: str) -> dict[str, str]:
        """Carry out an order, and say what came of it in words that `jobs.celery_pool` reads."""
        try:
            self._change(PoolOrder(action, target))
        except SDError as exc:
            return {"error": type(exc).__name__, "message": exc.message}
        return {}
