"""A few threads for work that nobody waits for, and one that knows what is due when."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import Context
from queue import SimpleQueue

from jobs.threads import in_thread, run_into, tell_error

THREADS = 4
STOP_S = 10.0
Work = Callable[[], object]


class Alarm:
    """Something that is due at a time of the monotonic clock, unless it is called off."""

    def __init__(self, due_s: float, work: Work) -> None:
        self.due_s = due_s
        self.work: Work | None = work

    def call_off(self) -> None:
        """Let it not happen; too late is no error."""
        # What it would have done holds a whole job in memory, so it is let go at once and not when it is due.
        self.work = None


class Background:
    """Runs work soon or later, in threads that are made when they are first needed."""

    def __init__(self, threads: int = THREADS) -> None:
        self._limit = threads
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._workers: list[Future[None]] = []
        self._idle = 0
        self._clock: Future[None] | None = None
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._is_stopped = False

    def soon(self, work: Work) -> None:
        """Run it as soon as one of the threads is free; nothing happens after `stop`."""
        with self._changed:
            if self._is_stopped:
                return
            if self._idle <= 0 and len(self._workers) < self._limit:
                self._workers.append(_thread(self._work_on, "background"))
            else:
                self._idle -= 1
            self._queue.put(work)

    def after(self, delay_s: float, work: Work) -> Alarm:
        """Run it in one of the threads when so many seconds are over."""
        alarm = Alarm(time.monotonic() + delay_s, work)
        with self._changed:
            is_first = not self._alarms or alarm.due_s < self._alarms[0][0]
            heapq.heappush(self._alarms, (alarm.due_s, next(self._numbers), alarm))
            if self._clock is None and not self._is_stopped:
                self._clock = _thread(self._go_on, "clock")
            elif is_first:
                self._changed.notify()
        return alarm

    def stop(self) -> None:
        """Forget what is not due yet, and wait for a while for what has begun."""
        with self._changed:
            self._is_stopped = True
            self._alarms.clear()
            self._changed.notify_all()
            for _ in self._workers:
                self._queue.put(None)
        wait([*self._workers, *([self._clock] if self._clock else ())], timeout=STOP_S)

    def _work_on(self) -> None:
        while (work := self._queue.get()) is not None:
            done: Future[object] = Future()
            run_into(done, work)
            tell_error(done)
            with self._changed:
                self._idle += 1

    def _go_on(self) -> None:
        while (alarm := self._next()) is not None:
            if (work := alarm.work) is not None:
                self.soon(work)

    def _next(self) -> Alarm | None:
        """Wait until the first alarm is due; None at the end."""
        with self._changed:
            while not self._is_stopped:
                if not self._alarms:
                    self._changed.wait()
                elif (wait_s := self._alarms[0][0] - time.monotonic()) > 0:
                    self._changed.wait(wait_s)
                else:
                    return heapq.heappop(self._alarms)[2]
        return None


def _thread(work: Callable[[], None], name: str) -> "Future[None]":
    # Without the context of whoever happened to come first, whose generation would stand in every log line.
    return Context().run(in_thread, work, name)
