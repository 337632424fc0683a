"""Steps that do not need each other, done at the same time, with log lines and errors where they belong."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import TypeVar

from jobs.threads import in_thread, run_into

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


def all_of(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run the calls in threads, the first in the caller's own, and return their results in order.

    All are awaited even when one fails, so nothing is still at work when this returns; the first error in the order
    of the calls is then raised.
    """
    if not calls:
        return []
    own: Future[T] = Future()
    others = [in_thread(call, "step") for call in calls[1:]]
    run_into(own, calls[0])
    wait(others)
    return [future.result() for future in (own, *others)]


def each(count: int, call: Callable[[int], T]) -> list[T]:
    """Run a call for 0, 1, 2 … at the same time, as `all_of` does."""
    return all_of([partial(call, index) for index in range(count)])


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Run two different calls at the same time and return both results; the both are awaited, whatever fails."""
    future = in_thread(first, "step")
    own: Future[B] = Future()
    run_into(own, second)
    wait([future])
    return future.result(), own.result()
