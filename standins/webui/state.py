"""What a WebUI knows about the job that runs: the queue, the tasks by id, the state behind /progress."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from standins.gate import Counts


class FifoQueue:
    """A lock whose waiters get it in the order in which they came."""

    def __init__(self) -> None:
        """Start free."""
        self._changed = threading.Condition()
        self._tickets: deque[object] = deque()

    @contextmanager
    def turn(self, counts: Counts | None = None) -> Iterator[None]:
        """Wait for one's turn and hold it; who really waits is counted as `queued`."""
        ticket = object()
        with self._changed:
            self._tickets.append(ticket)
            must_wait = counts is not None and self._tickets[0] is not ticket
            if counts and must_wait:
                counts.add("queued", 1)
            while self._tickets[0] is not ticket:
                self._changed.wait()
            if counts and must_wait:
                counts.add("queued", -1)
        try:
            yield
        finally:
            with self._changed:
                self._tickets.popleft()
                self._changed.notify_all()


class Tasks:
    """Ids of jobs. As in the WebUI one that fails is never finished, and one that fails early stays pending."""

    def __init__(self) -> None:
        """Know no id."""
        self.pending: dict[str, float] = {}
        self.current: str | None = None
        self.finished: deque[str] = deque(maxlen=16)

    def add(self, task_id: str) -> None:
        """Queue it."""
        self.pending[task_id] = time.time()

    def start(self, task_id: str) -> None:
        """Make it the current one."""
        self.current = task_id
        self.pending.pop(task_id, None)

    def finish(self, task_id: str) -> None:
        """It ended well."""
        self.finished.append(task_id)
        if self.current == task_id:
            self.current = None


class State:
    """The one job's progress. `interrupted` stays true after the job until the next begins."""

    def __init__(self) -> None:
        """Idle, nothing ever run."""
        self.stop = threading.Event()
        self.job, self.job_count, self.job_no, self.job_timestamp = "", 0, 0, "0"
        self.sampling_step, self.sampling_steps = 0, 0
        self.skipped, self.interrupted = False, False
        self.time_start: float | None = None
        self.preview: Image.Image | None = None
        self.id_live_preview = 0

    def begin(self, job: str) -> None:
        """A job starts: every mark of the last one goes."""
        self.job, self.job_count, self.job_no = job, -1, 0
        self.job_timestamp = time.strftime("%Y%m%d%H%M%S")
        self.sampling_step, self.sampling_steps = 0, 0
        self.skipped, self.interrupted = False, False
        self.time_start, self.preview, self.id_live_preview = time.time(), None, 0
        self.stop.clear()

    def next_job(self) -> None:
        """One iteration of n_iter is done."""
        self.job_no += 1
        self.sampling_step = 0

    def end(self) -> None:
        """Idle again; numbers keep their last values."""
        self.job, self.job_count, self.preview = "", 0, None

    def interrupt(self) -> None:
        """End whatever runs now, at its next step."""
        self.interrupted = True
        self.stop.set()

    def skip(self) -> None:
        """End the current iteration at its next step."""
        self.skipped = True
        self.stop.set()

    def fraction(self) -> float:
        """Done part of the job, 0 to 1."""
        if self.job_count <= 0:
            return 0.0
        steps = self.sampling_step / self.sampling_steps / self.job_count if self.sampling_steps else 0.0
        return self.job_no / self.job_count + steps

    def as_dict(self) -> dict[str, Any]:
        """The `state` of /sdapi/v1/progress."""
        return {
            "skipped": self.skipped, "interrupted": self.interrupted, "stopping_generation": False, "job": self.job,
            "job_count": self.job_count, "job_timestamp": self.job_timestamp, "job_no": self.job_no,
            "sampling_step": self.sampling_step, "sampling_steps": self.sampling_steps,
        }  # fmt: skip
