"""What becomes of an instance whose user failed: it rests or is down, others are lent, and nobody is lost."""

from __future__ import annotations

import inspect
import time

import pytest

from agent import errors, upkeep
from agent.calls import Call, Leased
from agent.errors import (
    InstanceBusyError,
    InstanceServiceError,
    InstanceTimeoutError,
    InstanceUnreachableError,
    NoInstanceUpError,
    PictureRejectedError,
    PoolTimeoutError,
    SDError,
)
from tests.pools import Borrower, MakePool, made_up, until

SD_ERRORS = [
    one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, SDError) and one is not SDError
]


@pytest.mark.parametrize("kind", [*SD_ERRORS, ValueError, KeyboardInterrupt], ids=lambda kind: kind.__name__)
def test_the_pool_is_whole_after_every_error(kind: type[BaseException], make_pool: MakePool) -> None:
    pool = make_pool(made_up(2))
    with pytest.raises(kind), pool.lease() as used:
        raise kind("what went wrong")
    assert "busy" not in [state.state for state in pool.states()]
    with pool.lease(timeout=1) as one:
        if getattr(kind, "blames_instance", False):
            assert one is not used
        else:
            with pool.lease(timeout=1):
                assert [state.state for state in pool.states()] == ["busy", "busy"]


@pytest.mark.parametrize("kind", [*SD_ERRORS, ValueError], ids=lambda kind: kind.__name__)
def test_after_every_error_the_next_waiter_is_served(kind: type[BaseException], make_pool: MakePool) -> None:
    pool, order = make_pool(made_up(2)), list[int]()
    waiter = Borrower(pool, 1, order)
    with pool.lease() as kept, pytest.raises(kind), pool.lease():
        waiter.start()
        until(lambda: pool.waiting() == 1, "as awaited")
        raise kind("what went wrong")
    waiter.go.set()
    waiter.join(5)
    assert (order, waiter.error) == ([1], None)
    assert {state.name: state.state for state in pool.states()}[kept.name] == "idle"


def test_a_failed_instance_rests_and_others_are_lent(make_pool: MakePool) -> None:
    pool = make_pool(made_up(2))
    with pytest.raises(InstanceServiceError), pool.lease() as failed:
        raise InstanceServiceError("it failed")
    for _ in range(3):
        with pool.lease() as instance:
            assert instance is not failed
    assert {state.name: state.state for state in pool.states()}[failed.name] == "resting"


def test_a_resting_instance_is_not_lent_while_a_busy_one_may_become_idle(make_pool: MakePool) -> None:
    pool = make_pool(made_up(2))
    with pytest.raises(InstanceServiceError), pool.lease() as failed:
        raise InstanceServiceError("it failed")
    with pool.lease() as good, pytest.raises(PoolTimeoutError), pool.lease(timeout=0.05):
        pass
    assert good is not failed


def test_rests_grow(make_pool: MakePool) -> None:
    pool, rests = make_pool(made_up(1)), []
    for _ in range(8):
        pool.blame("gpu0:7860", InstanceServiceError("it failed"))
        rests.append(round(pool.states()[0].rest_s))
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("kind", [InstanceUnreachableError, InstanceTimeoutError])
def test_with_all_instances_down_a_caller_learns_so_at_once(kind: type[SDError], make_pool: MakePool) -> None:
    pool = make_pool(made_up(2))
    for _ in range(2):
        with pytest.raises(kind), pool.lease():
            raise kind("nobody there")
    assert [state.state for state in pool.states()] == ["down", "down"]
    began = time.monotonic()
    with pytest.raises(NoInstanceUpError), pool.lease(timeout=30):
        pass
    assert time.monotonic() - began < 1


def test_those_who_wait_learn_too_when_the_last_instance_goes_down(make_pool: MakePool) -> None:
    pool, order = make_pool(made_up(1)), list[int]()
    waiters = [Borrower(pool, number, order) for number in range(3)]
    with pytest.raises(InstanceUnreachableError), pool.lease():
        for waiter in waiters:
            waiter.start()
        until(lambda: pool.waiting() == 3, "as awaited")
        raise InstanceUnreachableError("it went away")
    for waiter in waiters:
        waiter.join(2)
        assert isinstance(waiter.error, NoInstanceUpError)
    assert pool.waiting() == 0


def test_an_instance_is_down_after_several_failures_in_a_row(make_pool: MakePool) -> None:
    pool = make_pool(made_up(1))
    for expected in ("resting", "resting", "down"):
        pool.blame("gpu0:7860", InstanceServiceError("it failed"))
        assert pool.states()[0].state == expected


def test_an_error_found_in_the_answer_sets_the_instance_aside_after_it_was_given_back(make_pool: MakePool) -> None:
    pool = make_pool(made_up(2))
    with pool.lease() as instance:
        pass
    pool.blame(instance.name, PictureRejectedError("our own picture"))
    assert [state.state for state in pool.states()] == ["idle", "idle"]
    pool.blame(instance.name, InstanceServiceError("broken"))
    assert sorted(state.state for state in pool.states()) == ["idle", "resting"]


def test_an_error_that_is_not_the_instances_fault_lets_it_work_on(make_pool: MakePool) -> None:
    pool = make_pool(made_up(1))
    with pytest.raises(PictureRejectedError), pool.lease():
        raise PictureRejectedError("our own picture")
    assert pool.states()[0].state == "idle"


def test_a_call_cut_off_by_a_foreign_error_leaves_the_instance_to_be_asked(make_pool: MakePool) -> None:
    pool = make_pool(made_up(1))
    with pytest.raises(KeyboardInterrupt), pool.lease():
        raise KeyboardInterrupt
    with pool.lease() as instance:
        assert instance.unsettled


def test_a_call_that_leaves_before_it_began_lets_the_next_one_go(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_EVERY_S", 60.0)
    pool, order = make_pool(made_up(1)), list[int]()
    waiter = Borrower(pool, 1, order)

    def refuse(_leased: Leased) -> None:
        waiter.start()
        until(lambda: pool.waiting() == 1, "the next one waits")
        raise PictureRejectedError("not wanted any more")

    with pytest.raises(PictureRejectedError), pool.lease(call=Call(on_lease=refuse)):
        pass
    until(lambda: order == [1], "the next one is served")
    waiter.go.set()
    waiter.join(5)


def test_a_call_that_leaves_before_it_began_leaves_the_instance_as_it_was(make_pool: MakePool) -> None:
    pool = make_pool(made_up(1))

    def refuse(_leased: Leased) -> None:
        raise PictureRejectedError("not wanted any more")

    with pytest.raises(InstanceBusyError), pool.lease() as instance:
        instance.unsettled, instance.abandoned_task, instance.loaded = True, "task-1", "a"
        raise InstanceBusyError("still at work")
    with pytest.raises(PictureRejectedError), pool.lease(call=Call(on_lease=refuse)):
        pass
    with pool.lease("a") as instance:
        assert (instance.unsettled, instance.abandoned_task, instance.loaded) == (True, "task-1", "a")
    assert pool.states()[0].failed == 0
