"""Changing the pool of WebUIs while the server runs: its own pool here, that of a worker host in `celery_pool`."""

from dataclasses import dataclass
from typing import Literal, Protocol

from agent.errors import SDNotConfiguredError
from agent.pool import SDInstancePool
from jobs.errors import UnknownHostError

Action = Literal["add", "drain", "resume", "remove"]


@dataclass(frozen=True)
class PoolOrder:
    """What is to change: `target` is the base URL of what is added, else the name of an instance.

    `host` is the worker host that is meant, as its heartbeat names it; empty: whichever it must be.
    """

    action: Action
    target: str
    host: str = ""


class PoolChanges(Protocol):
    """Changes the pool, wherever it is."""

    def carry_out(self, order: PoolOrder) -> None:
        """Do it; the pool gives work to a new instance, or none to a drained one, from the return on.

        Raises:
            UnknownInstanceError: no instance has this name, or none can have this address.
            SDNotConfiguredError: there is no pool to change.
            JobError: it is not known which worker host is meant, or that host does not answer.
            StoreError: the worker hosts cannot be read.
        """
        ...


class OwnPool:
    """The pool that all processes of this host share; None: there is none."""

    def __init__(self, pool: SDInstancePool | None) -> None:
        self._pool = pool

    def carry_out(self, order: PoolOrder) -> None:
        """Do it here; see `PoolChanges`."""
        if order.host:
            raise UnknownHostError(f"there is no worker host {order.host!r}, as this server has its own WebUIs only")
        pool = self._pool
        if pool is None:
            raise SDNotConfiguredError("there is no pool to change, as SD_ENDPOINTS is empty; set it and start anew")
        by_action = {"add": pool.add, "drain": pool.drain, "resume": pool.resume, "remove": pool.remove}
        by_action[order.action](order.target)
