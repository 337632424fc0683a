"""The same work on another instance, where that does no harm.

One loop for everything that needs a WebUI. `SDError.elsewhere` decides; each attempt is recorded, so that nothing is
repeated in silence.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from agent.errors import InstanceBusyError, MissingOnInstanceError, SDError
from agent.instance import SDInstance
from agent.pool import SDInstancePool

_log = logging.getLogger(__name__)

R = TypeVar("R")


@dataclass(frozen=True)
class Attempt:
    """One try: where, how long it waited for the instance and worked there, and the error's class and sentence."""

    instance: str
    waited_s: float
    duration_s: float
    error: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Ran(Generic[R]):
    """A result and how it came about; `waited_s` is the sum over all attempts, the last of which succeeded."""

    result: R
    instance: str
    waited_s: float
    attempts: tuple[Attempt, ...]


def run_on_pool(
    pool: SDInstancePool,
    work: Callable[[SDInstance], R],
    *,
    checkpoint: str | None = None,
    tries: int = 3,
    timeout: float | None = None,
) -> Ran[R]:
    """Lease an instance for `work`; move on to others, at most `tries` failed ones, while the error allows it.

    `timeout` (seconds; None: the pool's) bounds each wait for an instance. Raises the last SDError, its `attempts` set.
    """
    attempts: list[Attempt] = []
    end = time.monotonic() + (pool.timeout_s if timeout is None else timeout)
    while True:
        began = time.monotonic()
        try:
            with pool.lease(checkpoint, timeout, avoid=_failed(attempts)) as instance:
                result = _noted(instance, work, attempts, began)
        except SDError as exc:
            # Also a pool that timed out at the second wait tells what the first attempt met.
            exc.attempts = tuple(attempts)
            if not _may_go_on(exc, attempts, len(pool), tries, end):
                _name_all_that_is_missing(exc)
                raise
            _log.warning("trying another instance: %s", exc.message)
        else:
            return Ran(result, instance.name, sum(one.waited_s for one in attempts), tuple(attempts))


def _name_all_that_is_missing(exc: SDError) -> None:
    """Let the message speak for all instances where each lacks something: one SAM, another the checkpoint."""
    if isinstance(exc, MissingOnInstanceError):
        reasons = [one.message for one in exc.attempts if one.error == MissingOnInstanceError.__name__ and one.message]
        exc.message = "; ".join(dict.fromkeys(reasons))
        exc.args = (exc.message,)


def _failed(attempts: list[Attempt]) -> set[str]:
    """Name the instances that need not be tried again; a busy one is free sooner or later."""
    return {one.instance for one in attempts if one.error != InstanceBusyError.__name__}


def _noted(instance: SDInstance, work: Callable[[SDInstance], R], attempts: list[Attempt], began: float) -> R:
    leased = time.monotonic()
    waited_s = leased - began
    try:
        result = work(instance)
    except SDError as exc:
        attempts.append(Attempt(instance.name, waited_s, time.monotonic() - leased, type(exc).__name__, exc.message))
        raise
    attempts.append(Attempt(instance.name, waited_s, time.monotonic() - leased))
    return result


def _may_go_on(exc: SDError, attempts: list[Attempt], instances: int, tries: int, end: float) -> bool:
    # Waiting for a busy instance is like waiting in the pool, and ends at the same time.
    if isinstance(exc, InstanceBusyError):
        return time.monotonic() < end
    if not exc.elsewhere or len(_failed(attempts)) >= instances:
        return False
    # Where nothing was sent nothing was tried: every instance may be asked for what it has.
    free = (MissingOnInstanceError.__name__, InstanceBusyError.__name__)
    return sum(one.error not in free for one in attempts) < tries
