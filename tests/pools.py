"""Pools for tests, closed when the test is over, so that none goes on asking instances that are gone."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from agent.calls import Call
from agent.errors import SDError
from agent.instance import SDInstance
from agent.pool import SDInstancePool
from tests.stand_ins import CHECKPOINT, StandIn

MakePool = Callable[..., SDInstancePool]


def made_up(count: int) -> list[SDInstance]:
    """Make instances that nobody may speak to."""
    return [SDInstance(f"http://gpu{i}:7860") for i in range(count)]


@contextmanager
def pool_of(
    instances: Sequence[SDInstance], timeout_s: float = 5.0, locks_dir: Path | None = None, **more: Any
) -> Iterator[SDInstancePool]:
    """Make a pool that looks at no instance by itself, unless `probes=True` says so."""
    pool = SDInstancePool(instances, timeout_s, locks_dir, **({"probes": False} | more))
    try:
        yield pool
    finally:
        pool.close()
        pool.ledger.host.stop()
        pool.ledger.close()


@contextmanager
def pools() -> Iterator[MakePool]:
    """Give what `pool_of` does as a function for as many pools as a test needs."""
    with ExitStack() as stack:
        yield lambda *values, **more: stack.enter_context(pool_of(*values, **more))


def name_of(webui: StandIn) -> str:
    """Give the name that a pool has for it."""
    return webui.instance().name


def state_of(pool: SDInstancePool, webui: StandIn) -> str:
    """Give the state of an instance; "gone" if the pool has it no more."""
    return next((one.state for one in pool.states() if one.name == name_of(webui)), "gone")


def know(pool: SDInstancePool, unit_s: float = 0.4, samples: int = 9) -> None:
    """Write down what a pool would have seen by itself: what is loaded everywhere, and how fast the instances are."""
    pool.start()
    with pool.ledger.change() as change:
        change.run("UPDATE instances SET checkpoint = ?, unit_s = ?, samples = ?", CHECKPOINT, unit_s, samples)


def preferring(pool: SDInstancePool, instance: SDInstance) -> SDInstancePool:
    """Have the pool lend this instance first: it is said to have the checkpoint, and to have rested longest."""
    pool.start()
    with pool.ledger.change() as change:
        change.run("UPDATE instances SET last_used = 1")
        change.run(
            "UPDATE instances SET last_used = 0, checkpoint = ? WHERE endpoint = ?", CHECKPOINT, instance.endpoint
        )
    return pool


def call_for(pool: SDInstancePool, webui: StandIn, **more: Any) -> Call:
    """Make a call that goes to this instance, as the others are said not to offer what it needs."""
    offers = f'["only", "checkpoint:{CHECKPOINT}"]'
    with pool.ledger.change() as change:
        change.run("UPDATE instances SET offers = CASE WHEN endpoint = ? THEN ? ELSE '[]' END", webui.url, offers)
    return Call(needs=frozenset({"only"}), **more)


def seeds_of(webui: StandIn) -> list[int]:
    """Give the seeds of what it painted, without those of probes."""
    return [entry["seed"] for entry in webui.journal() if entry["seed"] is not None and entry["steps"] > 1]


@contextmanager
def frozen(webui: StandIn) -> Iterator[None]:
    """Stop its process in the middle of whatever it does."""
    process = webui.state()["pid"]
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until it is true; fail with `what` after 15 s."""
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end, f"{what}: not in 15 s"
        time.sleep(0.005)


class Borrower(threading.Thread):
    """A thread that leases, notes its number and gives back when told so."""

    def __init__(self, pool: SDInstancePool, number: int, order: list[int]) -> None:
        super().__init__(daemon=True)
        self._pool, self._number, self._order = pool, number, order
        self.go = threading.Event()
        self.error: SDError | None = None

    def run(self) -> None:
        """Borrow once."""
        try:
            with self._pool.lease():
                self._order.append(self._number)
                self.go.wait(5)
        except SDError as exc:
            self.error = exc
