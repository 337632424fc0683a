"""Which job of a process begins next, and what a process does beside its jobs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from jobs.background import Background
from jobs.context import generation_id
from jobs.starts import Starts
from tests.job_bench import until

pytestmark = pytest.mark.unit


@pytest.fixture
def background() -> Iterator[Background]:
    """Run what nobody waits for."""
    background = Background(2)
    yield background
    background.stop()


def test_as_many_begin_at_once_as_may() -> None:
    starts: Starts[str] = Starts(2)

    begun = [starts.offer("p", name, name) for name in "abc"]

    assert begun == ["a", "b", None]
    assert starts.room() == 0


def test_the_share_that_has_begun_least_is_next_and_among_equals_the_one_that_came_first() -> None:
    starts: Starts[str] = Starts(2)
    for share, name in [("much", "a"), ("much", "b"), ("much", "c"), ("much", "d"), ("little", "e"), ("other", "f")]:
        starts.offer(share, name, name)

    assert [starts.next_after("much"), starts.next_after("little"), starts.next_after("other")] == ["e", "f", "c"]


def test_a_place_is_given_back_when_nobody_waits() -> None:
    starts: Starts[str] = Starts(1)
    starts.offer("p", "a", "a")

    assert starts.next_after("p") is None
    assert starts.room() == 1


def test_a_job_may_leave_the_line_but_only_while_it_stands_there() -> None:
    starts: Starts[str] = Starts(1)
    for name in "abc":
        starts.offer("p", name, name)
    assert [starts.place("p", name) for name in "abc"] == [None, 0, 1]

    assert [starts.withdraw("p", name) for name in "abx"] == [None, "b", None]

    assert starts.place("p", "c") == 0
    assert [starts.next_after("p"), starts.next_after("p")] == ["c", None]


def test_work_runs_when_it_is_due_and_in_the_order_of_its_times(background: Background) -> None:
    done: list[str] = []
    last = threading.Event()

    background.after(0.06, lambda: (done.append("late"), last.set()))
    background.after(0.02, lambda: done.append("early"))

    assert last.wait(5)
    assert done == ["early", "late"]


def test_work_that_is_called_off_does_not_happen(background: Background) -> None:
    done: list[str] = []
    reached = threading.Event()

    background.after(0.01, lambda: done.append("never")).call_off()
    background.after(0.03, reached.set)

    assert reached.wait(5)
    assert done == []


def test_work_that_takes_long_does_not_hold_up_the_other_threads(background: Background) -> None:
    held, reached = threading.Event(), threading.Event()

    background.soon(lambda: held.wait(5))
    background.soon(reached.set)

    assert reached.wait(5)
    held.set()


def test_more_work_than_threads_is_done_one_after_the_other(background: Background) -> None:
    done = threading.Semaphore(0)

    for _ in range(50):
        background.soon(done.release)

    assert all(done.acquire(timeout=5) for _ in range(50))


def test_work_that_fails_is_told_and_the_thread_goes_on(
    background: Background, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> None:
        raise ValueError("broken")

    reached = threading.Semaphore(0)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            background.soon(fails)
            background.soon(reached.release)
        assert all(reached.acquire(timeout=5) for _ in range(3))
        until(lambda: len(caplog.records) == 3)

    assert all(record.exc_info for record in caplog.records)


def test_work_in_the_background_belongs_to_no_generation(background: Background) -> None:
    seen: list[str] = []
    reached = threading.Event()
    token = generation_id.set("G1")
    try:
        background.soon(lambda: (seen.append(generation_id.get()), reached.set()))
        assert reached.wait(5)
    finally:
        generation_id.reset(token)

    assert seen == ["-"]


def test_after_the_end_nothing_begins() -> None:
    background, done = Background(), []
    background.after(0.05, lambda: done.append("late"))
    background.stop()

    background.soon(lambda: done.append("soon"))
    time.sleep(0.1)

    assert done == []
