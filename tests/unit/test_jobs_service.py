"""The door to jobs: submit, wait, look, follow, cancel, in this process and in another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from jobs.errors import QueueFullError, StoppingError
from jobs.metrics import NoMetrics
from jobs.run import Run
from jobs.service import Jobs
from jobs.submission import Image, Product
from jobs.viewing import JobView
from store.documents import GenerationRecord
from store.errors import NotFoundError
from store.stores import Stores
from tests.job_bench import Bench, Gate, kept, submission, until

pytestmark = pytest.mark.unit


def test_a_submission_is_answered_before_it_is_done(bench: Bench, stores: Stores) -> None:
    gate = Gate()
    jobs = bench.jobs(gate)

    record = jobs.submit(submission())

    assert record.state == "queued"
    assert record.owner == jobs.runner.id
    gate.may_end.set()
    assert jobs.wait(record.id, 10).state == "succeeded"


def test_the_record_names_what_went_in(bench: Bench, stores: Stores) -> None:
    jobs = bench.jobs(lambda _run: [Image("a" * 64)])
    first = jobs.run(submission())

    second = jobs.run(submission(image_ids=("a" * 64,), cancel_after_s=60))

    assert second.parents == (first.id,)
    assert second.cancel_at is not None
    assert (second.cancel_at - second.created_at).total_seconds() == 60


def test_above_the_limit_a_submission_is_refused_at_once_and_says_when_to_come_back(
    bench: Bench, stores: Stores
) -> None:
    gate = Gate()
    here, there = bench.jobs(gate, queue_limit=2), bench.jobs(gate, queue_limit=2)
    taken = [here.submit(submission()), there.submit(submission())]

    for jobs in (here, there):
        with pytest.raises(QueueFullError, match="QUEUE_LIMIT") as refused:
            jobs.submit(submission())
        assert 1 <= refused.value.retry_after_s <= 60

    assert stores.database.collection("generations").count_documents({}) == 2
    gate.may_end.set()
    for record in taken:
        here.wait(record.id, 10)
    until(lambda: here._shop.admission._ledger.admitted() == 0)
    assert here.run(submission()).state == "succeeded"


def test_a_canceled_job_makes_room(bench: Bench) -> None:
    gate = Gate()
    jobs = bench.jobs(gate, queue_limit=1)
    record = jobs.submit(submission())

    jobs.cancel(record.id)

    until(lambda: jobs._shop.admission._ledger.admitted() == 0)
    gate.may_end.set()


def test_waiting_for_a_while_gives_the_record_as_it_is_then(bench: Bench) -> None:
    gate = Gate()
    jobs = bench.jobs(gate)
    record = jobs.submit(submission())

    began_s = time.monotonic()
    assert jobs.wait(record.id, 0.1).state in ("queued", "running")

    assert time.monotonic() - began_s < 2
    gate.may_end.set()


def test_nobody_waits_for_a_job_that_there_is_not(bench: Bench) -> None:
    jobs = bench.jobs()

    with pytest.raises(NotFoundError):
        jobs.wait("0" * 26, 1)
    assert jobs.view("0" * 26) is None
    assert list(jobs.follow("0" * 26, 0)) == []


def test_a_running_job_is_canceled_at_once_and_its_results_stay_out(bench: Bench, stores: Stores) -> None:
    gate = Gate(Image("a" * 64))
    jobs = bench.jobs(gate)
    record = jobs.submit(submission())
    gate.wait_until_begun()

    canceled = jobs.cancel(record.id)

    assert (canceled.state, canceled.outputs) == ("canceled", ())
    assert canceled.error is not None
    assert canceled.error.type == "JobCanceledError"
    until(lambda: not jobs.runner.jobs)
    assert gate.running == 0
    assert kept(stores, record.id).state == "canceled"


def test_a_job_that_has_not_begun_is_dropped(bench: Bench, stores: Stores) -> None:
    gate = Gate()
    jobs = bench.jobs(gate, max_started=1)
    jobs.submit(submission())
    waiting = jobs.submit(submission())
    gate.wait_until_begun()

    assert jobs.cancel(waiting.id).state == "canceled"

    assert jobs.runner.job(waiting.id) is None
    assert jobs.wait(waiting.id, 5).started_at is None
    gate.may_end.set()


def test_a_job_of_another_process_is_canceled_there(bench: Bench) -> None:
    gate = Gate()
    here, there = bench.jobs(gate), bench.jobs(gate)
    there.start()
    record = here.submit(submission())
    gate.wait_until_begun()

    assert there.cancel(record.id).state == "canceled"

    until(lambda: not here.runner.jobs, timeout_s=1)


def test_what_has_ended_is_not_canceled(bench: Bench) -> None:
    jobs = bench.jobs()
    record = jobs.wait(jobs.run(submission()).id, 10)

    assert jobs.cancel(record.id) == record


def test_a_job_is_given_up_when_its_caller_wanted_it_sooner(bench: Bench) -> None:
    record = bench.jobs(Gate()).run(submission(cancel_after_s=0.2))

    assert record.error is not None
    assert (record.state, record.error.message) == ("canceled", "not done within 0.2 s (Cancel-After)")


def test_who_waits_for_a_canceled_job_is_told_at_once(bench: Bench) -> None:
    gate = Gate()
    jobs = bench.jobs(gate)
    record = jobs.submit(submission())
    gate.wait_until_begun()
    threading.Timer(0.05, jobs.cancel, (record.id,)).start()

    assert jobs.wait(record.id, 5).state == "canceled"


def _seen(jobs: Jobs, record: GenerationRecord, after: int = 0) -> tuple[list[JobView], threading.Thread]:
    """Follow a job in a thread; give what it shows."""
    views: list[JobView] = []

    def follow() -> None:
        views.extend(view for view in jobs.follow(record.id, after) if view is not None)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    return views, thread


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "in another process"])
def test_who_follows_a_job_sees_each_change_until_its_end(bench: Bench, elsewhere: bool) -> None:
    steps = [threading.Event() for _ in range(3)]

    def operation(run: Run) -> list[Product]:
        for index, event in enumerate(steps):
            assert event.wait(10)
            run.show(Image(f"{index}" * 64), index)
        return [Image(f"{index}" * 64) for index in range(len(steps))]

    here = bench.jobs(operation)
    there = bench.jobs() if elsewhere else here
    there.start()
    record = here.submit(submission(num=3))
    following, views = there.follow(record.id, 0), []
    for index, event in enumerate(steps):
        event.set()
        views += list(_until_shown(following, index + 1))
    views += [view for view in following if view is not None]

    assert {1, 2, 3} <= {len(view.record.outputs) for view in views}
    assert [view.record.revision for view in views] == sorted(view.record.revision for view in views)
    last = views[-1]
    assert (last.record.state, last.progress, last.place, last.eta_s) == ("succeeded", 1.0, None, None)


def _until_shown(following: Iterator[JobView | None], outputs: int) -> Iterator[JobView]:
    for view in following:
        if view is not None:
            yield view
            if len(view.record.outputs) >= outputs:
                return


def test_who_follows_hears_that_nothing_happens(bench: Bench) -> None:
    gate = Gate()
    jobs = bench.jobs(gate)
    record = jobs.submit(submission())
    gate.wait_until_begun()
    following = jobs.follow(record.id, 0, silence_s=0.3)

    until(lambda: next(following) is None)

    gate.may_end.set()
    assert [view.record.state for view in following if view is not None][-1] == "succeeded"


def test_who_comes_back_sees_only_what_is_new(bench: Bench) -> None:
    jobs = bench.jobs()
    record = jobs.wait(jobs.run(submission()).id, 10)

    assert list(jobs.follow(record.id, record.revision)) == []
    [view] = list(jobs.follow(record.id, record.revision - 1))
    assert view is not None
    assert view.record == record


def test_many_who_follow_one_job_read_its_record_once_for_each_change(
    bench: Bench, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    here, there = bench.jobs(gate), bench.jobs()
    there.start()
    record = here.submit(submission())
    gate.wait_until_begun()
    reads: list[str] = []
    get = type(stores.generations).get
    monkeypatch.setattr(type(stores.generations), "get", lambda self, name: reads.append(name) or get(self, name))

    followers = [_seen(there, record) for _ in range(50)]
    until(lambda: all(views for views, _ in followers))
    gate.may_end.set()
    for views, thread in followers:
        thread.join(10)
        assert views[-1].record.state == "succeeded"

    assert len(reads) < 30


def test_a_job_shows_how_far_it_is(bench: Bench, stores: Stores) -> None:
    may_end = threading.Event()

    def operation(run: Run) -> list[Product]:
        run._recorder.begin()
        run._recorder.progress.announce(2)
        with run._recorder.step("txt2img", "first"):
            pass
        with run._recorder.step("txt2img", "second") as step:
            run._recorder.progress.advance(step.id, 0.5)
            assert may_end.wait(10)
        return []

    jobs, other = bench.jobs(operation), bench.jobs()
    record = jobs.submit(submission(num=2))

    until(lambda: _progress(jobs, record) == 0.75)
    assert kept(stores, record.id).live is None, "a young job is done before anybody could read this"
    until(lambda: kept(stores, record.id).live)
    assert _progress(other, record) == 0.75

    may_end.set()
    jobs.wait(record.id, 10)
    assert _progress(jobs, record) == 1.0


def _progress(jobs: Jobs, record: GenerationRecord) -> float:
    view = jobs.view(record.id)
    assert view is not None
    return view.progress


def test_a_process_that_is_being_stopped_takes_nothing_new(bench: Bench, stores: Stores) -> None:
    jobs = bench.jobs()
    jobs.retire()

    with pytest.raises(StoppingError):
        jobs.submit(submission())
    assert stores.database.collection("generations").count_documents({}) == 0


class Counts(NoMetrics):
    """Counts what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def job_accepted(self, operation: str) -> None:
        """Count it."""
        self.told.append("accepted")

    def job_refused(self, operation: str) -> None:
        """Count it."""
        self.told.append("refused")

    def job_ended(self, record: GenerationRecord, forecast_s: float | None = None) -> None:
        """Count it."""
        self.told.append(record.state)


def test_every_job_is_counted_in_and_out(bench: Bench) -> None:
    counts, gate = Counts(), Gate()
    parts = type(bench.parts)(**{**vars(bench.parts), "metrics": counts})
    jobs = bench.jobs(gate, parts=parts, queue_limit=2)
    first, second = jobs.submit(submission()), jobs.submit(submission())
    with pytest.raises(QueueFullError):
        jobs.submit(submission())
    gate.wait_until_begun(2)
    jobs.cancel(first.id)
    gate.may_end.set()
    jobs.wait(second.id, 10)

    until(lambda: len(counts.told) == 5)

    assert sorted(counts.told) == ["accepted", "accepted", "canceled", "refused", "succeeded"]
