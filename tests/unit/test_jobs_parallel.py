"""Steps side by side: all are awaited, results and errors keep the calls' order."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from jobs.context import generation_id
from jobs.parallel import all_of, both

pytestmark = pytest.mark.unit


def _raises(error: Exception) -> Callable[[], int]:
    def call() -> int:
        raise error

    return call


def test_results_come_in_the_order_of_the_calls_and_not_of_their_ends() -> None:
    last_has_ended = threading.Event()

    def first() -> int:
        assert last_has_ended.wait(5)
        return 1

    def last() -> int:
        last_has_ended.set()
        return 2

    assert all_of([first, last]) == [1, 2]


def test_all_calls_are_under_way_at_the_same_time() -> None:
    meeting = threading.Barrier(3)

    assert all(all_of([lambda: meeting.wait(5) >= 0] * 3))


def test_a_single_call_runs_in_the_callers_own_thread() -> None:
    assert all_of([threading.get_ident]) == [threading.get_ident()]


def test_the_error_of_the_first_failed_call_is_raised() -> None:
    with pytest.raises(ValueError, match="first"):
        all_of([lambda: 1, _raises(ValueError("first")), _raises(KeyError("second"))])


def test_nothing_is_still_at_work_when_an_error_is_raised() -> None:
    ended = threading.Event()
    failed = threading.Event()

    def fails() -> int:
        failed.set()
        raise ValueError("at once")

    def goes_on() -> int:
        assert failed.wait(5)
        ended.set()
        return 1

    with pytest.raises(ValueError, match="at once"):
        all_of([fails, goes_on])
    assert ended.is_set()


def test_every_thread_knows_the_generation_it_works_for() -> None:
    token = generation_id.set("G1")
    try:
        assert all_of([generation_id.get] * 2) == ["G1", "G1"]
        assert both(generation_id.get, generation_id.get) == ("G1", "G1")
    finally:
        generation_id.reset(token)


def test_two_different_calls_give_both_results() -> None:
    meeting = threading.Barrier(2)

    assert both(lambda: (meeting.wait(5), "text")[1], lambda: (meeting.wait(5), 7)[1]) == ("text", 7)


@pytest.mark.parametrize("which", ["first", "second"])
def test_an_error_of_one_of_two_is_raised_after_the_other_has_ended(which: str) -> None:
    ended = threading.Event()
    good, bad = (lambda: ended.set()), _raises(ValueError("broken"))

    with pytest.raises(ValueError, match="broken"):
        both(*((bad, good) if which == "first" else (good, bad)))
    assert ended.is_set()
