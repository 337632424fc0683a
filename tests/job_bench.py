"""Processes that run jobs, as tests build them: several in one Python process, on one database and one folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from agent.host import Host
from agent.ledger import Ledger
from apps.registry import PRESETS, PROMPTS
from jobs.parts import Parts
from jobs.run import Run
from jobs.service import Jobs, Terms
from jobs.submission import Inputs, Product, Submission
from settings.book import SettingsBook
from store.documents import GenerationInputs, GenerationRecord
from store.ids import new_id
from store.stores import Stores

T = TypeVar("T")
Operation = Callable[[Run], Sequence[Product]]
SETTINGS = Path(__file__).parent.parent / "settings"


@dataclass
class Process:
    """One process: what it shares with the others is the database and the folder."""

    jobs: Jobs
    host: Host
    ledger: Ledger

    def die(self) -> None:
        """Be dead for the others, as after `kill -9`: nothing is given back."""
        self.jobs._shop.heartbeat._stopped.set()
        self.host.stop()


@dataclass
class Bench:
    """Builds processes, and ends them all."""

    stores: Stores
    folder: Path
    _processes: list[Process] = field(default_factory=list)

    @property
    def parts(self) -> Parts:
        """Parts without any model service."""
        return Parts(self.stores, SettingsBook.load(SETTINGS, PROMPTS, PRESETS), chat=None, pool=None, multiview=None)

    def process(self, operation: Operation = lambda _run: [], **more: Any) -> Process:
        """Build a process in which the operation `op` is this function."""
        host = Host(self.folder / "pool", new_id())
        ledger = Ledger(host)
        parts = more.pop("parts", self.parts)
        process = Process(Jobs(parts, {(1, "op"): operation}, host, ledger, Terms(**more)), host, ledger)
        self._processes.append(process)
        return process

    def jobs(self, operation: Operation = lambda _run: [], **more: Any) -> Jobs:
        """Build a process, and give its door."""
        return self.process(operation, **more).jobs

    def end(self) -> None:
        """End all processes."""
        for process in self._processes:
            process.jobs.stop()
            process.ledger.close()
            process.host.stop()


@contextmanager
def job_bench(stores: Stores, folder: Path) -> Iterator[Bench]:
    """Have a bench while the block runs."""
    bench = Bench(stores, folder)
    try:
        yield bench
    finally:
        bench.end()


class Gate:
    """An operation that says when it has begun, and goes on when it may."""

    def __init__(self, *products: Product) -> None:
        self.products = products
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.running = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, run: Run) -> Sequence[Product]:
        """Begin a step, and hold it until it may end, or until the job is canceled."""
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            with run._recorder.step("chat", "held"):
                self.begun.release()
                while not self.may_end.wait(0.01):
                    run._recorder.raise_if_canceled()
        finally:
            with self._lock:
                self.running -= 1
        return self.products

    def wait_until_begun(self, count: int = 1) -> None:
        """Wait for so many more to have begun."""
        for _ in range(count):
            assert self.begun.acquire(timeout=10)


def submission(participant: str = "participant", num: int = 1, **more: Any) -> Submission:
    """Ask for the operation `op`."""
    given = {name: more.pop(name) for name in ("texts", "image_ids") if name in more}
    return Submission(1, "op", participant, Inputs("task", num, 7, **given), request_id="r", **more)


def record_for(owner: str, **more: Any) -> GenerationRecord:
    """Make a record of the operation `op` in somebody's hands, or in nobody's."""
    inputs = GenerationInputs(task="task")
    return GenerationRecord(app_id=1, participant_id="p", operation="op", inputs=inputs, owner=owner, **more)


def kept(stores: Stores, generation_id: str) -> GenerationRecord:
    """Read a record that is there."""
    record = stores.generations.get(generation_id)
    assert record is not None
    return record


def until(condition: Callable[[], T], timeout_s: float = 10) -> T:
    """Ask until the answer is true, and return it."""
    end = time.monotonic() + timeout_s
    while not (answer := condition()):
        assert time.monotonic() < end, f"it did not come about in {timeout_s:g} s"
        time.sleep(0.005)
    return answer
