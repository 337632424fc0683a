"""Which jobs a worker host lets in: enough that none of its WebUIs waits, and no more, for other hosts may be idle.

A host takes what its WebUIs have loaded, up to two pictures for each of them: one is painted, the other has its texts
written meanwhile. Of anything else it takes only what would otherwise leave a WebUI idle, or what nobody has taken for
`PATIENCE_S`; so checkpoints gather on hosts, and change over where and when there is too much of one and too little of
another. docs/scaling.md has figures.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

AHEAD = 2
"""Pictures in hand beyond two for each WebUI that has their checkpoint."""

PATIENCE_S = 10.0
SPARE = 2.5
"""Pictures in hand for each WebUI, up to which a job is let in that has waited for longer than `PATIENCE_S`."""

CHATS = 64
"""Jobs in hand that only chat; they wait for a service that is shared by all hosts."""

_LOOK_AGAIN_S = 0.5


@dataclass(frozen=True)
class Seats:
    """The WebUIs of a host right now: how many are up, how many of them idle, how many have which checkpoint."""

    up: int = 0
    idle: int = 0
    loaded: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Wish:
    """What a job asks of a host: its first checkpoint by its bare name (None: it only chats), and how many pictures.

    `since_s` is when it was submitted, by the clock that `Places` has.
    """

    checkpoint: str | None
    pictures: int = 1
    since_s: float = 0.0


def lets_in(wish: Wish, waited_s: float, in_hand: Mapping[str, int], seats: Seats) -> bool:
    """Apply the rule above; `in_hand` counts pictures by checkpoint, those being painted included."""
    name, total = str(wish.checkpoint), sum(in_hand.values())
    loaded, same = seats.loaded.get(name, 0), in_hand.get(name, 0)
    if loaded and (not same or same + wish.pictures <= 2 * loaded + AHEAD):
        return True
    if seats.up and waited_s > PATIENCE_S and (not total or total + wish.pictures <= SPARE * seats.up):
        return True
    return spare(in_hand, seats) > 0


def spare(in_hand: Mapping[str, int], seats: Seats) -> int:
    """Count the idle WebUIs for which there is nothing in hand."""
    return seats.idle - max(0, sum(in_hand.values()) - (seats.up - seats.idle))


class PlacesClosedError(Exception):
    """Say that this worker takes nothing in any more, as it is being stopped."""


class Places:
    """Counts what is in hand, and has others wait.

    Args:
        seats: looks at this host's WebUIs; asked often.
        clock: the wall clock, as submissions come from other machines.
    """

    def __init__(self, seats: Callable[[], Seats], clock: Callable[[], float] = time.time) -> None:
        self._seats = seats
        self._clock = clock
        self._changed = threading.Condition()
        self._in_hand: Counter[str] = Counter()
        self._chats = 0
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether nobody is let in any more."""
        return self._is_closed

    def lets_in(self, wish: Wish) -> bool:
        """Tell whether a job would be let in at once."""
        seats = self._seats()
        with self._changed:
            return not self._is_closed and self._fits(wish, seats)

    def spare(self) -> int:
        """Count the idle WebUIs for which there is nothing in hand."""
        seats = self._seats()
        with self._changed:
            return max(0, spare(self._in_hand, seats))

    @contextmanager
    def one(self, wish: Wish) -> Iterator[None]:
        """Have a place as long as the block lasts, after waiting for it. Raises PlacesClosedError when closed."""
        self._take(wish)
        try:
            yield
        finally:
            self._count(wish, -1)

    def close(self) -> None:
        """Let nobody in any more, and send away who waits."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def wait_for_change(self, timeout_s: float) -> None:
        """Return when a place has become free, or after so long."""
        with self._changed:
            if not self._is_closed:
                self._changed.wait(timeout_s)

    def _take(self, wish: Wish) -> None:
        while True:
            seats = self._seats()
            with self._changed:
                if self._is_closed:
                    raise PlacesClosedError("this worker is being stopped")
                if self._fits(wish, seats):
                    self._count(wish, 1)
                    return
                # WebUIs come, go and become idle without a word here.
                self._changed.wait(_LOOK_AGAIN_S)

    def _fits(self, wish: Wish, seats: Seats) -> bool:
        if wish.checkpoint is None:
            return self._chats < CHATS
        return lets_in(wish, self._clock() - wish.since_s, self._in_hand, seats)

    def _count(self, wish: Wish, sign: int) -> None:
        with self._changed:
            if wish.checkpoint is None:
                self._chats += sign
            else:
                self._in_hand[wish.checkpoint] += sign * wish.pictures
            if sign < 0:
                self._changed.notify_all()
