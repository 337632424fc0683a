"""The processes of this server on one host: who lives, and a bell to ring for each.

Each process holds a lock file as long as it lives: the kernel drops the lock when the process ends in any way, by
`kill -9` too. Beside it lies a named pipe from which the process reads short messages, so that nobody has to poll.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import selectors
import threading
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

_log = logging.getLogger(__name__)

_LONGEST_MESSAGE = 400
_READ_BYTES = 1 << 16
_SWEEP_EVERY_S = 600.0
_SWEEP_AFTER_S = 86_400.0


class Host:
    """This process among the others; all that share `folder` find each other. None: a process for itself."""

    def __init__(self, folder: Path | None, process_id: str) -> None:
        """Only keep the values. `process_id` must be new for each process, and fit to be a file name."""
        self.id = process_id
        self.folder = folder
        self._topics: dict[str, Callable[[str], None]] = {}
        self._starting = threading.Lock()
        self._own_lock: FileLock | None = None
        self._pipe = self._stop_pipe = -1
        self._listener: threading.Thread | None = None
        self._sweep_at_s = 0.0

    def start(self) -> None:
        """Be alive from now on, and listen; a second call does nothing. Raises OSError for an unusable folder."""
        if self.folder is None or self._listener is not None:
            return
        with self._starting:
            if self._listener is not None:
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            # First the lock, then the pipe: whoever sees a pipe may ask for the lock.
            self._own_lock = FileLock(self._lock_path(self.id), thread_local=False)
            self._own_lock.acquire(timeout=0)
            os.mkfifo(self._pipe_path(self.id), 0o600)
            # Opened for both ways: with a writer of our own the pipe never ends.
            self._pipe = os.open(self._pipe_path(self.id), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            wake, self._stop_pipe = os.pipe()
            listener = threading.Thread(target=self._listen, args=(wake,), name="host-bell", daemon=True)
            listener.start()
            self._listener = listener

    def stop(self) -> None:
        """Be gone for the others, as after a kill."""
        with self._starting:
            if self._listener is None:
                return
            os.close(self._stop_pipe)
            self._listener.join(timeout=2)
            self._listener = None
            self._pipe_path(self.id).unlink(missing_ok=True)
            if self._own_lock is not None:
                self._lock_path(self.id).unlink(missing_ok=True)
                self._own_lock.release()

    def hear(self, topic: str, callback: Callable[[str], None]) -> None:
        """Have `callback` called with the rest of each message `topic rest`; it runs in the listener's thread."""
        self._topics[topic] = callback

    def tell(self, message: str, to: str | None = None) -> None:
        """Send a message to one process or to all others; without waiting, and without a word if nobody is there."""
        if self.folder is None or len(message) > _LONGEST_MESSAGE:
            return
        for process_id in [to] if to is not None else self.others():
            self._ring(process_id, f"{message}\n".encode())

    def others(self) -> list[str]:
        """List the other processes that listen, also some that died a moment ago."""
        if self.folder is None:
            return []
        try:
            found = [path.name for path in self.folder.iterdir()]
        except FileNotFoundError:
            return []
        return [name.removesuffix(".bell") for name in found if name.endswith(".bell") and name[:-5] != self.id]

    def is_alive(self, process_id: str) -> bool | None:
        """Tell whether a process of this host lives; None for one that this host does not know (any more)."""
        if process_id == self.id:
            return True
        if self.folder is None or not self._lock_path(process_id).exists():
            return None
        try:
            # A shared lock, so that two who look at the same time do not take each other for the living.
            with self._lock_path(process_id).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return None
        return False

    def sweep(self) -> None:
        """Clear away what processes left that ended long ago; does something only now and then."""
        if self.folder is None or time.monotonic() < self._sweep_at_s:
            return
        self._sweep_at_s = time.monotonic() + _SWEEP_EVERY_S
        for lock in self.folder.glob("*.alive"):
            # Others may still ask about one that died a moment ago.
            with contextlib.suppress(FileNotFoundError):
                is_old = time.time() - lock.stat().st_mtime > _SWEEP_AFTER_S
                if is_old and self.is_alive(lock.stem) is False:
                    self._pipe_path(lock.stem).unlink(missing_ok=True)
                    lock.unlink(missing_ok=True)

    def _ring(self, process_id: str, message: bytes) -> None:
        try:
            pipe = os.open(self._pipe_path(process_id), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as exc:
            if exc.errno not in (errno.ENXIO, errno.ENOENT):
                _log.warning("no bell to ring: %s", exc.strerror)
            return
        try:
            os.write(pipe, message)
        except BlockingIOError:
            # The pipe is full of unread messages: its owner wakes up anyway, and looks again by itself.
            return
        except BrokenPipeError:
            return
        finally:
            os.close(pipe)

    def _listen(self, wake: int) -> None:
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            while wake not in {key.fd for key, _ in selector.select()}:
                *lines, rest = (rest + os.read(self._pipe, _READ_BYTES)).split(b"\n")
                for line in lines:
                    self._deliver(line.decode(errors="replace"))
        os.close(wake)
        os.close(self._pipe)

    def _deliver(self, line: str) -> None:
        topic, _, what = line.partition(" ")
        callback = self._topics.get(topic)
        if callback is not None:
            callback(what)

    def _lock_path(self, process_id: str) -> Path:
        return self._folder() / f"{process_id}.alive"

    def _pipe_path(self, process_id: str) -> Path:
        return self._folder() / f"{process_id}.bell"

    def _folder(self) -> Path:
        assert self.folder is not None
        return self.folder
