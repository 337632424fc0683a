"""The pool by itself: who gets which instance, in which order, and that it stays whole."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent import errors
from agent.errors import (
    InstanceServiceError,
    MissingOnInstanceError,
    PictureRejectedError,
    PoolClosedError,
    PoolTimeoutError,
    SDError,
    SDNotConfiguredError,
)
from agent.pool import FairDoor, SDInstance, SDInstancePool

SD_ERRORS = [
    one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, SDError) and one is not SDError
]


def _pool(count: int, timeout_s: float = 5.0) -> SDInstancePool:
    return SDInstancePool([SDInstance(f"http://gpu{i}:7860") for i in range(count)], timeout_s)


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "it did not come about in 5 s"
        time.sleep(0.001)


def _waiting(pool: SDInstancePool) -> int:
    """Count those behind the door and the one that looks for an instance."""
    return len(pool._door._waiting) + pool._door._is_taken


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


def test_an_idle_instance_is_lent_and_taken_back() -> None:
    pool = _pool(2)
    with pool.lease() as instance:
        assert instance in pool.instances
        assert sorted(state.state for state in pool.states()) == ["busy", "idle"]
    assert [state.state for state in pool.states()] == ["idle", "idle"]
    assert len(pool) == 2


def test_an_instance_is_never_lent_twice() -> None:
    pool = _pool(3)
    with pool.lease() as one, pool.lease() as two, pool.lease() as three:
        assert len({one.name, two.name, three.name}) == 3
        with pytest.raises(PoolTimeoutError), pool.lease(timeout=0.01):
            pass


def test_when_all_stay_busy_the_message_says_what_to_do() -> None:
    pool = _pool(1)
    with pool.lease(), pytest.raises(PoolTimeoutError) as caught, pool.lease(timeout=0.02):
        pass
    assert caught.value.message == (
        "the only instance stayed busy for 0.02 s; add one to SD_ENDPOINTS or raise SD_POOL_TIMEOUT"
    )


def test_the_pools_own_limit_holds_where_none_is_given() -> None:
    pool = _pool(2, timeout_s=0.02)
    words = r"all 2 instances stayed busy for 0\.02 s"
    with pool.lease(), pool.lease(), pytest.raises(PoolTimeoutError, match=words), pool.lease():
        pass


def test_there_is_no_pool_without_instances() -> None:
    with pytest.raises(ValueError, match="one or more"):
        _pool(0)


def test_the_locks_folder_is_made_by_the_first_lease_only(tmp_path: Path) -> None:
    locks_dir = tmp_path / "data" / "locks"
    pool = SDInstancePool([SDInstance("http://gpu1:7860")], 5, locks_dir)
    assert not locks_dir.parent.exists()
    with pool.lease():
        assert locks_dir.is_dir()


def test_a_folder_that_cannot_be_made_is_named_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    pool = SDInstancePool([SDInstance("http://gpu1:7860")], 5, tmp_path / "data" / "locks")
    with pytest.raises(SDNotConfiguredError, match=r"data/locks .*DATA_DIR"), pool.lease():
        pass
    (tmp_path / "data").unlink()
    with pool.lease(timeout=1):
        pass


def test_a_mark_that_cannot_be_made_loses_no_instance(tmp_path: Path) -> None:
    one, other = (SDInstancePool([SDInstance("http://gpu1:7860")], 5, tmp_path) for _ in range(2))
    with one.lease():
        [mark] = tmp_path.glob("*.in-use")
    mark.symlink_to(tmp_path / "no folder" / "mark")
    with pytest.raises(SDNotConfiguredError), one.lease():
        pass
    mark.unlink()
    for pool in (one, other):
        with pool.lease(timeout=1):
            pass


def test_waiters_are_served_in_the_order_they_came() -> None:
    pool, order = _pool(2), list[int]()
    borrowers = []
    for number in range(12):
        borrowers.append(_Borrower(pool, number, order))
        borrowers[-1].start()
        _until(lambda count=number: len(order) + _waiting(pool) > count)  # type: ignore[misc]
    for served in range(12):
        _until(lambda count=served: len(order) > count)  # type: ignore[misc]
        borrowers[order[served]].go.set()
    for borrower in borrowers:
        borrower.join(5)
    assert order[2:] == sorted(order)[2:]


def test_a_newcomer_never_overtakes_a_waiter() -> None:
    pool, order = _pool(1), list[int]()
    holder, waiter = _Borrower(pool, 0, order), _Borrower(pool, 1, order)
    holder.start()
    _until(lambda: order == [0])
    waiter.start()
    _until(lambda: _waiting(pool) == 1)
    newcomer = _Borrower(pool, 2, order)
    newcomer.start()
    _until(lambda: _waiting(pool) == 2)
    for borrower in (holder, waiter, newcomer):
        borrower.go.set()
        borrower.join(5)
    assert order == [0, 1, 2]


def test_a_waiter_that_gives_up_leaves_the_line_to_the_others() -> None:
    pool, order = _pool(1), list[int]()
    holder, patient = _Borrower(pool, 0, order), _Borrower(pool, 1, order)
    holder.start()
    _until(lambda: order == [0])
    with pytest.raises(PoolTimeoutError), pool.lease(timeout=0.01):
        pass
    patient.start()
    _until(lambda: _waiting(pool) == 1)
    with pytest.raises(PoolTimeoutError), pool.lease(timeout=0.01):
        pass
    for borrower in (holder, patient):
        borrower.go.set()
        borrower.join(5)
    assert order == [0, 1]
    assert _waiting(pool) == 0


@pytest.mark.parametrize("kind", [*SD_ERRORS, ValueError, KeyboardInterrupt], ids=lambda kind: kind.__name__)
def test_the_pool_is_whole_after_every_error(kind: type[BaseException]) -> None:
    pool = _pool(2)
    for _ in range(3):
        with pytest.raises(kind), pool.lease():
            raise kind("what went wrong")
    assert "busy" not in [state.state for state in pool.states()]
    with pool.lease(timeout=1), pool.lease(timeout=1):
        assert [state.state for state in pool.states()] == ["busy", "busy"]


def test_the_instance_that_used_the_checkpoint_last_is_preferred() -> None:
    pool = _pool(3)
    with pool.lease("a") as first, pool.lease("b") as second:
        pass
    for _ in range(2):
        with pool.lease("b") as again, pool.lease("a") as other:
            assert (again, other) == (second, first)


def test_without_a_wish_work_is_spread_over_all() -> None:
    pool, used = _pool(3), list[str]()
    for _ in range(6):
        with pool.lease() as instance:
            used.append(instance.name)
    assert used[:3] == used[3:]
    assert len(set(used)) == 3


def test_a_failed_instance_rests_and_others_are_lent() -> None:
    pool = _pool(2)
    with pytest.raises(InstanceServiceError), pool.lease() as failed:
        raise InstanceServiceError("it failed")
    for _ in range(3):
        with pool.lease() as instance:
            assert instance is not failed
    assert {state.name: state.state for state in pool.states()}[failed.name] == "resting"


def test_a_resting_instance_is_not_lent_while_a_busy_one_may_become_idle() -> None:
    pool = _pool(2)
    with pytest.raises(InstanceServiceError), pool.lease() as failed:
        raise InstanceServiceError("it failed")
    with pool.lease() as good, pytest.raises(PoolTimeoutError), pool.lease(timeout=0.05):
        pass
    assert good is not failed


def test_when_all_rest_the_one_that_is_rested_soonest_is_lent() -> None:
    pool = _pool(2)
    names = []
    for _ in range(2):
        with pytest.raises(InstanceServiceError), pool.lease() as failed:
            names.append(failed.name)
            raise InstanceServiceError("it failed")
    with pool.lease(timeout=0.5) as instance:
        assert instance.name == names[0]


def test_rests_grow_and_a_success_ends_them() -> None:
    pool = _pool(1)
    rests = []
    for _ in range(8):
        with pytest.raises(InstanceServiceError), pool.lease():
            raise InstanceServiceError("it failed")
        rests.append(round(pool.states()[0].rest_s))
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60]
    with pool.lease():
        pass
    state = pool.states()[0]
    assert (state.rest_s, state.served, state.failed) == (0.0, 1, 8)


def test_an_error_that_is_not_the_instances_fault_lets_it_work_on() -> None:
    pool = _pool(1)
    with pytest.raises(PictureRejectedError), pool.lease():
        raise PictureRejectedError("our own picture")
    assert pool.states()[0].state == "idle"


def test_an_avoided_instance_is_lent_only_where_there_is_no_other() -> None:
    pool = _pool(2)
    names = [instance.name for instance in pool.instances]
    for _ in range(2):
        with pool.lease(avoid={names[0]}) as instance:
            assert instance.name == names[1]
    with pool.lease(avoid=names, timeout=0.5):
        pass


def test_closing_sends_every_waiter_home() -> None:
    pool, order = _pool(1), list[int]()
    borrowers = [_Borrower(pool, number, order) for number in range(4)]
    for number, borrower in enumerate(borrowers):
        borrower.start()
        _until(lambda count=number: len(order) + _waiting(pool) > count)  # type: ignore[misc]
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


def test_a_door_lets_many_threads_through_one_at_a_time() -> None:
    door, inside, most = FairDoor(), [0], [0]

    def pass_through() -> None:
        for _ in range(50):
            assert door.enter(5)
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            inside[0] -= 1
            door.leave()

    threads = [threading.Thread(target=pass_through) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == [1]
    assert door.enter(0)


def test_an_instance_that_failed_to_load_a_checkpoint_is_not_preferred_for_it() -> None:
    pool = _pool(2)
    with pool.lease("a") as good:
        pass
    with pytest.raises(MissingOnInstanceError), pool.lease("b") as poor:
        raise MissingOnInstanceError("it lacks b")
    assert poor is not good
    with pool.lease("b") as instance:
        assert instance is good


def test_a_call_cut_off_by_a_foreign_error_leaves_the_instance_to_be_asked() -> None:
    pool = _pool(1)
    with pytest.raises(KeyboardInterrupt), pool.lease():
        raise KeyboardInterrupt
    assert pool.instances[0].unsettled
