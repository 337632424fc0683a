"""The pool by itself: who gets which instance, in which order, and that it stays whole."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent import errors
from agent.calls import Call, Leased
from agent.errors import (
    InstanceBusyError,
    InstanceServiceError,
    InstanceTimeoutError,
    InstanceUnreachableError,
    NoInstanceUpError,
    PictureRejectedError,
    PoolClosedError,
    PoolTimeoutError,
    SDError,
    SDNotConfiguredError,
)
from agent.pool import SDInstance, SDInstancePool
from tests.pools import MakePool, made_up

SD_ERRORS = [
    one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, SDError) and one is not SDError
]


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "it did not come about in 5 s"
        time.sleep(0.001)


class _Borrower(threading.Thread):
    """A thread that leases, notes its number and gives back when told so."""

    def __init__(self, pool: SDInstancePool, number: int, order: list[int]) -> None:
        super().__init__(daemon=True)
        self._pool, self._number, self._order = pool, number, order
        self.go = threading.Event()
        self.error: SDError | None = None

    def run(self) -> None:
        try:
            with self._pool.lease():
                self._order.append(self._number)
                self.go.wait(5)
        except SDError as exc:
            self.error = exc


def test_an_idle_instance_is_lent_and_taken_back(make_pool: MakePool) -> None:
    pool = make_pool(made_up(2))
    with pool.lease() as instance:
        assert instance in pool.instances
        assert sorted(state.state for state in pool.states()) == ["busy", "idle"]
    assert [state.state for state in pool.states()] == ["idle", "idle"]
    assert len(pool) == 2


def test_an_instance_is_never_lent_twice(make_pool: MakePool) -> None:
    pool = make_pool(made_up(3))
    with pool.lease() as one, pool.lease() as two, pool.lease() as three:
        assert len({one.name, two.name, three.name}) == 3
        with pytest.raises(PoolTimeoutError), pool.lease(timeout=0.01):
            pass


def test_when_all_stay_busy_the_message_says_what_to_do(make_pool: MakePool) -> None:
    pool = make_pool(made_up(1))
    with pool.lease(), pytest.raises(PoolTimeoutError) as caught, pool.lease(timeout=0.02):
        pass
    assert caught.value.message == (
        "the only instance stayed busy for 0.02 s; add one to SD_ENDPOINTS or raise SD_POOL_TIMEOUT"
    )


def test_the_pools_own_limit_holds_where_none_is_given(make_pool: MakePool) -> None:
    pool = make_pool(made_up(2), timeout_s=0.02)
    words = r"all 2 instances stayed busy for 0\.02 s"
    with pool.lease(), pool.lease(), pytest.raises(PoolTimeoutError, match=words), pool.lease():
        pass


def test_there_is_no_pool_without_instances(make_pool: MakePool) -> None:
    with pytest.raises(ValueError, match="one or more"):
        make_pool(made_up(0))


def test_the_folder_is_made_by_the_first_lease_only(tmp_path: Path, make_pool: MakePool) -> None:
    locks_dir = tmp_path / "data" / "pool"
    pool = make_pool(made_up(1), locks_dir=locks_dir)
    assert not locks_dir.parent.exists()
    with pool.lease():
        assert locks_dir.is_dir()


def test_a_folder_that_cannot_be_made_is_named_with_its_setting(tmp_path: Path, make_pool: MakePool) -> None:
    (tmp_path / "data").write_text("a file")
    pool = make_pool(made_up(1), locks_dir=tmp_path / "data" / "pool")
    with pytest.raises(SDNotConfiguredError, match=r"data/pool .*DATA_DIR"), pool.lease():
        pass
    (tmp_path / "data").unlink()
    with pool.lease(timeout=1):
        pass


def test_a_call_that_cannot_be_entered_loses_no_instance(tmp_path: Path, make_pool: MakePool) -> None:
    pool = make_pool(made_up(1), locks_dir=tmp_path)
    with pool.lease():
        pass
    with pool.ledger.change() as change:
        change.run("ALTER TABLE calls RENAME TO elsewhere")
    with pytest.raises(SDNotConfiguredError, match="DATA_DIR"), pool.lease():
        pass
    with pool.ledger.change() as change:
        change.run("ALTER TABLE elsewhere RENAME TO calls")
    with pool.lease(timeout=1):
        pass


def test_waiters_are_served_in_the_order_they_came(make_pool: MakePool) -> None:
    pool, order = make_pool(made_up(1)), list[int]()
    borrowers = []
    for number in range(12):
        borrowers.append(_Borrower(pool, number, order))
        borrowers[-1].start()
        _until(lambda count=number: len(order) + pool.waiting() > count)  # type: ignore[misc]
    for served in range(12):
        _until(lambda count=served: len(order) > count)  # type: ignore[misc]
        borrowers[order[served]].go.set()
    for borrower in borrowers:
        borrower.join(5)
    assert order == list(range(12))


def test_a_newcomer_never_overtakes_a_waiter(make_pool: MakePool) -> None:
    pool, order = make_pool(made_up(1)), list[int]()
    holder, waiter = _Borrower(pool, 0, order), _Borrower(pool, 1, order)
    holder.start()
    _until(lambda: order == [0])
    waiter.start()
    _until(lambda: pool.waiting() == 1)
    newcomer = _Borrower(pool, 2, order)
    newcomer.start()
    _until(lambda: pool.waiting() == 2)
    for borrower in (holder, waiter, newcomer):
        borrower.go.set()
        borrower.join(5)
    assert order == [0, 1, 2]


def test_a_waiter_that_gives_up_leaves_the_line_to_the_others(make_pool: MakePool) -> None:
    pool, order = make_pool(made_up(1)), list[int]()
    holder, patient = _Borrower(pool, 0, order), _Borrower(pool, 1, order)
    holder.start()
    _until(lambda: order == [0])
    with pytest.raises(PoolTimeoutError), pool.lease(timeout=0.01):
        pass
    patient.start()
    _until(lambda: pool.waiting() == 1)
    with pytest.raises(PoolTimeoutError), pool.lease(timeout=0.01):
        pass
    for borrower in (holder, patient):
        borrower.go.set()
        borrower.join(5)
    assert order == [0, 1]
    assert pool.waiting() == 0


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
    waiter = _Borrower(pool, 1, order)
    with pool.lease() as kept, pytest.raises(kind), pool.lease():
        waiter.start()
        _until(lambda: pool.waiting() == 1)
        raise kind("what went wrong")
    waiter.go.set()
    waiter.join(5)
    assert (order, waiter.error) == ([1], None)
    assert {state.name: state.state for state in pool.states()}[kept.name] == "idle"


def test_the_instance_that_has_the_checkpoint_is_preferred(make_pool: MakePool) -> None:
    pool = make_pool(made_up(3))
    with pool.lease("a") as first, pool.lease("b") as second:
        first.loaded, second.loaded = "a", "b"
    for _ in range(2):
        with pool.lease("b") as again, pool.lease("a.safetensors [0123456789]") as other:
            assert (again, other) == (second, first)


def test_an_instance_without_the_checkpoint_is_taken_rather_than_waiting_long(make_pool: MakePool) -> None:
    pool = make_pool(made_up(2))
    with pool.lease("a") as first:
        first.loaded = "a"
    long = Call(size=100.0)
    with pool.lease("a", call=long) as again, pool.lease("a", timeout=1, call=long) as second:
        assert again is first
        assert second is not first


def test_calls_at_the_same_time_are_spread_over_all(make_pool: MakePool) -> None:
    pool = make_pool(made_up(3))
    for _ in range(2):
        with pool.lease() as one, pool.lease() as two, pool.lease() as three:
            assert len({one.name, two.name, three.name}) == 3


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
    waiters = [_Borrower(pool, number, order) for number in range(3)]
    with pytest.raises(InstanceUnreachableError), pool.lease():
        for waiter in waiters:
            waiter.start()
        _until(lambda: pool.waiting() == 3)
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


def test_an_avoided_instance_is_lent_only_where_there_is_no_other(make_pool: MakePool) -> None:
    pool = make_pool(made_up(2))
    names = [instance.name for instance in pool.instances]
    for _ in range(2):
        with pool.lease(avoid={names[0]}) as instance:
            assert instance.name == names[1]
    with pool.lease(avoid=names, timeout=0.5):
        pass


def test_closing_sends_every_waiter_home(make_pool: MakePool) -> None:
    pool, order = make_pool(made_up(1)), list[int]()
    borrowers = [_Borrower(pool, number, order) for number in range(4)]
    for number, borrower in enumerate(borrowers):
        borrower.start()
        _until(lambda count=number: len(order) + pool.waiting() > count)  # type: ignore[misc]
    pool.close()
    for borrower in borrowers[1:]:
        borrower.join(5)
        assert isinstance(borrower.error, PoolClosedError)
    borrowers[0].go.set()
    borrowers[0].join(5)
    with pytest.raises(PoolClosedError), pool.lease():
        pass


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [("http://gpu/a", "gpu/a"), ("http://gpu/b/", "gpu/b"), ("http://gpu1:7860/", "gpu1:7860"), ("gpu1:7860",) * 2],
)
def test_an_instance_is_named_by_host_and_path(endpoint: str, name: str) -> None:
    assert SDInstance(endpoint).name == name


def test_the_password_of_an_instance_is_never_shown() -> None:
    instance = SDInstance("http://user:hidden@gpu1:7860/", "user:secret")
    assert instance.name == "gpu1:7860"
    assert "secret" not in repr(instance) and "hidden" not in repr(instance)


def test_many_threads_never_meet_on_an_instance(make_pool: MakePool) -> None:
    pool = make_pool(made_up(3))
    inside, met = set[str](), list[str]()

    def borrow() -> None:
        for _ in range(20):
            with pool.lease() as instance:
                if instance.name in inside:
                    met.append(instance.name)
                inside.add(instance.name)
                time.sleep(0)
                inside.discard(instance.name)

    threads = [threading.Thread(target=borrow) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert met == []
    assert sum(state.served for state in pool.states()) == 160
    assert pool.waiting() == 0


def test_a_call_cut_off_by_a_foreign_error_leaves_the_instance_to_be_asked(make_pool: MakePool) -> None:
    pool = make_pool(made_up(1))
    with pytest.raises(KeyboardInterrupt), pool.lease():
        raise KeyboardInterrupt
    with pool.lease() as instance:
        assert instance.unsettled


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
