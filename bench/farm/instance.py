"""One WebUI of the farm: a queue, a checkpoint in memory, one job at a time, and the time that all of it takes."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.farm.journal import Entry
from standins.webui.checkpoints import DEFAULTS, Checkpoint
from standins.webui.errors import CrashedError
from standins.webui.state import State, Tasks

CRASH_S = 0.05


@dataclass
class Timing:
    """Seconds for one picture, one load and one segmentation; shared by all instances and changed while they run."""

    image_s: float = 1.0
    load_s: float = 2.0
    segment_s: float = 0.5


class Instance:
    """Its calls queue in the order in which they came, as in the real one, and the journal sees each of them."""

    def __init__(self, name: str, timing: Timing) -> None:
        """Start idle with the first checkpoint loaded."""
        self.name = name
        self.timing = timing
        self.checkpoints = [Checkpoint(model_name) for model_name in DEFAULTS]
        self.loaded = self.checkpoints[0]
        self.loaded.is_hashed = True
        self.journal: list[Entry] = []
        self.fault = ""
        self.state, self.tasks = State(), Tasks()
        self._queue = asyncio.Lock()
        self._present = 0
        self._stop = asyncio.Event()
        self._job_s = 0.0
        self._recovered = asyncio.Event()

    def find(self, name: object) -> Checkpoint | None:
        """Look a checkpoint up by any of its names."""
        return next((one for one in self.checkpoints if isinstance(name, str) and one.answers_to(name)), None)

    def put(self, name: str | None) -> None:
        """Put a checkpoint into memory at once; an unknown name changes nothing."""
        self.loaded = self.find(name) or self.loaded
        self.loaded.is_hashed = True

    async def paint(self, kind: str, checkpoint: Checkpoint | None, task_id: str, seed: int, pictures: int) -> Entry:
        """Run one txt2img or img2img call from its arrival to its end; CrashedError under the fault `error_500`."""
        self.tasks.add(task_id)
        async with self._turn(kind, checkpoint, task_id, seed, pictures) as entry:
            await self._load(checkpoint or self.loaded, entry)
            entry.start = time.time()
            self._begin(kind, task_id, pictures)
            try:
                await self._meet_fault()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), self._job_s)
            finally:
                self.state.end()
            self.tasks.finish(task_id)
            entry.outcome = "interrupted" if self.state.interrupted else "done"
        return entry

    async def load(self, checkpoint: Checkpoint) -> None:
        """Load a checkpoint when the queue lets us, as POST /options does."""
        if checkpoint is self.loaded and not self._present:
            return
        async with self._turn("load", checkpoint, "", -1, 0) as entry:
            await self._load(checkpoint, entry)
            entry.start, entry.outcome = time.time(), "done"

    async def segment(self) -> Entry:
        """Run Segment Anything, which asks the queue of jobs nothing."""
        entry = self._arrived("sam-predict", None, "", -1, 0)
        self._present += 1
        try:
            entry.start = time.time()
            await self._meet_fault()
            await asyncio.sleep(self.timing.segment_s)
            entry.outcome = "done"
        finally:
            self._leave(entry)
        return entry

    def interrupt(self) -> None:
        """End whatever runs now."""
        self.state.interrupt()
        self._stop.set()

    def hasten(self) -> None:
        """End what runs now as if its time were over."""
        self._stop.set()

    def set_fault(self, kind: str) -> None:
        """Make every heavy call from now on hang or fail; an empty kind lets even those that hang go on."""
        self.fault = kind
        self._recovered.clear() if kind else self._recovered.set()

    def fraction(self) -> float:
        """Done part of the job that runs now, 0 to 1."""
        # What hangs makes no progress: that is how it can be told from what is slow.
        if not self.state.job or not self.state.time_start or not self._job_s or self.fault == "hang":
            return 0.0
        return min(1.0, (time.time() - self.state.time_start) / self._job_s)

    @asynccontextmanager
    async def _turn(
        self, kind: str, checkpoint: Checkpoint | None, task_id: str, seed: int, pictures: int
    ) -> AsyncIterator[Entry]:
        entry = self._arrived(kind, checkpoint, task_id, seed, pictures)
        self._present += 1
        try:
            async with self._queue:
                yield entry
        finally:
            self._leave(entry)

    def _arrived(self, kind: str, checkpoint: Checkpoint | None, task_id: str, seed: int, pictures: int) -> Entry:
        name = checkpoint.model_name if checkpoint else ""
        entry = Entry(self.name, kind, task_id, name, seed, pictures, arrived=time.time(), others=self._present)
        self.journal.append(entry)
        return entry

    def _leave(self, entry: Entry) -> None:
        entry.end = time.time()
        if entry.outcome == "running":
            entry.outcome = "failed"
        self._present -= 1

    async def _load(self, wanted: Checkpoint, entry: Entry) -> None:
        if wanted is self.loaded:
            return
        entry.load_start = time.time()
        await asyncio.sleep(self.timing.load_s)
        self.loaded, wanted.is_hashed = wanted, True
        entry.load_end = time.time()

    async def _meet_fault(self) -> None:
        if self.fault == "hang":
            await self._recovered.wait()
        elif self.fault == "error_500":
            await asyncio.sleep(CRASH_S)
            raise CrashedError("RuntimeError", "stand-in fault: an error inside the server")

    def _begin(self, kind: str, task_id: str, pictures: int) -> None:
        self.state.begin(f"scripts_{kind}")
        self.state.job_count = 1
        self._stop.clear()
        self._job_s = self.timing.image_s * pictures
        self.tasks.start(task_id)
