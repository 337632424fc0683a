"""What goes with a job while a runner works on it: who is told of its changes, when it is given up, its counting."""

import logging
from collections.abc import Callable
from functools import partial

from agent.host import Host
from jobs.admission import Admission
from jobs.background import Background
from jobs.job import Job
from jobs.metrics import Metrics
from jobs.watch import END_MARK, Watch
from store.clock import utc_now

logger = logging.getLogger(__name__)


class Attendance:
    """Attends to the jobs of one process.

    Args:
        begin: told when there is a job to look after.
        give_up: cancels the job of an id, as its Cancel-After is over.
    """

    def __init__(
        self,
        host: Host,
        admission: Admission,
        watch: Watch,
        background: Background,
        metrics: Metrics,
        *,
        begin: Callable[[], None],
        give_up: Callable[[str], None],
    ) -> None:
        self._host = host
        self._admission = admission
        self._watch = watch
        self._background = background
        self._metrics = metrics
        self._begin = begin
        self._give_up = give_up

    def taken(self, job: Job) -> None:
        """Set the alarm of a job that is to be given up at some time, and look after it."""
        if job.record.cancel_at is not None:
            remaining_s = (job.record.cancel_at - utc_now()).total_seconds()
            job.alarms.append(self._background.after(remaining_s, partial(self._give_up, job.id)))
        self._begin()

    def changed(self, generation_id: str, is_end: bool) -> None:
        """Wake who listens here, and ring for the others."""
        self._watch.changed(generation_id, is_end=is_end)
        self._host.tell(f"job {generation_id} {END_MARK}" if is_end else f"job {generation_id}")

    def ended(self, job: Job) -> None:
        """Make room for another one, and count it."""
        self._background.soon(partial(self._count_out, job))

    def _count_out(self, job: Job) -> None:
        self._admission.dismiss(job.id)
        if job.writing.is_ended and job.outcome is not None:
            self._metrics.job_ended(job.outcome, job.first_total_s)
