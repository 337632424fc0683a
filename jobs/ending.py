"""How a job ends, whatever ended it: written to its record once, or left to whoever has it now."""

import logging
from concurrent.futures import Future
from typing import Any

from agent.errors import AgentError
from jobs.courses import Courses
from jobs.errors import JobError
from jobs.job import Job, Stop
from jobs.parts import Parts
from jobs.recorder import described
from jobs.submission import Product, output_of
from jobs.times import times_of
from settings.errors import SettingsError
from store.clock import utc_now
from store.documents import ErrorRecord, GenerationRecord
from store.errors import OwnershipLostError, StoreError, StoreUnavailableError

logger = logging.getLogger(__name__)

Done = Future[tuple[Product, ...]]

FORESEEN = (AgentError, JobError, SettingsError, StoreError)
"""Errors that say all there is to say; of any other the log must have the place."""


class Ending:
    """Writes the ends of the jobs of one runner."""

    def __init__(self, runner_id: str, parts: Parts, courses: Courses, timeout_s: float) -> None:
        self._runner_id = runner_id
        self._parts = parts
        self._courses = courses
        self._timeout_s = timeout_s

    def write(self, job: Job, done: Done | None) -> None:
        """Write how a job ended; `done` is None for one that never began."""
        try:
            self._write(job, done)
        except OwnershipLostError as exc:
            logger.info("%s is not ended here: %s", job.record.operation, exc)
        except StoreError as exc:
            # The heartbeat finds it, as soon as the database is back, among those that nobody works on.
            logger.warning("the end of %s is not written: %s", job.record.operation, exc)

    def _write(self, job: Job, done: Done | None) -> None:
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
            if not isinstance(error, FORESEEN):
                logger.error("unexpected %s, request %s", type(error).__name__, job.record.request_id, exc_info=error)
            self._fail(job, described(error))

    def _finish(self, job: Job, products: tuple[Product, ...]) -> None:
        outputs = tuple(output_of(product, index) for index, product in enumerate(products))
        times = _times(job)
        job.outcome = _ended(job, {"state": "succeeded", "outputs": outputs, "times": times})
        try:
            job.recorder.finish(products, times)
        except (OwnershipLostError, StoreUnavailableError):
            raise
        except StoreError as exc:
            # It is too large, for example; then the record must at least say so.
            self._fail(job, described(exc))
            return
        logger.info("%s succeeded", job.record.operation)
        self._courses.learn(job.record, job.recorder.progress)

    def _fail(self, job: Job, error: ErrorRecord) -> None:
        times = _times(job)
        job.outcome = _ended(job, {"state": "failed", "error": error, "times": times})
        job.recorder.fail(error, times)
        logger.info("%s failed: %s", job.record.operation, error.type)

    def _hand_over(self, job: Job) -> None:
        job.writing.drain()
        if self._parts.stores.generations.requeue(job.id, self._runner_id):
            logger.info("%s goes back into the queue, as this process ends", job.record.operation)
            self._parts.metrics.job_requeued(job.record.operation)
        else:
            self._fail(job, ErrorRecord(type="RunnerDiedError", message="the server was stopped before it ended"))

    def _late(self) -> str:
        return f"it did not end within the {self._timeout_s:g} s that a job has (JOB_TIMEOUT); ask for less"


def _ended(job: Job, what: dict[str, Any]) -> GenerationRecord:
    moments = {"started_at": job.writing.began_at, "ended_at": utc_now()}
    return job.record.model_copy(update={**moments, **what})


def _times(job: Job) -> dict[str, float]:
    began_at = job.began_at or utc_now()
    return times_of(job.record.created_at, began_at, job.recorder.steps, job.first_total_s)
