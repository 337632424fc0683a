"""The one door to jobs: submit, wait, look, follow, cancel; the same wherever they run."""

import logging
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from agent.errors import SDError
from agent.host import Host
from agent.ledger import Ledger
from jobs.errors import QueueFullError, StoppingError
from jobs.parts import Parts
from jobs.run import OperationFunction
from jobs.runner import Operation, Runner
from jobs.submission import Submission, record_of
from jobs.viewing import JobView
from jobs.workshop import Terms, set_up
from store.documents import ENDED, ErrorRecord, GenerationRecord
from store.generations import as_inserted

__all__ = ["JobView", "Jobs", "Terms"]

logger = logging.getLogger(__name__)

CANCELED: Final = "it was canceled before it ended"
HANDOVER_S: Final = 5.0


class Jobs:
    """The jobs of a server, as one of its processes sees and runs them. Nothing begins before `start`.

    Args:
        parts: what operations are made with.
        functions: the function of every operation, by (APP_ID, name).
        host, ledger: this process among the others of its host.
    """

    def __init__(
        self,
        parts: Parts,
        functions: Mapping[Operation, OperationFunction],
        host: Host,
        ledger: Ledger,
        terms: Terms | None = None,
    ) -> None:
        self._parts = parts
        self._functions = functions
        self._host = host
        self._shop = set_up(parts, functions, host, ledger, terms or Terms(), self._give_up)
        self._is_started = self._is_stopping = False
        self._lock = threading.Lock()

    @property
    def runner(self) -> Runner:
        """What runs jobs in this process."""
        return self._shop.runner

    @property
    def is_stopping(self) -> bool:
        """Whether this process is going to end, so that whoever only watches should come back to another one."""
        return self._is_stopping

    def start(self) -> None:
        """Live among the other processes, and look for what waits; called at the first request, so after any fork."""
        if self._is_started:
            return
        with self._lock:
            if self._is_started:
                return
            self._host.hear("job", self._shop.watch.heard)
            self._host.hear("cancel", lambda name: self._shop.background.soon(partial(self.runner.cancel, name)))
            self._live()
            self._shop.heartbeat.start()
            self._is_started = True

    def beat(self) -> None:
        """Tell the other processes at once what they may know of this one, as it has changed. Raises StoreError."""
        self._shop.heartbeat.beat()

    def submit(self, submission: Submission) -> GenerationRecord:
        """Accept a generation: its record is written when this returns, and somebody runs it.

        Raises:
            QueueFullError, UnservableError, StoppingError: it is not accepted; nothing is kept.
            StoreError: the record could not be written.
        """
        # An operation that nobody knows leaves no record.
        self._functions[submission.app_id, submission.operation]
        if self._is_stopping:
            raise StoppingError("this server process is being stopped; send the request again")
        self.start()
        self._shop.admission.check_servable(submission)
        self._admit(submission)
        with self.runner.coming(submission.generation_id):
            try:
                record = self._taken(submission)
            except BaseException:
                self._shop.admission.dismiss(submission.generation_id)
                raise
            self._parts.metrics.job_accepted(record.operation)
        if not record.owner and submission.cancel_after_s is not None:
            # Nobody has it yet who would know that it is late.
            self._shop.background.after(submission.cancel_after_s, partial(self._give_up, record.id))
        return record

    def run(self, submission: Submission) -> GenerationRecord:
        """Accept a generation and give its record when it has ended, whatever the end; its steps may be missing.

        Raises as `submit` and `wait` do.
        """
        return self._shop.viewing.outcome(self.submit(submission).id)

    def wait(self, generation_id: str, timeout_s: float | None) -> GenerationRecord:
        """Give the record at its end, or as it is after so many seconds (None: no limit).

        Raises:
            NotFoundError: there is none of this id.
            StoreError: it cannot be read.
        """
        return self._shop.viewing.wait(generation_id, timeout_s)

    def view(self, generation_id: str) -> JobView | None:
        """Show a job as it is now; None if there is none of this id. Raises StoreError."""
        return self._shop.viewing.view(generation_id)

    def follow(self, generation_id: str, after: int, silence_s: float = 10.0) -> Iterator[JobView | None]:
        """Show a job each time that it came on since the revision `after`, until its end; None while all is silent."""
        return self._shop.viewing.follow(generation_id, after, silence_s)

    def cancel(self, generation_id: str, reason: str = CANCELED) -> GenerationRecord:
        """End a job: what waits is dropped, what runs is interrupted; one that has ended is given as it is.

        Raises:
            NotFoundError: there is none of this id.
            StoreError: the record could not be written; the job goes on.
        """
        before = self._parts.stores.generations.get(generation_id)
        if before is not None and before.state in ENDED:
            return before
        error = ErrorRecord(type="JobCanceledError", message=reason)
        record = self._parts.stores.generations.cancel(generation_id, error)
        if not self.runner.cancel(generation_id):
            self._host.tell(f"cancel {generation_id}")
            self._shop.admission.dismiss(generation_id)
        self._shop.watch.changed(generation_id, is_end=True)
        self._host.tell(f"job {generation_id}")
        if record.state == "canceled":
            logger.info("generation %s is canceled: %s", generation_id, reason)
            self._parts.metrics.job_ended(record)
        return record

    def retire(self) -> None:
        """Take nothing new, as this process is going to end, and give back what has not begun.

        What runs goes on, and so does what a caller waits for here. Whoever follows a job is sent away, and comes back
        to another process.
        """
        self._is_stopping = True
        self._shop.watch.end_following()
        self.runner.retire(lambda job: self._shop.watch.is_awaited(job.id))

    def stop(self, grace_s: float = 0.0) -> None:
        """End: what runs may end by itself for `grace_s` seconds, then it is given back to the others."""
        self.retire()
        self.runner.wait_until_idle(grace_s)
        self.runner.hand_over()
        self.runner.wait_until_idle(HANDOVER_S)
        self._shop.heartbeat.stop(is_clear=not self.runner.jobs)
        self._shop.background.stop()

    def _live(self) -> None:
        try:
            self._host.start()
            if self._parts.pool is not None:
                self._parts.pool.start()
        except (OSError, SDError) as exc:
            # Whoever needs the pool is told so; texts are written without it.
            logger.error("this process does not find the others of its host: %s", exc)

    def _admit(self, submission: Submission) -> None:
        try:
            self._shop.admission.admit(submission.generation_id, submission.participant_id)
        except QueueFullError:
            self._parts.metrics.job_refused(submission.operation)
            raise

    def _taken(self, submission: Submission) -> GenerationRecord:
        self._shop.heartbeat.make_sure()
        generations, inputs = self._parts.stores.generations, submission.inputs
        given = inputs.image_ids or inputs.texts
        parents = generations.parents_of(submission.participant_id, inputs.image_ids, inputs.texts) if given else ()
        record = as_inserted(record_of(submission, self._shop.owner, parents))
        write = partial(generations.insert, record)
        if self._shop.dispatcher is None:
            self.runner.take(record, write)
        else:
            write()
            self._shop.dispatcher.dispatch(record)
        return record

    def _give_up(self, generation_id: str) -> None:
        record = self._shop.watch.record(generation_id)
        if record is not None and record.cancel_at is not None:
            after_s = (record.cancel_at - record.created_at).total_seconds()
            self.cancel(generation_id, f"not done within {after_s:g} s (Cancel-After)")
