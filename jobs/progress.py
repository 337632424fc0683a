"""How far a generation is, from 0 to 1, and when it will be done.

A picture weighs 1, what is asked of the chat service or of Segment Anything a tenth. The whole is what runs of the same
kind came to before; until there are any, what this one has announced.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

WEIGHTS: Final[Mapping[str, float]] = {"txt2img": 1.0, "img2img": 1.0, "chat": 0.1, "sam": 0.1}
ALMOST: Final = 0.99
"""Only the end itself is 1."""


def weight_of(kind: str) -> float:
    """Say how much a step of this kind adds to the whole; what only holds other steps adds nothing."""
    return WEIGHTS.get(kind, 0.0)


@dataclass(frozen=True)
class Course:
    """What runs of the same kind taught: the weight of the whole, and seconds up to the first lease and from it on."""

    weight: float | None = None
    lead_s: float | None = None
    rest_s: float | None = None


class Progress:
    """How far one generation is. Thread-safe, and never going backwards.

    Args:
        expected: the weight of the whole as far as it is known at the start.
        clock: seconds, of any origin.
    """

    def __init__(
        self, expected: float = 0.0, course: Course | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._course = course or Course()
        self._expected = expected if self._course.weight is None else self._course.weight
        self._clock = clock
        self._began_s = clock()
        self._leased_s: float | None = None
        self._announced = self._done = self._pictures = 0.0
        self._running: dict[str, tuple[float, float]] = {}
        """Weight and fraction of each step under way."""
        self._value = 0.0
        self._lock = threading.Lock()

    @property
    def value(self) -> float:
        """The part that is done, 0 to 0.99."""
        with self._lock:
            done = self._done + sum(weight * fraction for weight, fraction in self._running.values())
            begun = self._done + sum(weight for weight, _ in self._running.values())
            # Announced pictures that have not begun still lie ahead.
            whole = max(self._expected, begun + max(self._announced - self._pictures, 0.0))
            self._value = max(self._value, min(done / whole, ALMOST) if whole else 0.0)
            return self._value

    @property
    def weight(self) -> float:
        """The weight of all that is done."""
        return self._done

    @property
    def lead_s(self) -> float | None:
        """Seconds from the beginning to the first lease; None before it."""
        return None if self._leased_s is None else self._leased_s - self._began_s

    @property
    def rest_s(self) -> float:
        """Seconds since the first lease, or since the beginning where there was none."""
        return self._clock() - (self._began_s if self._leased_s is None else self._leased_s)

    def announce(self, pictures: int) -> None:
        """Say that so many pictures will be painted."""
        with self._lock:
            self._announced += pictures

    def begin(self, step: str, weight: float) -> None:
        """Count a step as under way, by its id."""
        with self._lock:
            self._running[step] = (weight, 0.0)
            self._pictures += weight if weight >= 1 else 0.0

    def advance(self, step: str, fraction: float) -> None:
        """Say how far a step under way is, 0 to 1."""
        with self._lock:
            if step in self._running:
                self._running[step] = (self._running[step][0], fraction)

    def end(self, step: str) -> None:
        """Count a step as done, however it ended."""
        with self._lock:
            self._done += self._running.pop(step, (0.0, 0.0))[0]

    def leased(self) -> None:
        """Say that an instance was granted; the first time counts."""
        if self._leased_s is None:
            self._leased_s = self._clock()

    def eta_s(self, call_starts_in_s: float | None = None, call_ends_in_s: float | None = None) -> float | None:
        """Estimate the seconds to the end; None while nothing is known.

        Args:
            call_starts_in_s: when the first of its calls that wait for an instance gets one; None: none waits or works.
            call_ends_in_s: when the last of its calls ends.
        """
        course = self._course
        if self._leased_s is not None:
            return _latest(call_ends_in_s, None if course.rest_s is None else max(course.rest_s - self.rest_s, 0.0))
        if call_starts_in_s is not None:
            return _latest(call_ends_in_s, None if course.rest_s is None else call_starts_in_s + course.rest_s)
        if course.rest_s is None:
            return None
        return max((course.lead_s or 0.0) - (self._clock() - self._began_s), 0.0) + course.rest_s


def _latest(*moments: float | None) -> float | None:
    known = [moment for moment in moments if moment is not None]
    return max(known, default=None)
