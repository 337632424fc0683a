"""Runs generations in this process, each in a thread of its own, and keeps their records true."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import Context
from functools import partial
from typing import Protocol

from agent.calls import Cancellation
from jobs.background import Background
from jobs.context import context_of
from jobs.courses import Courses
from jobs.ending import Done, Ending
from jobs.given import Given
from jobs.job import Job, Stop
from jobs.parts import Parts
from jobs.progress import Progress, weight_of
from jobs.recorder import Recorder
from jobs.run import OperationFunction, Run
from jobs.starts import MAX_STARTED, Starts
from jobs.submission import Product, inputs_of
from jobs.threads import in_thread, run_into, tell_error
from jobs.writing import Writing
from store.claims import Claim
from store.clock import utc_now
from store.documents import GenerationRecord
from store.errors import OwnershipLostError

logger = logging.getLogger(__name__)

Operation = tuple[int, str]
"""APP_ID and name."""

JOB_TIMEOUT_S = 3600.0
_LOOK_S = 0.02


class Attendant(Protocol):
    """Who looks after jobs while a runner works on them; all of it quick, and from any thread."""

    def taken(self, job: Job) -> None:
        """Know that a job is in this process's hands now."""

    def changed(self, generation_id: str, is_end: bool) -> None:
        """Know that its record was written, and whether it has ended for this process."""

    def ended(self, job: Job) -> None:
        """Know that a job has left this process's hands, told once."""


