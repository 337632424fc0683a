"""One instance, one user at a time, over all processes of a host.

The kernel holds the locks (flock) and drops them when a process ends in any way, `kill -9` included. A mark beside the
lock stays when its holder died in the middle of a call: then a job may still run on that WebUI.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from filelock import FileLock, Timeout

_numbers = itertools.count()
_RETRY_S = 0.001
_TICKET_S = 5.0


class InstanceLock(Protocol):
    """What the pool needs to know of other users of an instance."""

    def take(self) -> bool:
        """Try to get it, without waiting."""
        ...

    def left_unsettled(self) -> bool:
        """Tell whether the last holder left while a job may have been running."""
        ...

    def give_back(self, *, unsettled: bool) -> None:
        """Let others have it."""
        ...


class NoLock:
    """For a single process: nobody else is there."""

    def take(self) -> bool:
        """Always succeed."""
        return True

    def left_unsettled(self) -> bool:
        """Know nothing: the instance itself remembers within one process."""
        return False

    def give_back(self, *, unsettled: bool) -> None:
        """Do nothing."""


class ProcessLock:
    """A lock file for one endpoint; its name is a hash, so that a password in a URL never becomes a file name."""

    def __init__(self, locks_dir: Path, endpoint: str) -> None:
        """Name the files; they are made when the lock is first taken."""
        stem = hashlib.sha256(endpoint.encode()).hexdigest()[:16]
        # Taken and given back by the lease's thread, but looked at by others: no per-thread state.
        self._lock = FileLock(locks_dir / f"instance-{stem}.lock", thread_local=False)
        self._mark = locks_dir / f"instance-{stem}.in-use"

    def take(self) -> bool:
        """Try to get it, without waiting."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def left_unsettled(self) -> bool:
        """Tell whether the last holder's mark is there still; then leave our own, or (OSError) free the lock."""
        was_marked = self._mark.exists()
        try:
            self._mark.touch()
        except OSError:
            self._lock.release()
            raise
        return was_marked

    def give_back(self, *, unsettled: bool) -> None:
        """Remove the mark, unless a job may be running, and free the lock."""
        if not unsettled:
            self._mark.unlink(missing_ok=True)
        self._lock.release()


class Queue(Protocol):
    """The line in which the processes' first waiters stand."""

    def stand(self) -> Place:
        """Join at the end."""
        ...


class Place(Protocol):
    """A place in the line; leaving the `with` gives it up."""

    def is_first(self) -> bool:
        """Tell whether nobody alive came earlier."""
        ...

    def __enter__(self) -> Self:
        """Hold the place."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it up."""
        ...


class NoQueue:
    """For a single process: whoever comes to this line is the only one."""

    def stand(self) -> Place:
        """Be first at once."""
        return self

    def is_first(self) -> bool:
        """Nobody else is there."""
        return True

    def __enter__(self) -> Self:
        """Hold nothing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give nothing up."""


class ProcessQueue:
    """First come, first served between processes, so that a busy one cannot keep the instances to itself.

    Each waiter is a file, named by the time it came and locked by its process: an unlocked one is a dead man's.
    """

    def __init__(self, locks_dir: Path) -> None:
        """Only keep the folder."""
        self._dir = locks_dir

    def stand(self) -> Place:
        """Make the folder (raises OSError) and join at the end; the clock is the same for all processes of a host."""
        self._dir.mkdir(parents=True, exist_ok=True)
        name = f"waiting-{time.monotonic_ns():020d}-{os.getpid()}-{next(_numbers)}.ticket"
        return _Ticket(self._dir / name)


class _Ticket:
    def __init__(self, path: Path) -> None:
        self._path = path
        # The kernel drops this lock with the process, so a place in the line cannot outlive its owner.
        self._lock = FileLock(path, thread_local=False)

    def __enter__(self) -> Self:
        # Somebody may look at the file in the instant before it is locked; then it is made again at once.
        self._lock.acquire(timeout=_TICKET_S, poll_interval=_RETRY_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Unlinked while still locked: the other way round somebody could take it for a dead man's and lock it.
        self._path.unlink(missing_ok=True)
        self._lock.release()

    def is_first(self) -> bool:
        earlier = (path for path in sorted(self._path.parent.glob("waiting-*.ticket")) if path.name < self._path.name)
        return not any(_is_alive(path) for path in earlier)


def _is_alive(path: Path) -> bool:
    """Tell whether a waiter's process lives; a dead one's file is cleared away."""
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    path.unlink(missing_ok=True)
    lock.release()
    return False
