"""Once a second, while this process has jobs in hand, it is seen how far they are, and told to whoever listens."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from agent.errors import SDError
from agent.host import Host
from agent.pool import Forecast, SDInstancePool
from jobs.background import Background
from jobs.courses import Courses
from jobs.job import Job
from jobs.runner import Runner
from jobs.watch import Watch
from store.clock import utc_now
from store.documents import Live

PULSE_S: Final = 1.0
OLD_S: Final = 1.0
"""A job that is younger is most likely done before anybody could read how far it is."""

STEP: Final = 0.01


def forecast_of(pool: SDInstancePool | None, generation_id: str) -> Forecast | None:
    """Look up what the pool foresees for a job; None if that is nothing, or cannot be known."""
    try:
        return None if pool is None else pool.forecast(generation_id)
    except SDError:
        return None


def hands_of(pool: SDInstancePool | None) -> int:
    """Count the instances that work or could; at least 1."""
    try:
        states = [] if pool is None else pool.states()
    except SDError:
        states = []
    return max(sum(one.state in ("idle", "loading", "busy") for one in states), 1)


class Pulse:
    """Looks after the jobs of a runner. Forecasts are all processes' of this host, as the pool is."""

    def __init__(
        self,
        runner: Runner,
        pool: SDInstancePool | None,
        watch: Watch,
        host: Host,
        background: Background,
        courses: Courses,
        *,
        ahead: Callable[[], int],
        tells_queued: bool,
    ) -> None:
        """Keep the parts.

        Args:
            ahead: counts the jobs that came before one that comes now.
            tells_queued: whether also the place of a job that waits is written, for readers elsewhere.
        """
        self._courses = courses
        self._ahead = ahead
        self._runner = runner
        self._pool = pool
        self._watch = watch
        self._host = host
        self._background = background
        self._tells_queued = tells_queued
        self._is_beating = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Beat from now on, until there are no jobs."""
        with self._lock:
            if not self._is_beating:
                self._is_beating = True
                self._background.after(PULSE_S, self._beat)

    def live_of(self, job: Job) -> Live:
        """See how far a job of this process is; the first forecast of its end is remembered."""
        progress, forecast = job.recorder.progress, forecast_of(self._pool, job.id)
        if forecast is None:
            line = self._runner.place(job)
            place, eta_s = None if line is None else line + 1, progress.eta_s(backlog_s=self._backlog_s())
        else:
            place, eta_s = forecast.place, progress.eta_s(forecast.starts_in_s, forecast.ends_in_s)
        if job.first_total_s is None and eta_s is not None:
            job.first_total_s = (utc_now() - job.record.created_at).total_seconds() + eta_s
        return Live(progress=round(progress.value, 3), place=place, eta_s=_rounded(eta_s))

    def _backlog_s(self) -> float:
        """Estimate how long a job waits for its first instance that came now: as if all jobs took their turns."""
        return self._ahead() * self._courses.work_s() / hands_of(self._pool)

    def _beat(self) -> None:
        self._runner.give_up_late()
        for job in self._runner.jobs:
            self._look_at(job)
        with self._lock:
            self._is_beating = bool(self._runner.jobs)
            if self._is_beating:
                self._background.after(PULSE_S, self._beat)

    def _look_at(self, job: Job) -> None:
        live = self.live_of(job)
        if job.told is None or differs(job.told, live):
            job.told = live
            self._watch.stir(job.id)
        is_old = (live.at - job.record.created_at).total_seconds() > OLD_S
        is_for_others = is_old and (job.recorder.has_begun or self._tells_queued)
        if is_for_others and (job.written is None or differs(job.written, live)):
            job.written = live
            self._background.soon(partial(self._write, job, live))

    def _write(self, job: Job, live: Live) -> None:
        if job.writing.set_live(live):
            self._host.tell(f"job {job.id}")


def differs(told: Live, now: Live) -> bool:
    """Tell whether somebody who was told the one would like to know the other."""
    if abs(now.progress - told.progress) >= STEP or now.place != told.place:
        return True
    if now.eta_s is None or told.eta_s is None:
        return now.eta_s is not told.eta_s
    # Time passing by itself is no news.
    expected_s = told.eta_s - (now.at - told.at).total_seconds()
    return abs(now.eta_s - expected_s) > max(OLD_S, 0.1 * now.eta_s)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
