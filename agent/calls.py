"""Work for an instance, as its caller describes it: for whom, for which job, and how it is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agent.errors import CallCanceledError


class Cancellation:
    """A word that is given once, from any thread, and reaches everybody who works for the same job."""

    def __init__(self) -> None:
        """Start without it."""
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._is_canceled = False

    @property
    def is_canceled(self) -> bool:
        """Whether the word was given."""
        return self._is_canceled

    def cancel(self) -> None:
        """Give the word; the callbacks run in this thread, each once. A second time does nothing."""
        with self._lock:
            if self._is_canceled:
                return
            self._is_canceled = True
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def raise_if_canceled(self) -> None:
        """Stop here if the word was given. Raises CallCanceledError."""
        if self._is_canceled:
            raise CallCanceledError("the job was canceled")

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Run `callback` if the word comes while the block lasts. Raises CallCanceledError if it came before."""
        with self._lock:
            self.raise_if_canceled()
            self._callbacks.append(callback)
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)


@dataclass(frozen=True)
class Leased:
    """What is known when an instance was granted: `reason` says why it was this one, `loads` if it must load first."""

    instance: str
    checkpoint: str | None
    waited_s: float
    reason: str
    loads: bool


@dataclass(frozen=True)
class Call:
    """One piece of work for an instance.

    `share` names whose fair share it takes, `job` what it belongs to (both free text), `size` is the work for one
    picture in megapixel steps (None: no picture), `pictures` how many are made at once, `needs` what the instance must
    offer besides its checkpoint (`controlnet:<model>`, `sam`), `since` when it came first (seconds since the epoch;
    None: now), so that work that must be done again does not lose its place. `on_lease` and `on_progress` (0..1, about
    once a second) run in threads of the pool and must be quick.
    """

    share: str = ""
    job: str = ""
    size: float | None = None
    pictures: int = 1
    needs: frozenset[str] = frozenset()
    since: float | None = None
    cancellation: Cancellation | None = None
    on_lease: Callable[[Leased], None] | None = None
    on_progress: Callable[[float], None] | None = None

    def raise_if_canceled(self) -> None:
        """Stop here if the job was canceled. Raises CallCanceledError."""
        if self.cancellation is not None:
            self.cancellation.raise_if_canceled()
