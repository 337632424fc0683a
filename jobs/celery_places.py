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

COURTESY_S = 1.0
"""How long a job is left to hosts that have an idle WebUI for it, before one takes it for later."""

PATIENCE_S = 10.0
SPARE = 2.5
"""Pictures in hand for each WebUI, up to which a job is let in that has waited for longer than `PATIENCE_S`."""

CHATS = 64
"""Jobs in hand that only chat; they wait for a service that is shared by all hosts."""

_LOOK_AGAIN_S = 0.5


@dataclass(frozen=True)
class Seats:
    """The WebUIs of a host right now: how many are up, how many of them idle, and which checkpoints they have.

    `loaded` counts all that are up by checkpoint, `ready` those of them that are idle.
    """

    up: int = 0
    idle: int = 0
    loaded: Mapping[str, int] = field(default_factory=dict)
    ready: Mapping[str, int] = field(default_factory=dict)


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
    if spare(in_hand, seats) > 0:
        return True
    if loaded and waited_s > COURTESY_S and (not same or same + wish.pictures <= 2 * loaded + AHEAD):
        return True
    return seats.up > 0 and waited_s > PATIENCE_S and (not total or total + wish.pictures <= SPARE * seats.up)


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

    def enter(self, wish: Wish) -> bool:
        """Take a place, to be given back by `leave`; False if there is none."""
        seats = self._seats()
        with self._changed:
            if self._is_closed or not self._fits(wish, seats):
                return False
            self._count(wish, 1)
            return True

    def leave(self, wish: Wish) -> None:
        """Give a place back."""
        with self._changed:
            self._count(wish, -1)
            self._changed.notify_all()

    def spare(self) -> int:
        """Count the idle WebUIs for which there is nothing in hand."""
        seats = self._seats()
        with self._changed:
            return max(0, spare(self._in_hand, seats))

    @contextmanager
    def one(self, wish: Wish) -> Iterator[None]:
        """Have a place as long as the block lasts, after waiting for it. Raises PlacesClosedError when closed."""
        while not self.enter(wish):
            if self._is_closed:
                raise PlacesClosedError("this worker is being stopped")
            # WebUIs come, go and become idle without a word here.
            with self._changed:
                self._changed.wait(_LOOK_AGAIN_S)
        try:
            yield
        finally:
            self.leave(wish)

    def close(self) -> None:
        """Let nobody in any more, and send away who waits."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _fits(self, wish: Wish, seats: Seats) -> bool:
        if wish.checkpoint is None:
            return self._chats < CHATS
        return lets_in(wish, self._clock() - wish.since_s, self._in_hand, seats)

    def _count(self, wish: Wish, sign: int) -> None:
        if wish.checkpoint is None:
            self._chats += sign
        else:
            self._in_hand[wish.checkpoint] += sign * wish.pictures
