"""Going on with another instance: when, how often, and what is recorded."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.attempts import run_on_pool
from agent.errors import (
    InstanceBusyError,
    InstanceTimeoutError,
    MissingOnInstanceError,
    NothingFoundError,
    PoolTimeoutError,
    SDError,
    SDOutOfMemoryError,
)
from agent.pool import SDInstance, SDInstancePool


def _pool(count: int) -> SDInstancePool:
    return SDInstancePool([SDInstance(f"http://gpu{i}:7860") for i in range(count)], 5)


def _failing(*errors: SDError | None) -> Callable[[SDInstance], str]:
    """Make a piece of work that meets these errors one after the other, then succeeds."""
    left = list(errors)

    def work(instance: SDInstance) -> str:
        error = left.pop(0) if left else None
        if error is not None:
            raise error
        return f"done on {instance.name}"

    return work


def test_work_that_succeeds_is_done_once() -> None:
    ran = run_on_pool(_pool(2), _failing())
    assert ran.result == f"done on {ran.instance}"
    assert [(one.instance, one.error) for one in ran.attempts] == [(ran.instance, None)]
    assert ran.waited_s < 1


def test_each_attempt_is_on_another_instance_and_is_recorded() -> None:
    ran = run_on_pool(_pool(3), _failing(SDOutOfMemoryError("too small"), SDOutOfMemoryError("too small")))
    assert len({one.instance for one in ran.attempts}) == 3
    assert [one.message for one in ran.attempts] == ["too small", "too small", None]


def test_an_instance_that_lacks_a_name_is_not_asked_again_even_if_it_is_preferred() -> None:
    pool = _pool(2)
    with pool.lease("a") as preferred:
        pass

    def work(instance: SDInstance) -> str:
        if instance is preferred:
            raise MissingOnInstanceError("it lacks a ControlNet model")
        return "done"

    assert [one.error for one in run_on_pool(pool, work, checkpoint="a").attempts] == ["MissingOnInstanceError", None]


def test_where_nothing_was_sent_nothing_was_tried() -> None:
    lacking = [MissingOnInstanceError("it lacks it") for _ in range(4)]
    assert len(run_on_pool(_pool(5), _failing(*lacking), tries=1).attempts) == 5


def test_when_every_instance_lacks_it_the_last_one_says_so() -> None:
    with pytest.raises(MissingOnInstanceError) as caught:
        run_on_pool(_pool(3), _failing(*(MissingOnInstanceError("it lacks it") for _ in range(9))))
    assert len(caught.value.attempts) == 3


def test_when_each_instance_lacks_something_else_the_message_names_it_all() -> None:
    lacking = [
        SDOutOfMemoryError("too small"),
        *(MissingOnInstanceError(f"it lacks {what}") for what in ("SAM", "sd15")),
    ]
    with pytest.raises(MissingOnInstanceError) as caught:
        run_on_pool(_pool(3), _failing(*lacking))
    assert caught.value.message == str(caught.value) == "it lacks SAM; it lacks sd15"


@pytest.mark.parametrize("kind", [InstanceTimeoutError, NothingFoundError])
def test_what_may_not_go_elsewhere_is_not_repeated(kind: type[SDError]) -> None:
    with pytest.raises(kind) as caught:
        run_on_pool(_pool(3), _failing(kind("no")))
    assert len(caught.value.attempts) == 1


def test_the_only_instance_is_waited_for_while_it_works_on_something_forgotten() -> None:
    ran = run_on_pool(_pool(1), _failing(InstanceBusyError("busy"), InstanceBusyError("busy")), tries=1)
    assert [one.error for one in ran.attempts] == ["InstanceBusyError", "InstanceBusyError", None]


def test_waiting_for_a_busy_instance_has_an_end() -> None:
    def busy(_instance: SDInstance) -> str:
        raise InstanceBusyError("busy")

    with pytest.raises((InstanceBusyError, PoolTimeoutError)):
        run_on_pool(_pool(1), busy, timeout=0.05)


def test_a_second_wait_that_times_out_tells_of_the_first_attempt() -> None:
    pool = _pool(2)
    with pool.lease() as taken, pytest.raises(PoolTimeoutError) as caught:
        run_on_pool(pool, _failing(SDOutOfMemoryError("too small")), timeout=0.05)
    assert [one.error for one in caught.value.attempts] == ["SDOutOfMemoryError"]
    assert caught.value.attempts[0].instance != taken.name
