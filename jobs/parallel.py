"""Steps that do not need each other, done at the same time, with log lines and errors where they belong."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import partial
from typing import TypeVar

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


def all_of(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run the calls in threads and return their results in order.

    All are awaited even when one fails, so nothing is still at work when this returns; the first error in the order
    of the calls is then raised. A single call runs in the caller's own thread.
    """
    if len(calls) == 1:
        return [calls[0]()]
    with ThreadPoolExecutor(max_workers=len(calls), thread_name_prefix="step") as threads:
        futures = [threads.submit(copy_context().run, call) for call in calls]
        wait(futures)
    return [future.result() for future in futures]


def each(count: int, call: Callable[[int], T]) -> list[T]:
    """Run a call for 0, 1, 2 … at the same time, as `all_of` does."""
    return all_of([partial(call, index) for index in range(count)])


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Run two different calls at the same time and return both results; the both are awaited, whatever fails."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="step") as threads:
        future = threads.submit(copy_context().run, first)
        try:
            other = second()
        finally:
            wait([future])
    return future.result(), other
