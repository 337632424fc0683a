"""A gate that holds work back until a test opens it, so that tests need no sleeps."""

import threading
import time
from collections.abc import Callable


class Gate:
    """Open at first. While closed, `pass_through` waits; it never forgets a waiter."""

    def __init__(self) -> None:
        """Start open, at step 0."""
        self._condition = threading.Condition()
        self._closed = False
        self.at_step = 0

    @property
    def closed(self) -> bool:
        """Whether work that arrives now would wait."""
        return self._closed

    def set(self, closed: bool, at_step: int = 0) -> None:
        """Close or open; `at_step` is the number of sampling steps a job makes before it meets the gate."""
        with self._condition:
            self._closed, self.at_step = closed, at_step
            self._condition.notify_all()

    def pass_through(self, step: int = 0, gives_up: Callable[[], bool] = lambda: False) -> None:
        """Wait while closed for this step, or until `gives_up` says that the waiter was interrupted."""
        with self._condition:
            while self._closed and step == self.at_step and not gives_up():
                self._condition.wait(0.5)

    def nudge(self) -> None:
        """Let the waiters look at `gives_up` again at once."""
        with self._condition:
            self._condition.notify_all()


class Counts:
    """What runs, what waits and what was served: the answer of /standin/state."""

    def __init__(self) -> None:
        """Start at zero."""
        self._lock = threading.Lock()
        self._numbers = {"running": 0, "queued": 0, "served": 0, "max_running": 0, "max_queued": 0}
        self.started_at = time.time()

    def add(self, name: str, step: int) -> int:
        """Change one number and its maximum; return the new value."""
        with self._lock:
            self._numbers[name] += step
            top = f"max_{name}"
            if top in self._numbers:
                self._numbers[top] = max(self._numbers[top], self._numbers[name])
            return self._numbers[name]

    def forget_maxima(self) -> None:
        """Count the maxima anew from what is there now."""
        with self._lock:
            for name in ("running", "queued"):
                self._numbers[f"max_{name}"] = self._numbers[name]

    def as_dict(self) -> dict[str, int]:
        """All numbers at one moment."""
        with self._lock:
            return dict(self._numbers)
