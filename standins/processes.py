"""Child processes that live and die together: heard line by line, ended in order, tied to the life of their parent.

A `Supervisor` is used as a context manager: `start` its children, `wait_until` each answers, then `watch` until a
signal comes or a child dies; leaving the block ends all of them, the first one last.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

from standins.guard import DONE, POLL_S, end_process, start_guard

Answer = TypeVar("Answer")

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(KeyboardInterrupt):
    """Somebody wants the end: Ctrl-C, SIGTERM, or the terminal was closed."""


class StartError(Exception):
    """A part did not become ready; the message says which, and its last log lines."""


class ChildDiedError(StartError):
    """A child ended by itself; the message says which, how, and its last log lines."""


class Child:
    """One process, in a group of its own: the terminal's Ctrl-C reaches only the parent, which ends all in order."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], log_folder: Path, *, is_quiet: bool = False
    ) -> None:
        """Start it; each line that it writes goes to the terminal after `name`, and to `log_folder`/`name`.log."""
        self.name = name
        self.last_lines: deque[str] = deque(maxlen=15)
        self._logger = _line_logger(name, log_folder, is_quiet)
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **env, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self._listener = threading.Thread(target=self._listen, name=f"listen to {name}", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.last_lines.append(line.rstrip())
            self._logger.info("%s", line.rstrip())

    def heard(self, pattern: Callable[[str], Any]) -> Any:
        """Return the first true `pattern(line)` among the last lines, or None."""
        return next((found for line in list(self.last_lines) if (found := pattern(line))), None)

    def is_running(self) -> bool:
        """Tell whether the process still runs."""
        return self.process.poll() is None

    def story(self) -> str:
        """Its last log lines, for a message."""
        self._listener.join(timeout=1 if not self.is_running() else 0)
        return "\n".join(f"    {line}" for line in self.last_lines) or "    (it wrote nothing)"

    def stop(self, in_a_hurry: Callable[[], bool]) -> None:
        """End it and its group; `in_a_hurry` turning true kills at once."""
        end_process(self.process.pid, self.is_running, in_a_hurry)
        self._listener.join(timeout=2)
        for handler in list(self._logger.handlers):
            self._logger.removeHandler(handler)
            handler.close()


class Supervisor:
    """Starts children, waits for them, and ends all of them when it is left, in the reverse order of their start."""

    def __init__(self, log_folder: Path, *, ends_with_parent: bool = False, is_quiet: bool = False) -> None:
        """Nothing starts yet; `log_folder` is made when it is missing.

        `ends_with_parent`: the death of our own parent counts as a signal to stop. `is_quiet`: what the children say
        goes to their logs alone.
        """
        self._is_quiet = is_quiet
        self._log_folder = log_folder
        self._children: list[Child] = []
        self._signals_received = 0
        self._parent = os.getppid() if ends_with_parent else None
        self._old_handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Take over the signals that ask for the end, and set the guard."""
        self._log_folder.mkdir(parents=True, exist_ok=True)
        for number in STOP_SIGNALS:
            self._old_handlers[number] = signal.signal(number, self._on_signal)
        self._guard = start_guard()
        return self

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        # Only counted: an exception from here could strike between a fork and the line that remembers the child.
        self._signals_received += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all children, last started first; one more Ctrl-C than was needed to get here kills them at once."""
        enough = max(self._signals_received, 1)
        for child in reversed(self._children):
            child.stop(in_a_hurry=lambda: self._signals_received > enough)
        self._guard.communicate(DONE)
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> Child:
        """Start a child with `env` on top of our own environment, and remember it."""
        child = Child(name, command, env or {}, self._log_folder, is_quiet=self._is_quiet)
        self._children.append(child)
        self._tell_guard(child.process.pid)
        return child

    def _tell_guard(self, pid: int) -> None:
        assert self._guard.stdin is not None
        self._guard.stdin.write(f"{pid}\n")
        self._guard.stdin.flush()

    def wait_until(self, answer: Callable[[], Answer | None], what: str, timeout_s: float) -> Answer:
        """Ask again and again until `answer` returns something true, and return it.

        Raises:
            StartError: `what` was not ready after `timeout_s` seconds.
            ChildDiedError: a child ended meanwhile.
            StopRequested: a signal came.
        """
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            self.check()
            if found := answer():
                return found
            time.sleep(POLL_S)
        raise StartError(f"{what} was not ready after {timeout_s:g} s. The last lines of {self._newest_story()}")

    def check(self) -> None:
        """Raise StopRequested when a signal came or the parent is gone, ChildDiedError when a child is gone."""
        if self._signals_received or self._parent not in {None, os.getppid()}:
            raise StopRequested
        for child in self._children:
            if not child.is_running():
                how = _how_it_ended(child.process.returncode)
                raise ChildDiedError(f"{child.name} {how}; everything else ends too. Its last lines:\n{child.story()}")

    def watch(self) -> None:
        """Wait until `check` raises."""
        while True:
            self.check()
            time.sleep(4 * POLL_S)

    def _newest_story(self) -> str:
        child = self._children[-1]
        return f"{child.name}:\n{child.story()}"


def _how_it_ended(code: int) -> str:
    return f"ended with exit code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"


def _line_logger(name: str, folder: Path, is_quiet: bool) -> logging.Logger:
    logger = logging.getLogger(f"{__name__}.{name}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    screen = logging.StreamHandler(sys.stdout)
    screen.setFormatter(logging.Formatter(f"{name:<9}| %(message)s"))
    file = RotatingFileHandler(folder / f"{name}.log", maxBytes=5_000_000, backupCount=1, encoding="utf-8")
    file.setFormatter(logging.Formatter("%(message)s"))
    logger.handlers = [file] if is_quiet else [screen, file]
    return logger
