"""The worker hosts as their heartbeats show them, to whoever sends work or asks what there is."""

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from jobs.celery_routing import WorkerHost, host_of
from store.errors import StoreError
from store.runners import RunnerInfo, Runners
from store.stores import Stores

logger = logging.getLogger(__name__)

ALIVE_S = 6.0
LOOK_S = 0.75
"""Half the time between two heartbeats: a host's news are never older than two of them."""


class Fleet:
    """All worker hosts that live. Thread-safe; the database is asked at most every `LOOK_S`."""

    def __init__(self, runners: Runners) -> None:
        self._runners = runners
        self._lock = threading.Lock()
        self._looked_s = -LOOK_S
        self._alive: tuple[RunnerInfo, ...] = ()

    def hosts(self) -> list[tuple[WorkerHost, datetime]]:
        """List the hosts, each with the time of its last heartbeat; as last known while the database is away."""
        found = ((host_of(runner.facts), runner.beat_at) for runner in self._look())
        return [(host, beat_at) for host, beat_at in found if host is not None]

    def why_unservable(self, presets: Iterable[str]) -> str | None:
        """Say what is missing when every host is known to lack it for one of these presets; None while any may do."""
        lacks: list[Mapping[str, str]] = [
            runner.facts.get("lacks", {}) for runner in self._look() if runner.facts.get("kind") == "worker"
        ]
        for preset in presets if lacks else ():
            if all(preset in lack for lack in lacks):
                return str(lacks[0][preset])
        return None

    def _look(self) -> tuple[RunnerInfo, ...]:
        with self._lock:
            if time.monotonic() - self._looked_s > LOOK_S:
                self._looked_s = time.monotonic()
                try:
                    self._alive = self._runners.alive(ALIVE_S)
                except StoreError as exc:
                    logger.warning("the worker hosts' heartbeats cannot be read: %s", exc)
            return self._alive


def pool_of_hosts(stores: Stores) -> list[dict[str, Any]]:
    """List the WebUIs of all worker hosts as they were at the last heartbeats: an InstanceState's fields and `host`.

    Raises:
        StoreError: the heartbeats cannot be read.
    """
    return [
        {**instance, "host": runner.facts.get("host", "")}
        for runner in stores.runners.alive(ALIVE_S)
        if runner.facts.get("kind") == "worker"
        for instance in runner.facts.get("instances", ())
    ]


def waiting_of_hosts(stores: Stores) -> int:
    """Count the calls that wait for a WebUI on any worker host. Raises StoreError."""
    return sum(int(runner.facts.get("waiting", 0)) for runner in stores.runners.alive(ALIVE_S))
