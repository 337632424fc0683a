"""Pools for tests, closed when the test is over, so that none goes on asking instances that are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from agent.instance import SDInstance
from agent.pool import SDInstancePool

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
