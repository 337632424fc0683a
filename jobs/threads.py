"""A call in a thread of its own, whose result or error waits for whoever asks.

The threads are daemons: a server that is told to end is not held up by pictures that are being painted, its jobs are
given back instead.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


def in_thread(call: Callable[[], T], name: str) -> "Future[T]":
    """Run a call in a new thread that knows what this one works for."""
    future: Future[T] = Future()
    context = copy_context()
    threading.Thread(target=context.run, args=(run_into, future, call), name=name, daemon=True).start()
    return future


def run_into(future: "Future[T]", call: Callable[[], T]) -> None:
    """Run a call here, and keep whatever comes of it in the future."""
    with _Kept(future):
        future.set_result(call())


def tell_error(future: "Future[Any]") -> None:
    """Log the error of a call that nobody asks about; for `add_done_callback`."""
    if (error := future.exception()) is not None:
        logger.error("unexpected %s in a thread", type(error).__name__, exc_info=error)


class _Kept(Generic[T]):
    """Hands an error to the future; the thread that asks for the result is the one to deal with it."""

    def __init__(self, future: "Future[T]") -> None:
        self._future = future

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is not None:
            self._future.set_exception(error)
        return error is not None
