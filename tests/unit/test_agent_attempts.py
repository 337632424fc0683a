"""Going on with another instance: when, how often, and what is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.attempts import Ran, run_on_pool
from agent.errors import (
    BrokenAnswerError,
    CallCanceledError,
    InstanceBusyError,
    InstanceTimeoutError,
    InstanceUnreachableError,
    MissingOnInstanceError,
    NothingFoundError,
    PictureRejectedError,
    PoolTimeoutError,
    SDError,
    SDOutOfMemoryError,
)
from agent.pool import SDInstance, SDInstancePool
from tests.pools import MakePool, made_up


def _failing(*errors: SDError | None) -> Callable[[SDInstance], str]:
    """Make a piece of work that meets these errors one after the other, then succeeds."""
    left = list(errors)

    def work(instance: SDInstance) -> str:
        error = left.pop(0) if left else None
        if error is not None:
            raise error
        return f"done on {instance.name}"

    return work


def _run(pool: SDInstancePool, work: Callable[[SDInstance], str], **more: Any) -> Ran[str]:
    return run_on_pool(pool, work, lambda answer: answer, **more)


def test_work_that_succeeds_is_done_once(make_pool: MakePool) -> None:
    ran = _run(make_pool(made_up(2)), _failing())
    assert ran.result == f"done on {ran.instance}"
    assert [(one.instance, one.error) for one in ran.attempts] == [(ran.instance, None)]
    assert ran.waited_s < 1


def test_each_attempt_is_on_another_instance_and_is_recorded(make_pool: MakePool) -> None:
    ran = _run(make_pool(made_up(3)), _failing(SDOutOfMemoryError("too small"), SDOutOfMemoryError("too small")))
    assert len({one.instance for one in ran.attempts}) == 3
    assert [one.message for one in ran.attempts] == ["too small", "too small", None]


def test_an_instance_that_lacks_a_name_is_not_asked_again_even_if_it_is_preferred(make_pool: MakePool) -> None:
    pool = make_pool(made_up(2))
    with pool.lease("a") as preferred:
        preferred.loaded = "a"

    def work(instance: SDInstance) -> str:
        if instance is preferred:
            raise MissingOnInstanceError("it lacks a ControlNet model")
        return "done"

    assert [one.error for one in _run(pool, work, checkpoint="a").attempts] == ["MissingOnInstanceError", None]


def test_where_nothing_was_sent_nothing_was_tried(make_pool: MakePool) -> None:
    lacking = [MissingOnInstanceError("it lacks it") for _ in range(4)]
    assert len(_run(make_pool(made_up(5)), _failing(*lacking), tries=1).attempts) == 5


def test_when_every_instance_lacks_it_the_last_one_says_so(make_pool: MakePool) -> None:
    with pytest.raises(MissingOnInstanceError) as caught:
        _run(make_pool(made_up(3)), _failing(*(MissingOnInstanceError("it lacks it") for _ in range(9))))
    assert len(caught.value.attempts) == 3


def test_when_each_instance_lacks_something_else_the_message_names_it_all(make_pool: MakePool) -> None:
    lacking = [
        SDOutOfMemoryError("too small"),
        *(MissingOnInstanceError(f"it lacks {what}") for what in ("SAM", "sd15")),
    ]
    with pytest.raises(MissingOnInstanceError) as caught:
        _run(make_pool(made_up(3)), _failing(*lacking))
    assert caught.value.message == str(caught.value) == "it lacks SAM; it lacks sd15"


@pytest.mark.parametrize("kind", [NothingFoundError, PictureRejectedError, CallCanceledError])
def test_what_may_not_go_elsewhere_is_not_repeated(kind: type[SDError], make_pool: MakePool) -> None:
    with pytest.raises(kind) as caught:
        _run(make_pool(made_up(3)), _failing(kind("no")))
    assert len(caught.value.attempts) == 1


def test_after_a_read_timeout_the_work_goes_elsewhere_and_the_record_tells(make_pool: MakePool) -> None:
    ran = _run(make_pool(made_up(2)), _failing(InstanceTimeoutError("no answer in time")))
    assert [(one.error, one.message) for one in ran.attempts] == [
        ("InstanceTimeoutError", "no answer in time"),
        (None, None),
    ]
    assert len({one.instance for one in ran.attempts}) == 2


def test_an_answer_that_cannot_be_read_sets_the_instance_aside_and_is_done_elsewhere(make_pool: MakePool) -> None:
    pool, answers = make_pool(made_up(2)), ["broken", "whole"]

    def read(answer: str) -> str:
        if answer == "broken":
            raise BrokenAnswerError("no picture")
        return answer

    ran = run_on_pool(pool, lambda _instance: answers.pop(0), read)
    assert (ran.result, [one.error for one in ran.attempts]) == ("whole", ["BrokenAnswerError", None])
    assert {one.name: one.state for one in pool.states()}[ran.attempts[0].instance] == "resting"


def test_the_next_call_has_the_instance_while_an_answer_is_being_read(make_pool: MakePool) -> None:
    pool = make_pool(made_up(1))

    def read(answer: str) -> str:
        with pool.lease(timeout=1):
            return answer

    assert run_on_pool(pool, lambda _instance: "answer", read).result == "answer"


def test_where_the_only_other_instance_is_down_no_circle_is_run(make_pool: MakePool) -> None:
    pool = make_pool(made_up(2))
    with pytest.raises(InstanceUnreachableError), pool.lease() as dead:
        raise InstanceUnreachableError("nobody there")

    def lacks(instance: SDInstance) -> str:
        assert instance is not dead
        raise MissingOnInstanceError("it lacks it")

    with pytest.raises(MissingOnInstanceError) as caught:
        _run(pool, lacks)
    assert len(caught.value.attempts) == 2


def test_the_only_instance_is_waited_for_while_it_works_on_something_forgotten(make_pool: MakePool) -> None:
    ran = _run(make_pool(made_up(1)), _failing(InstanceBusyError("busy"), InstanceBusyError("busy")), tries=1)
    assert [one.error for one in ran.attempts] == ["InstanceBusyError", "InstanceBusyError", None]


def test_waiting_for_a_busy_instance_has_an_end(make_pool: MakePool) -> None:
    def busy(_instance: SDInstance) -> str:
        raise InstanceBusyError("busy")

    with pytest.raises((InstanceBusyError, PoolTimeoutError)):
        _run(make_pool(made_up(1)), busy, timeout=0.05)


def test_a_second_wait_that_times_out_tells_of_the_first_attempt(make_pool: MakePool) -> None:
    pool = make_pool(made_up(2))
    with pool.lease() as taken, pytest.raises(PoolTimeoutError) as caught:
        _run(pool, _failing(SDOutOfMemoryError("too small")), timeout=0.05)
    assert [one.error for one in caught.value.attempts] == ["SDOutOfMemoryError"]
    assert caught.value.attempts[0].instance != taken.name
