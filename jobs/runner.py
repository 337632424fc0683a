"""Runs generations in this process, each in a thread of its own, and keeps their records true."""

import logging
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from agent.calls import Cancellation
from jobs.background import Background
from jobs.context import generation_id
from jobs.courses import Courses
from jobs.given import Given
from jobs.job import Job, Stop
from jobs.parts import Parts
from jobs.progress import Progress, weight_of
from jobs.recorder import Recorder, described
from jobs.run import OperationFunction, Run
from jobs.starts import MAX_STARTED, Starts
from jobs.submission import Product, inputs_of
from jobs.threads import in_thread, run_into
from jobs.times import times_of
from jobs.writing import Writing
from store.claims import Claim
from store.clock import utc_now
from store.documents import ErrorRecord, GenerationRecord
from store.errors import OwnershipLostError, StoreError, StoreUnavailableError

logger = logging.getLogger(__name__)

Operation = tuple[int, str]
"""APP_ID and name."""

JOB_TIMEOUT_S = 3600.0


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
        self._chats_only = chats_only
        self._attendant = attendant
        self._timeout_s = timeout_s
        self._starts: Starts[Job] = Starts(max_started)
        self._jobs: dict[str, Job] = {}
        self._coming: set[str] = set()

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs in this process's hands, begun or not."""
        return tuple(self._jobs.values())

    def in_hand(self) -> frozenset[str]:
        """The ids of the jobs in this process's hands, and of those on their way into them."""
        return frozenset((*self._jobs, *self._coming))

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
        return self._starts.room()

    def take(self, record: GenerationRecord) -> None:
        """Run a generation that is this runner's, in a thread, as soon as there is room; returns at once."""
        self._take(record, self._parts.stores.generations.claim_of(record))

    def fetch(self, generation_id: str) -> bool:
        """Claim a generation that waits, and run it as `take` does; False if it is not to be had.

        Raises:
            StoreError: the database is away; it may or may not be this runner's now.
        """
        with self.coming(generation_id):
            if claimed := self._claimed(generation_id):
                self._take(*claimed)
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
            self._run(job)
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

    def hand_over(self, *, begun: bool) -> None:
        """Give the jobs back that have not begun, and with `begun` all the others as well; others may take them."""
        for job in self._starts.withdraw_all() if not begun else self.jobs:
            job.stop(Stop.HANDOVER)
            if not begun:
                self._settle(job, None)

    def _claimed(self, generation_id: str) -> tuple[GenerationRecord, Claim] | None:
        generations = self._parts.stores.generations
        try:
            claim = generations.claim(generation_id, self.id)
        except OwnershipLostError:
            return None
        record = generations.get(generation_id)
        return None if record is None else (record, claim)

    def _take(self, record: GenerationRecord, claim: Claim) -> None:
        job = self._job_of(record, claim)
        if self._starts.offer(job.share, job.id, job) is not None:
            in_thread(partial(self._work_from, job), f"job {job.id}")

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
        job = Job(record, writing, recorder, cancellation)
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
            self._run(job)
            job = self._starts.next_after(job.share)

    def _run(self, job: Job) -> None:
        token = generation_id.set(job.id)
        done: Future[tuple[Product, ...]] = Future()
        try:
            job.began_at = utc_now()
            logger.info("%s begins", job.record.operation)
            run_into(done, partial(self._operate, job))
            self._settle(job, done)
        finally:
            generation_id.reset(token)

    def _operate(self, job: Job) -> tuple[Product, ...]:
        record = job.record
        function = self._functions[record.app_id, record.operation]
        run = Run(inputs_of(record), self._parts, job.recorder, Given.of(record, self._parts))
        return tuple(function(run))

    def _settle(self, job: Job, done: "Future[tuple[Product, ...]] | None") -> None:
        """Write how a job ended and let it go; `done` is None for one that never began."""
        try:
            self._write_end(job, done)
        except OwnershipLostError as exc:
            logger.info("%s is not ended here: %s", job.record.operation, exc)
        except StoreError as exc:
            # The heartbeat finds it, as soon as the database is back, among those that nobody works on.
            logger.warning("the end of %s is not written: %s", job.record.operation, exc)
        finally:
            job.close()
            self._jobs.pop(job.id, None)
            self._attendant.ended(job)
            # Who wrote the end has said so.
            if not job.is_ended_here:
                self._attendant.changed(job.id, True)

    def _write_end(self, job: Job, done: "Future[tuple[Product, ...]] | None") -> None:
        error = None if done is None else done.exception()
        if job.stop_reason is Stop.GONE:
            logger.info("%s was ended by others", job.record.operation)
        elif done is not None and error is None:
            self._finish(job, done.result())
        elif job.stop_reason is Stop.HANDOVER:
            self._hand_over(job)
        elif job.stop_reason is Stop.LATE:
            self._fail(job, ErrorRecord(type="JobTimeoutError", message=self._late()))
        elif error is not None:
            self._fail(job, described(error))

    def _finish(self, job: Job, products: tuple[Product, ...]) -> None:
        try:
            job.recorder.finish(products, self._times(job))
        except (OwnershipLostError, StoreUnavailableError):
            raise
        except StoreError as exc:
            # It is too large, for example; then the record must at least say so.
            self._fail(job, described(exc))
            return
        job.is_ended_here = True
        logger.info("%s succeeded", job.record.operation)
        self._courses.learn(job.record, job.recorder.progress)

    def _fail(self, job: Job, error: ErrorRecord) -> None:
        job.recorder.fail(error, self._times(job))
        job.is_ended_here = True
        logger.info("%s failed: %s", job.record.operation, error.type)

    def _hand_over(self, job: Job) -> None:
        job.writing.drain()
        if self._parts.stores.generations.requeue(job.id, self.id):
            logger.info("%s goes back into the queue, as this process ends", job.record.operation)
            self._parts.metrics.job_requeued(job.record.operation)
        else:
            self._fail(job, ErrorRecord(type="RunnerDiedError", message="the server was stopped before it ended"))

    def _times(self, job: Job) -> dict[str, float]:
        began_at = job.began_at or utc_now()
        return times_of(job.record.created_at, began_at, job.recorder.steps, job.first_total_s)

    def _late(self) -> str:
        return f"it did not end within the {self._timeout_s:g} s that a job has (JOB_TIMEOUT); ask for less"

    def _lose(self, generation_id: str) -> None:
        logger.warning("generation %s is not this runner's any more; the work on it stops", generation_id)
        self.cancel(generation_id)
