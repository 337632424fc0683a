"""Which WebUI instance is free: lend one, wait while all are busy, take it back whatever happened.

    with pool.lease(checkpoint="sd15", timeout=120) as instance:
        text2Image(instance, request)

A WebUI paints one picture at a time, so an instance has one user at a time, over threads and (by locks.py) processes.
Waiters are served strictly in the order they came: only the first of them looks for an instance, the others stand
behind the door. Which of the free instances it takes is `_preference`, the place that a cleverer scheduler replaces.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agent.errors import PoolClosedError, PoolTimeoutError, SDError, SDNotConfiguredError
from agent.instance import SDInstance
from agent.locks import InstanceLock, NoLock, NoQueue, ProcessLock, ProcessQueue, Queue

__all__ = ["InstanceState", "SDInstance", "SDInstancePool"]

_log = logging.getLogger(__name__)

# Another process frees an instance without telling us: flock has no notification. 20 ms of looking is lost beside a
# picture's seconds, and 50 looks a second cost nothing.
_LOOK_AGAIN_S = 0.02
_FIRST_REST_S = 1.0
_LONGEST_REST_S = 60.0


@dataclass(frozen=True)
class InstanceState:
    """One line of a status page, as this process sees it."""

    name: str
    state: Literal["idle", "busy", "resting"]
    checkpoint: str | None
    served: int
    failed: int
    rest_s: float


@dataclass
class _Slot:
    """An instance and what the pool remembers of it; guarded by the pool's lock."""

    instance: SDInstance
    lock: InstanceLock
    is_busy: bool = False
    checkpoint: str | None = None
    last_used: float = 0.0
    served: int = 0
    failed: int = 0
    failures_in_a_row: int = 0
    rests_until: float = field(default=0.0)


class FairDoor:
    """A mutex that lets threads through strictly in the order they came; waiting has an end."""

    def __init__(self) -> None:
        """Start open."""
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._is_taken = False

    def enter(self, timeout_s: float) -> bool:
        """Wait for one's turn, at most `timeout_s`; tell whether it came."""
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return True
            # An event for each waiter: with one condition for all, every turn would wake hundreds of threads.
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(max(timeout_s, 0)):
            return True
        with self._guard:
            # The turn may have come between the end of the wait and here.
            if turn.is_set():
                return True
            self._waiting.remove(turn)
            return False

    def leave(self) -> None:
        """Hand the turn to the next in line."""
        with self._guard:
            if self._waiting:
                # The door stays taken, so that a newcomer cannot slip in before the one that was called.
                self._waiting.popleft().set()
            else:
                self._is_taken = False


