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
    """What runs of the same kind taught.

    `weight` is that of the whole, `lead_s` the seconds until the first call of the pool, `bare_s` those from the first
    lease to the end, but for the time in which all stood still because others had the instances.
    """

    weight: float | None = None
    lead_s: float | None = None
    bare_s: float | None = None


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
        self._called_s: float | None = None
        self._announced = self._done = self._pictures = 0.0
        self._running: dict[str, tuple[float, float]] = {}
        """Weight and fraction of each step under way."""
        self._stays = Stays(clock)
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
    def seen(self) -> Course:
        """What this run would teach if it ended now."""
        with self._lock:
            lead_s = None if self._called_s is None else self._called_s - self._began_s
            return Course(self._done, lead_s, self._bare_s())

    @property
    def work_s(self) -> float:
        """Seconds that instances worked for it, added up."""
        return self._stays.work_s

    def start(self) -> None:
        """Count the time from now on: its thread begins."""
        self._began_s = self._clock()

    def announce(self, pictures: int) -> None:
        """Say that so many pictures will be painted."""
        with self._lock:
            self._announced += pictures

    def begin(self, step: str, weight: float) -> None:
        """Count a step as under way, by its id."""
        with self._lock:
            self._running[step] = (weight, 0.0)
            self._pictures += weight if weight >= 1 else 0.0

    def call(self, step: str) -> None:
        """Say that a step waits for an instance."""
        with self._lock:
            self._called_s = self._called_s or self._clock()
            self._stays.wait(step)

    def lease(self, step: str) -> None:
        """Say that a step has an instance."""
        with self._lock:
            self._stays.work(step)

    def advance(self, step: str, fraction: float) -> None:
        """Say how far a step under way is, 0 to 1."""
        with self._lock:
            if step in self._running:
                self._running[step] = (self._running[step][0], fraction)

    def end(self, step: str) -> None:
        """Count a step as done, however it ended."""
        with self._lock:
            self._done += self._running.pop(step, (0.0, 0.0))[0]
            self._stays.leave(step)

    def eta_s(
        self, starts_in_s: float | None = None, ends_in_s: float | None = None, backlog_s: float = 0.0
    ) -> float | None:
        """Estimate the seconds to the end; None while nothing is known.

        Args:
            starts_in_s: when the first of its calls that stand in the pool gets an instance; None: none stands there.
            ends_in_s: when the last of them ends.
            backlog_s: how long a call would wait that came now.
        """
        course = self._course
        with self._lock:
            if self._stays.first_s is not None:
                return _latest(ends_in_s, None if course.bare_s is None else max(course.bare_s - self._bare_s(), 0.0))
            if course.bare_s is None or starts_in_s is not None:
                return _latest(ends_in_s, None if course.bare_s is None else (starts_in_s or 0.0) + course.bare_s)
            since_s = self._clock() - self._began_s
            if course.lead_s is None:
                return max(course.bare_s - since_s, 0.0)
            lead_s = max(course.lead_s - since_s, 0.0) if self._called_s is None else 0.0
            return lead_s + backlog_s + course.bare_s

    def _bare_s(self) -> float:
        """Seconds of work since the first lease; where nothing needs an instance, since the beginning."""
        return self._clock() - self._began_s if self._called_s is None else self._stays.worked_s()


class Stays:
    """For how long at least one call of a job has had an instance, or none stood in the pool, since its first lease."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.first_s: float | None = None
        self.work_s = 0.0
        self._clock = clock
        self._waiting: set[str] = set()
        self._working: dict[str, float] = {}
        self._stalled_s = 0.0
        self._stalled_since_s: float | None = None

    def wait(self, step: str) -> None:
        """Count a call as waiting."""
        self._waiting.add(step)
        self._note()

    def work(self, step: str) -> None:
        """Count a call as having an instance."""
        self.first_s = self.first_s or self._clock()
        self._waiting.discard(step)
        self._working.setdefault(step, self._clock())
        self._note()

    def leave(self, step: str) -> None:
        """Count a call no more."""
        self._waiting.discard(step)
        since_s = self._working.pop(step, None)
        self.work_s += 0.0 if since_s is None else self._clock() - since_s
        self._note()

    def worked_s(self) -> float:
        """Tell the seconds; 0 before the first lease."""
        if self.first_s is None:
            return 0.0
        stalled_s = 0.0 if self._stalled_since_s is None else self._clock() - self._stalled_since_s
        return self._clock() - self.first_s - self._stalled_s - stalled_s

    def _note(self) -> None:
        is_stalled = self.first_s is not None and bool(self._waiting) and not self._working
        if is_stalled and self._stalled_since_s is None:
            self._stalled_since_s = self._clock()
        elif not is_stalled and self._stalled_since_s is not None:
            self._stalled_s += self._clock() - self._stalled_since_s
            self._stalled_since_s = None


def _latest(*moments: float | None) -> float | None:
    known = [moment for moment in moments if moment is not None]
    return max(known, default=None)