class Runner:
    """Takes generations whose records are written, and brings each to its end; one for each process.

    Args:
        runner_id: stands as `owner` in the records that it works on.
        parts: what operations are made with.
        functions: the function of every operation.
        chats_only: the operations that need no instance.
        courses: remembers how long which operation takes.
        background: writes what is noted on the way.
        attendant: is told of what happens to the jobs.
        timeout_s: how long one may take, from when it came here.
    """

    def __init__(
        self,
        runner_id: str,
        parts: Parts,
        functions: Mapping[Operation, OperationFunction],
        background: Background,
        courses: Courses,
        attendant: Attendant,
        *,
        chats_only: frozenset[Operation] = frozenset(),
        max_started: int = MAX_STARTED,
        timeout_s: float = JOB_TIMEOUT_S,
    ) -> None:
        self.id = runner_id
        self._parts = parts
        self._functions = functions
        self._background = background
        self._courses = courses
        self._ending = Ending(runner_id, parts, courses, timeout_s)
        self._chats_only = chats_only
        self._attendant = attendant
        self._timeout_s = timeout_s
        self._starts: Starts[Job] = Starts(max_started)
        self._jobs: dict[str, Job] = {}
        self._coming: set[str] = set()
        self._is_retired = False

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs in this process's hands, begun or not."""
        return tuple(self._jobs.values())

    def in_hand(self) -> frozenset[str]:
        """The ids of the jobs in this process's hands, and of those on their way into them."""
        return frozenset((*self._jobs, *self._coming))

    def written(self) -> frozenset[str]:
        """The ids of the jobs in this process's hands whose records are surely there: not those on their way."""
        return frozenset(self._jobs).difference(self._coming)

    @contextmanager
    def coming(self, generation_id: str) -> Iterator[None]:
        """Count a generation as in this process's hands while its record is made this runner's."""
        self._coming.add(generation_id)
        try:
            yield
        finally:
            self._coming.discard(generation_id)

    def job(self, generation_id: str) -> Job | None:
        """Give a job that is in this process's hands."""
        return self._jobs.get(generation_id)

    def place(self, job: Job) -> int | None:
        """Say how many jobs of this process begin before this one, as far as is known; None if it has begun."""
        return self._starts.place(job.share, job.id)

    def room(self) -> int:
        """Say how many more jobs could begin here at once."""
        return 0 if self._is_retired else self._starts.room()

    def take(self, record: GenerationRecord, write: Callable[[], object] = lambda: None) -> None:
        """Run a generation that is this runner's, in a thread, as soon as there is room; returns when it is written.

        `write` writes its record. The work begins meanwhile, but nothing of it is written before. What `write` raises
        is raised here, and the work ends.
        """
        job = self._job_of(record, self._parts.stores.generations.claim_of(record))
        with job.writing.held():
            self._start(job)
            try:
                write()
            except BaseException:
                self.cancel(job.id, Stop.GONE)
                raise

    def fetch(self, generation_id: str) -> bool:
        """Claim a generation that waits, and run it as `take` does; False if it is not to be had.

        Raises:
            StoreError: the database is away; it may or may not be this runner's now.
        """
        with self.coming(generation_id):
            if claimed := self._claimed(generation_id):
                self._start(self._job_of(*claimed))
        return claimed is not None

    def adopt(self, generation_id: str) -> bool:
        """Claim a generation that waits, and run it to its end in this thread; False if it is not to be had.

        Raises:
            StoreError: as `fetch` does.
        """
        with self.coming(generation_id):
            claimed = self._claimed(generation_id)
            job = None if claimed is None else self._job_of(*claimed)
        if job is not None:
            job.context.run(self._run, job)
        return job is not None

    def cancel(self, generation_id: str, reason: Stop = Stop.GONE) -> bool:
        """Let go of a job, at once; False if it is not in this process's hands. Nothing is written if it is gone."""
        job = self._jobs.get(generation_id)
        if job is None:
            return False
        job.stop(reason)
        # One that has not begun has no thread that would see to it.
        if self._starts.withdraw(job.share, job.id) is not None:
            self._settle(job, None)
        return True

    def give_up_late(self) -> None:
        """Let go of the jobs that have had their time; to be called now and then."""
        oldest_s = time.monotonic() - self._timeout_s
        for job in self.jobs:
            if job.taken_s < oldest_s:
                self.cancel(job.id, Stop.LATE)

    def retire(self, keeps: Callable[[Job], bool]) -> None:
        """Fetch nothing any more, and give the jobs back that have not begun, but for those that `keeps` says."""
        self._is_retired = True
        for job in self.jobs:
            if not (job.recorder.has_begun or keeps(job)):
                self.cancel(job.id, Stop.HANDOVER)

    def hand_over(self) -> None:
        """Give all jobs back, so that others may take them; fetch nothing any more."""
        self.retire(lambda _job: False)
        for job in self.jobs:
            self.cancel(job.id, Stop.HANDOVER)

    def wait_until_idle(self, timeout_s: float) -> None:
        """Wait until no job is left, for so many seconds at most."""
        end_s = time.monotonic() + timeout_s
        while self.jobs and time.monotonic() < end_s:
            time.sleep(_LOOK_S)

    def _claimed(self, generation_id: str) -> tuple[GenerationRecord, Claim] | None:
        generations = self._parts.stores.generations
        try:
            claim = generations.claim(generation_id, self.id)
        except OwnershipLostError:
            return None
        record = generations.get(generation_id)
        return None if record is None else (record, claim)

    def _start(self, job: Job) -> None:
        if self._starts.offer(job.share, job.id, job) is not None:
            working = Context().run(in_thread, partial(self._work_from, job), f"job {job.id}")
            working.add_done_callback(tell_error)

    def _job_of(self, record: GenerationRecord, claim: Claim) -> Job:
        cancellation, operation = Cancellation(), (record.app_id, record.operation)
        writing = Writing(
            self._parts.stores.generations,
            claim,
            self._background,
            changed=partial(self._attendant.changed, record.id),
            lost=partial(self._lose, record.id),
        )
        recorder = Recorder(
            writing,
            cancellation,
            self._progress_of(record),
            share=record.participant_id,
            chats_only=operation in self._chats_only,
        )
        job = Job(record, writing, recorder, cancellation, context_of(record.id, record.request_id))
        self._jobs[job.id] = job
        self._attendant.taken(job)
        return job

    def _progress_of(self, record: GenerationRecord) -> Progress:
        each = weight_of("chat" if (record.app_id, record.operation) in self._chats_only else "txt2img")
        return Progress(each * record.inputs.num, self._courses.of(record))

    def _work_from(self, first: Job) -> None:
        """Run a job, and then, in the same thread, whichever is next."""
        job: Job | None = first
        while job is not None:
            job.context.run(self._run, job)
            job = self._starts.next_after(job.share)

    def _run(self, job: Job) -> None:
        done: Done = Future()
        job.began_at = utc_now()
        job.recorder.progress.start()
        logger.info("%s begins", job.record.operation)
        run_into(done, partial(self._operate, job))
        self._settle(job, done)

    def _operate(self, job: Job) -> tuple[Product, ...]:
        record = job.record
        function = self._functions[record.app_id, record.operation]
        run = Run(inputs_of(record), self._parts, job.recorder, Given.of(record, self._parts))
        return tuple(function(run))

    def _settle(self, job: Job, done: Done | None) -> None:
        """Have a job's end written, and let it go; `done` is None for one that never began."""
        try:
            self._ending.write(job, done)
        finally:
            job.close()
            self._jobs.pop(job.id, None)
            self._attendant.ended(job)
            # Who wrote the end has said so.
            if not job.writing.is_ended:
                self._attendant.changed(job.id, True)

    def _lose(self, generation_id: str) -> None:
        logger.warning("generation %s is not this runner's any more; the work on it stops", generation_id)
        self.cancel(generation_id)
