"""Watches the calls that are under way: tells how far they are, and ends those that hang or are no longer wanted.

A WebUI that hangs holds its connection open for ever. It is given up long before the read timeout when it shows no sign
of life, its progress included, for many times the seconds that such a picture takes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.errors import SDError
from agent.overdue import interrupt, progress_of

if TYPE_CHECKING:
    from agent.holding import Holding
    from agent.instance import SDInstance

_log = logging.getLogger(__name__)

_EVERY_S = 1.0
_FIRST_AFTER_S = 0.9
_PATIENCE = 6.0
_STOP_WITHIN_S = 3.0

Expected = Callable[["SDInstance", "Holding"], float | None]
"""How many seconds a call should take there, as learned; None while too little is known."""


@dataclass(eq=False)
class _Watch:
    instance: SDInstance
    task_id: str
    holding: Holding
    began: float
    sign_at: float
    progress: float = 0.0
    is_asking: bool = field(default=False)


class Overseer:
    """One for each pool and process; its thread lives as long as there is something to watch."""

    def __init__(self, expected: Expected, patience_s: float) -> None:
        """Start with nothing to watch; `patience_s` is the least time without a sign of life."""
        self.expected = expected
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._watches: set[_Watch] = set()
        self._thread: threading.Thread | None = None
        self._something = threading.Event()
        self._asking = ThreadPoolExecutor(max_workers=8, thread_name_prefix="progress")
        self._is_closed = False

    @contextmanager
    def watching(self, instance: SDInstance, task_id: str, holding: Holding) -> Iterator[None]:
        """Watch a task as long as the block lasts."""
        now = time.monotonic()
        watch = _Watch(instance, task_id, holding, now, now)
        with self._lock:
            self._watches.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._go_on, name="overseer", daemon=True)
                self._thread.start()
        self._something.set()
        try:
            yield
        finally:
            with self._lock:
                self._watches.discard(watch)

    def stop(self, instance: SDInstance, task_id: str, ended: threading.Event) -> None:
        """End a call whose job was canceled: interrupt exactly this task; cut the call off if that does not help."""
        try:
            interrupt(instance, task_id)
        except SDError as exc:
            _log.info("no interrupt for a canceled job: %s", exc.message)
        if not ended.wait(_STOP_WITHIN_S):
            instance.unsettled, instance.abandoned_task = True, task_id
            instance.abort()

    def close(self) -> None:
        """Let the threads end."""
        self._is_closed = True
        self._something.set()
        self._asking.shutdown(wait=False, cancel_futures=True)

    def _go_on(self) -> None:
        while not self._is_closed:
            with self._lock:
                watches = list(self._watches)
                if not watches:
                    self._something.clear()
            if not watches:
                # Nothing to do costs nothing: the next call to be watched wakes this thread.
                self._something.wait(timeout=60)
                continue
            now = time.monotonic()
            for watch in watches:
                if now - watch.began >= _FIRST_AFTER_S and not watch.is_asking and not self._is_closed:
                    watch.is_asking = True
                    self._asking.submit(self._look_at, watch)
                # Not only after an answer: what hangs as a whole answers no question either.
                self._end_if_hanging(watch)
            time.sleep(_EVERY_S)

    def _look_at(self, watch: _Watch) -> None:
        try:
            progress = progress_of(watch.instance, watch.task_id)
            if progress is not None and progress > watch.progress:
                watch.progress, watch.sign_at = progress, time.monotonic()
                self._tell(watch)
        except SDError as exc:
            _log.debug("no progress from %s: %s", watch.instance.name, exc.message)
        finally:
            watch.is_asking = False

    def _tell(self, watch: _Watch) -> None:
        if watch.holding.call.on_progress is not None:
            watch.holding.call.on_progress(watch.progress)

    def _end_if_hanging(self, watch: _Watch) -> None:
        silent_s = time.monotonic() - watch.sign_at
        expected_s = self.expected(watch.instance, watch.holding) if silent_s > self._patience_s else None
        if expected_s is None:
            return
        patience_s = max(self._patience_s, _PATIENCE * expected_s)
        with self._lock:
            is_over = watch not in self._watches
        if is_over or silent_s < patience_s:
            return
        _log.warning("%s shows no sign of life for %.0f s; its call is given up", watch.instance.name, silent_s)
        watch.holding.hung_after_s = silent_s
        watch.instance.abort()
