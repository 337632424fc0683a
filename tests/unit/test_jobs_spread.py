"""Jobs that are accepted by one process and run by another one, perhaps on another host."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.errors import QueueFullError
from store.documents import GenerationRecord
from store.stores import Stores
from tests.job_bench import Bench, Gate, job_bench, kept, record_for, submission, until

pytestmark = pytest.mark.unit


class Mail:
    """Brings a record to nobody, and remembers that it was to."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def dispatch(self, record: GenerationRecord) -> None:
        """Remember it."""
        self.sent.append(record.id)


@pytest.fixture
def bench(stores: Stores, tmp_path: Path) -> Iterator[Bench]:
    """Build the processes that accept jobs."""
    with job_bench(stores, tmp_path / "web") as bench:
        yield bench


@pytest.fixture
def elsewhere(stores: Stores, tmp_path: Path) -> Iterator[Bench]:
    """Build the processes of another host."""
    with job_bench(stores, tmp_path / "gpu") as bench:
        yield bench


def test_a_job_that_is_sent_away_belongs_to_whoever_takes_it_first(
    bench: Bench, elsewhere: Bench, stores: Stores
) -> None:
    mail = Mail()
    web, worker = bench.jobs(dispatcher=mail), elsewhere.jobs()

    record = web.submit(submission())

    assert mail.sent == [record.id]
    assert (kept(stores, record.id).owner, web.runner.jobs) == ("", ())
    assert worker.runner.adopt(record.id)
    assert web.wait(record.id, 10).owner == worker.runner.id


def test_a_job_is_run_once_however_often_it_is_offered(bench: Bench, elsewhere: Bench, stores: Stores) -> None:
    runs: list[int] = []
    web = bench.jobs(dispatcher=Mail())
    workers = [elsewhere.jobs(lambda _run: runs.append(1) or []) for _ in range(2)]
    record = web.submit(submission())

    adopted = [worker.runner.adopt(record.id) for worker in workers]

    assert adopted == [True, False]
    assert runs == [1]


def test_who_follows_sees_a_job_of_another_host(bench: Bench, elsewhere: Bench) -> None:
    gate = Gate()
    web, worker = bench.jobs(dispatcher=Mail()), elsewhere.jobs(gate, presets={(1, "op"): ()})
    record = web.submit(submission())
    thread = threading.Thread(target=worker.runner.adopt, args=(record.id,), daemon=True)
    following = web.follow(record.id, 0)
    assert next(following)

    thread.start()

    until(lambda: (view := next(following)) is not None and view.record.state == "running")
    gate.may_end.set()
    assert [view.record.state for view in following if view is not None][-1] == "succeeded"
    thread.join(10)


def test_a_job_of_another_host_that_was_canceled_stops_there(bench: Bench, elsewhere: Bench) -> None:
    gate = Gate()
    web, worker = bench.jobs(dispatcher=Mail()), elsewhere.jobs(gate)
    worker.start()
    record = web.submit(submission())
    thread = threading.Thread(target=worker.runner.adopt, args=(record.id,), daemon=True)
    thread.start()
    gate.wait_until_begun()

    web.cancel(record.id)

    thread.join(5)
    assert not thread.is_alive()
    assert gate.running == 0


def test_a_job_that_nobody_takes_is_given_up_when_its_caller_wanted_it_sooner(bench: Bench) -> None:
    record = bench.jobs(dispatcher=Mail()).run(submission(cancel_after_s=0.2))

    assert record.error is not None
    assert (record.state, record.error.message) == ("canceled", "not done within 0.2 s (Cancel-After)")


def test_the_limit_counts_what_waits_anywhere(bench: Bench) -> None:
    web = bench.jobs(dispatcher=Mail(), queue_limit=2)
    web.submit(submission())
    web._shop.admission._counted = (float("-inf"), 0)
    web.submit(submission())

    with pytest.raises(QueueFullError):
        web.submit(submission())


def test_what_a_dead_host_left_is_sent_again(bench: Bench, stores: Stores) -> None:
    mail = Mail()
    web = bench.process(dispatcher=mail)
    left = stores.generations.insert(record_for("a dead runner"))

    assert web.jobs._shop.heartbeat._recovery._take_over(["a dead runner"]) == 1

    assert mail.sent == [left.id]
    assert kept(stores, left.id).owner == ""