class SDInstancePool:
    """The instances, lent one by one. Thread-safe; build it after the fork."""

    def __init__(
        self, instances: Sequence[SDInstance], timeout_s: float = 120.0, locks_dir: Path | None = None
    ) -> None:
        """Keep the instances, one or more. `timeout_s` bounds a wait; the processes that share them share `locks_dir`.

        The folder is made at the first lease. Raises ValueError for no instances.
        """
        if not instances:
            raise ValueError("a pool without instances lends none; give it one or more")
        self._locks_dir = locks_dir
        self._slots = [
            _Slot(instance, ProcessLock(locks_dir, instance.endpoint) if locks_dir else NoLock())
            for instance in instances
        ]
        self.timeout_s = timeout_s
        self._door = FairDoor()
        self._queue: Queue = ProcessQueue(locks_dir) if locks_dir else NoQueue()
        self._idle = threading.Semaphore(len(self._slots))
        self._changed = threading.Condition()
        self._is_closed = False

    def __len__(self) -> int:
        """Count all instances."""
        return len(self._slots)

    @property
    def instances(self) -> tuple[SDInstance, ...]:
        """All instances, to look at; to use one, lease it."""
        return tuple(slot.instance for slot in self._slots)

    def states(self) -> tuple[InstanceState, ...]:
        """Describe every instance, for a status page."""
        with self._changed:
            now = time.monotonic()
            return tuple(_state(slot, now) for slot in self._slots)

    @contextmanager
    def lease(
        self, checkpoint: str | None = None, timeout: float | None = None, *, avoid: Collection[str] = ()
    ) -> Iterator[SDInstance]:
        """Lend an idle instance, preferably one that used `checkpoint` last, and none named in `avoid` if it can be.

        Waits `timeout` seconds (None: the pool's own limit). Raises PoolTimeoutError, PoolClosedError, or
        SDNotConfiguredError for an unusable `locks_dir`. An SDError that passes through and blames the instance makes
        it rest for a while.
        """
        slot = self._take(checkpoint, self.timeout_s if timeout is None else timeout, avoid)
        try:
            yield slot.instance
        except SDError as exc:
            self._give_back(slot, checkpoint, failed=exc.blames_instance, served=False)
            raise
        except BaseException:
            # Not ours: it may have come in the middle of a call, so nobody knows what still runs there.
            slot.instance.unsettled = True
            self._give_back(slot, checkpoint, failed=False, served=False)
            raise
        else:
            self._give_back(slot, checkpoint, failed=False, served=True)

    def close(self) -> None:
        """Send all waiters home and close the idle connections."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        # One more than there are: the first waiter wakes, finds the pool closed and hands it on to the next.
        self._idle.release()
        for slot in self._slots:
            slot.instance.close()

    def _take(self, checkpoint: str | None, timeout_s: float, avoid: Collection[str]) -> _Slot:
        end = time.monotonic() + timeout_s
        # First in this process, then first among the processes, then one of the idle instances.
        if not self._door.enter(timeout_s):
            raise self._timed_out(timeout_s)
        try:
            with self._queue.stand() as place:
                while not place.is_first():
                    self._pause_until(end, timeout_s)
                if not self._idle.acquire(timeout=max(end - time.monotonic(), 0)):
                    raise self._timed_out(timeout_s)
                return self._choose(checkpoint, end, timeout_s, avoid)
        except OSError as exc:
            raise SDNotConfiguredError(
                f"the folder {self._locks_dir} for the locks of the WebUI instances cannot be used "
                f"({exc.strerror or type(exc).__name__}); correct DATA_DIR"
            ) from exc
        finally:
            self._door.leave()

    def _choose(self, checkpoint: str | None, end: float, timeout_s: float, avoid: Collection[str]) -> _Slot:
        """Pick one of the idle instances; the semaphore, already counted down, promises that there is one."""
        try:
            while True:
                with self._changed:
                    self._refuse_if_closed()
                    for slot in self._preference(checkpoint, avoid):
                        # Idle here may be busy in another process; then the next best will do.
                        if slot.lock.take():
                            slot.instance.unsettled |= slot.lock.left_unsettled()
                            slot.is_busy = True
                            return slot
                self._pause_until(end, timeout_s)
        except BaseException:
            self._idle.release()
            raise

    def _preference(self, checkpoint: str | None, avoid: Collection[str]) -> list[_Slot]:
        """Order the idle instances, best first: the one that has the checkpoint, else the longest unused.

        Resting and avoided ones are offered only while there is no other in the pool, busy ones included.
        """
        now = time.monotonic()
        good = [slot for slot in self._slots if slot.rests_until <= now and slot.instance.name not in avoid]
        offered = good or [slot for slot in self._slots if slot.instance.name not in avoid] or self._slots
        # Of those that rest, the soonest rested; a job left behind may end while others work; then the loaded
        # checkpoint, for loading one takes as long as a picture; last, spread the work over all.
        return sorted(
            (slot for slot in offered if not slot.is_busy),
            key=lambda slot: (
                slot.rests_until if not good else 0.0,
                slot.instance.unsettled,
                checkpoint is None or slot.checkpoint != checkpoint,
                slot.last_used,
            ),
        )

    def _pause_until(self, end: float, timeout_s: float) -> None:
        """Wait a little for something to change. Raises when the pool is closed or the time is over."""
        with self._changed:
            self._refuse_if_closed()
            remaining_s = end - time.monotonic()
            if remaining_s <= 0:
                raise self._timed_out(timeout_s)
            self._changed.wait(min(remaining_s, _LOOK_AGAIN_S))

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise PoolClosedError("the pool of WebUI instances is closed: this server is shutting down")

    def _give_back(self, slot: _Slot, checkpoint: str | None, *, failed: bool, served: bool) -> None:
        with self._changed:
            slot.is_busy = False
            slot.last_used = time.monotonic()
            slot.served += served
            slot.failed += failed
            if served:
                # Only a call that ended well is known to have loaded what was asked for.
                slot.checkpoint = checkpoint or slot.checkpoint
                slot.failures_in_a_row, slot.rests_until = 0, 0.0
            elif failed:
                self._let_rest(slot)
            try:
                slot.lock.give_back(unsettled=slot.instance.unsettled)
            finally:
                # Even with a full or vanished disk the instance must not be lost to this process.
                self._changed.notify_all()
                self._idle.release()

    def _let_rest(self, slot: _Slot) -> None:
        rest_s = min(_FIRST_REST_S * 2**slot.failures_in_a_row, _LONGEST_REST_S)
        slot.failures_in_a_row += 1
        slot.rests_until = time.monotonic() + rest_s
        _log.warning("%s failed %d times in a row, it rests %.0f s", slot.instance.name, slot.failures_in_a_row, rest_s)

    def _timed_out(self, timeout_s: float) -> PoolTimeoutError:
        count = len(self._slots)
        who = f"all {count} instances" if count > 1 else "the only instance"
        return PoolTimeoutError(
            f"{who} stayed busy for {timeout_s:g} s; add one to SD_ENDPOINTS or raise SD_POOL_TIMEOUT"
        )


def _state(slot: _Slot, now: float) -> InstanceState:
    rest_s = max(slot.rests_until - now, 0.0)
    state: Literal["idle", "busy", "resting"] = "busy" if slot.is_busy else "resting" if rest_s else "idle"
    return InstanceState(slot.instance.name, state, slot.checkpoint, slot.served, slot.failed, rest_s)
