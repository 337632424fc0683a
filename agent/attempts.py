"""The same work on another instance, where that does no harm.

One loop for everything that needs a WebUI. `SDError.elsewhere` decides; each attempt is recorded, so that nothing is
repeated in silence.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from agent.calls import Call
from agent.errors import InstanceBusyError, MissingOnInstanceError, SDError
from agent.instance import SDInstance
from agent.pool import SDInstancePool

_log = logging.getLogger(__name__)

R = TypeVar("R")
W = TypeVar("W")


@dataclass(frozen=True)
class Attempt:
    """One try: where and why there, how long it waited, loaded a checkpoint and worked, and the error if any.

    `duration_s` counts from the lease to its end and includes `load_s`. `error` is the error's class.
    """

    instance: str
    waited_s: float
    duration_s: float
    error: str | None = None
    message: str | None = None
    reason: str = ""
    load_s: float = 0.0


@dataclass(frozen=True)
class Ran(Generic[R]):
    """A result and how it came about; `waited_s` is the sum over all attempts, the last of which succeeded.

    `reason` says why the last one was made on this instance.
    """

    result: R
    instance: str
    waited_s: float
    attempts: tuple[Attempt, ...]
    reason: str = ""


def run_on_pool(
    pool: SDInstancePool,
    work: Callable[[SDInstance], W],
    read: Callable[[W], R],
    *,
    checkpoint: str | None = None,
    tries: int = 3,
    timeout: float | None = None,
    call: Call | None = None,
) -> Ran[R]:
    """Lease an instance for `work`, then `read` what it answered; move on to others while the error allows it.

    The instance is given back before `read`, so that it can begin the next call while pictures are being decoded. At
    most `tries` attempts fail. `timeout` (seconds; None: the pool's) bounds each wait for an instance. Raises the last
    SDError, its `attempts` set.
    """
    attempts: list[Attempt] = []
    # A second attempt stands where the first one stood.
    wish = replace(call or Call(), since=time.time())
    end = time.monotonic() + (pool.timeout_s if timeout is None else timeout)
    while True:
        began = time.monotonic()
        try:
            with pool.lease(checkpoint, timeout, avoid=_failed(attempts), call=wish) as instance:
                answer = _noted(instance, work, attempts, began)
            result = _read(pool, instance, answer, read, attempts)
        except SDError as exc:
            # Also a pool that timed out at the second wait tells what the first attempt met.
            exc.attempts = tuple(attempts)
            if not _may_go_on(exc, attempts, len(pool), tries, end):
                _name_all_that_is_missing(exc)
                raise
            _log.warning("trying another instance: %s", exc.message)
        else:
            waited_s = sum(one.waited_s for one in attempts)
            return Ran(result, instance.name, waited_s, tuple(attempts), attempts[-1].reason)


def _read(pool: SDInstancePool, instance: SDInstance, answer: W, read: Callable[[W], R], attempts: list[Attempt]) -> R:
    try:
        return read(answer)
    except SDError as exc:
        attempts[-1] = replace(attempts[-1], error=type(exc).__name__, message=exc.message)
        pool.blame(instance.name, exc)
        raise


def _name_all_that_is_missing(exc: SDError) -> None:
    """Let the message speak for all instances where each lacks something: one SAM, another the checkpoint."""
    if isinstance(exc, MissingOnInstanceError):
        reasons = [one.message for one in exc.attempts if one.error == MissingOnInstanceError.__name__ and one.message]
        exc.message = "; ".join(dict.fromkeys(reasons))
        exc.args = (exc.message,)


def _failed(attempts: list[Attempt]) -> set[str]:
    """Name the instances that need not be tried again; a busy one is free sooner or later."""
    return {one.instance for one in attempts if one.error != InstanceBusyError.__name__}


def _noted(instance: SDInstance, work: Callable[[SDInstance], W], attempts: list[Attempt], began: float) -> W:
    leased = time.monotonic()
    error: SDError | None = None
    try:
        return work(instance)
    except SDError as exc:
        error = exc
        raise
    finally:
        holding = instance.holding
        attempts.append(
            Attempt(
                instance=instance.name,
                waited_s=leased - began,
                duration_s=time.monotonic() - leased,
                error=type(error).__name__ if error is not None else None,
                message=error.message if error is not None else None,
                reason=holding.leased.reason if holding is not None else "",
                load_s=holding.load_s if holding is not None else 0.0,
            )
        )


def _may_go_on(exc: SDError, attempts: list[Attempt], instances: int, tries: int, end: float) -> bool:
    # Waiting for a busy instance is like waiting in the pool, and ends at the same time.
    if isinstance(exc, InstanceBusyError):
        return time.monotonic() < end
    if not exc.elsewhere or len(_failed(attempts)) >= instances:
        return False
    if attempts and attempts[-1].instance in _failed(attempts[:-1]):
        # It was lent again although it should have been avoided: no other takes work now.
        return False
    # Where nothing was sent nothing was tried: every instance may be asked for what it has.
    free = (MissingOnInstanceError.__name__, InstanceBusyError.__name__)
    return sum(one.error not in free for one in attempts) < tries
