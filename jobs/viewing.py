"""How a job looks from outside, in the process that runs it and in any other."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from agent.pool import SDInstancePool
from jobs.courses import Courses
from jobs.progress import Progress
from jobs.pulse import Pulse, differs, forecast_of
from jobs.runner import Runner
from jobs.veil import held_until, veiled, waiting
from jobs.watch import Watch
from store.clock import utc_now
from store.documents import ENDED, GenerationRecord, Live
from store.errors import NotFoundError

_HELD_LOOK_S = 1.0


@dataclass(frozen=True)
class JobView:
    """A job as it is now: its record, how far it is (0 to 1), its place in the queue (0: it works), seconds to its end.

    None stands for what nobody knows, and for what has no meaning any more. While its answer is held back (veil.py),
    until `held_until`, it looks like a job at work.
    """

    record: GenerationRecord
    progress: float
    place: int | None
    eta_s: float | None
    held_until: datetime | None = None


class Viewing:
    """Shows jobs, and waits for them, without asking the database more often than they change."""

    def __init__(
        self, watch: Watch, runner: Runner, pulse: Pulse, courses: Courses, pool: SDInstancePool | None
    ) -> None:
        self._watch = watch
        self._runner = runner
        self._pulse = pulse
        self._courses = courses
        self._pool = pool

    def view(self, generation_id: str) -> JobView | None:
        """Show a job; None if there is none of this id. Raises StoreError."""
        record = self._watch.record(generation_id)
        if record is None:
            return None
        if record.state in ENDED or held_until(record) is not None:
            return at_a_glance(record)
        job = self._runner.job(generation_id)
        live = self._live_elsewhere(record) if job is None else self._pulse.live_of(job)
        return view_of(record, live)

    def wait(self, generation_id: str, timeout_s: float | None) -> GenerationRecord:
        """Give the record at its end, or as it is after so many seconds; None waits without limit.

        Raises:
            NotFoundError: there is none of this id.
            StoreError: it cannot be read.
        """
        end_s = None if timeout_s is None else time.monotonic() + timeout_s
        with self._watch.listening(generation_id, only_end=True) as event:
            # One that runs here says itself when it ends, so nothing needs to be read before.
            if self._runner.job(generation_id) is not None:
                event.wait(_left(end_s))
            while True:
                event.clear()
                record = self._watch.record(generation_id)
                if record is None:
                    raise NotFoundError(f"there is no generation {generation_id}")
                until = held_until(record)
                if _left(end_s) == 0:
                    return record if until is None else veiled(record)
                if record.state in ENDED and until is None:
                    return record
                event.wait(_sooner(_left(end_s), until))

    def outcome(self, generation_id: str) -> GenerationRecord:
        """Wait for the end, without limit, and give the record without its steps.

        What was written by this very process is not read back. Raises as `wait` does.
        """
        with self._watch.listening(generation_id, only_end=True) as event:
            job = self._runner.job(generation_id)
            if job is not None:
                event.wait()
                if job.writing.is_ended and job.outcome is not None and held_until(job.outcome) is None:
                    return job.outcome
        return self.wait(generation_id, None)

    def follow(self, generation_id: str, after: int, silence_s: float) -> Iterator[JobView | None]:
        """Show a job whenever something has happened since the revision `after`, until its end or this process's.

        Also when only its progress, place or expected end came on. None after `silence_s` seconds without anything.
        Raises StoreError.
        """
        told: Live | None = None
        with self._watch.listening(generation_id) as event:
            told_s = time.monotonic()
            while True:
                event.clear()
                view = None if self._watch.is_ending else self.view(generation_id)
                if view is None:
                    return
                live = Live(progress=view.progress, place=view.place, eta_s=view.eta_s)
                has_ended = view.record.state in ENDED
                if view.record.revision > after or not (has_ended or (told and not differs(told, live))):
                    after, told, told_s = view.record.revision, live, time.monotonic()
                    yield view
                if has_ended:
                    return
                silence_left_s = max(told_s + silence_s - time.monotonic(), 0)
                # A held answer comes on by nothing but time.
                held = view.held_until
                rest_s = silence_left_s if held is None else min(silence_left_s, _HELD_LOOK_S, _until(held))
                if not event.wait(rest_s) and rest_s == silence_left_s:
                    told_s = time.monotonic()
                    yield None

    def _live_elsewhere(self, record: GenerationRecord) -> Live:
        """See how far a job of another process is: what it wrote itself, and what the pool of this host foresees."""
        written, forecast = record.live or Live(progress=0.0), forecast_of(self._pool, record.id)
        eta_s = written.eta_s
        if eta_s is not None:
            eta_s = max(eta_s - (utc_now() - written.at).total_seconds(), 0.0)
        elif forecast is not None:
            eta_s = Progress(course=self._courses.of(record)).eta_s(forecast.starts_in_s, forecast.ends_in_s)
        place = written.place if forecast is None else forecast.place
        return Live(progress=written.progress, place=place, eta_s=None if eta_s is None else round(eta_s, 1))


def view_of(record: GenerationRecord, live: Live | None) -> JobView:
    """Show a record with how far it is; None: to its end if it has ended, and else nobody knows."""
    if live is None:
        return JobView(record, 1.0 if record.state in ENDED else 0.0, None, None)
    return JobView(record, live.progress, live.place, live.eta_s)


def at_a_glance(record: GenerationRecord) -> JobView:
    """See a job as its record has it: cheap for many, and at most a second old."""
    if (until := held_until(record)) is not None:
        live = waiting(record, until)
        return JobView(veiled(record), live.progress, live.place, live.eta_s, until)
    return view_of(record, None if record.state in ENDED else record.live)


def _until(moment: datetime) -> float:
    return max((moment - utc_now()).total_seconds(), 0.0) + 0.002


def _sooner(left_s: float | None, until: datetime | None) -> float | None:
    waits = [seconds for seconds in (left_s, None if until is None else _until(until)) if seconds is not None]
    return min(waits, default=None)


def _left(end_s: float | None) -> float | None:
    return None if end_s is None else max(end_s - time.monotonic(), 0.0)
