"""The worker hosts as their heartbeats show them, to whoever sends work or asks what there is."""

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from agent.models import Model
from jobs.celery_routing import WorkerHost, checkpoint_queue, host_of
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

    def why_unservable(self, presets: Iterable[str], checkpoint: str = "") -> str | None:
        """Say what is missing when every host is known to lack it; None while any may do.

        Args:
            presets: the image presets that are all needed.
            checkpoint: the one that takes the place of theirs, if any does.
        """
        facts = facts_of_workers(self._look())
        if checkpoint:
            queue = checkpoint_queue(checkpoint)
            if facts and not any(queue in one.get("queues", ()) for one in facts):
                return f"no WebUI of any worker host has the checkpoint {checkpoint!r}; install it there"
            return None
        for preset in presets if facts else ():
            if all(preset in one.get("lacks", {}) for one in facts):
                return str(facts[0]["lacks"][preset])
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


def facts_of_workers(runners: Iterable[RunnerInfo]) -> list[Mapping[str, Any]]:
    """Give what the worker hosts among these processes tell of themselves."""
    return [runner.facts for runner in runners if runner.facts.get("kind") == "worker"]


def pool_of_hosts(stores: Stores) -> list[dict[str, Any]]:
    """List the WebUIs of all worker hosts as they were at the last heartbeats: an InstanceState's fields and `host`.

    Raises:
        StoreError: the heartbeats cannot be read.
    """
    found = {
        (facts.get("host", ""), instance.get("endpoint")): {**instance, "host": facts.get("host", "")}
        for facts in facts_of_workers(stores.runners.alive(ALIVE_S))
        for instance in facts.get("instances", ())
    }
    # Two workers of one host share its WebUIs, and both tell of them.
    return list(found.values())


def models_of_hosts(stores: Stores) -> tuple[Model, ...]:
    """Tell the models of the WebUIs of all worker hosts, as of the last heartbeats. Raises StoreError."""
    facts = facts_of_workers(stores.runners.alive(ALIVE_S))
    return tuple(sorted({Model(*model) for one in facts for model in one.get("models", ())}))


def waiting_of_hosts(stores: Stores) -> int:
    """Count the calls that wait for a WebUI on any worker host. Raises StoreError."""
    return sum(int(runner.facts.get("waiting", 0)) for runner in stores.runners.alive(ALIVE_S))
