"""The pool by itself: who gets which instance, in which order, and that it stays whole."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from agent.calls import Call
from agent.errors import (
    PoolClosedError,
    PoolTimeoutError,
    SDNotConfiguredError,
)
from agent.pool import SDInstance
from tests.pools import Borrower, MakePool, made_up, until


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
        borrowers.append(Borrower(pool, number, order))
        borrowers[-1].start()
        until(lambda count=number: len(order) + pool.waiting() > count, "as awaited")  # type: ignore[misc]
    for served in range(12):
        until(lambda count=served: len(order) > count, "as awaited")  # type: ignore[misc]
        borrowers[order[served]].go.set()
    for borrower in borrowers:
        borrower.join(5)
    assert order == list(range(12))


def test_a_newcomer_never_overtakes_a_waiter(make_pool: MakePool) -> None:
    pool, order = make_pool(made_up(1)), list[int]()
    holder, waiter = Borrower(pool, 0, order), Borrower(pool, 1, order)
    holder.start()
    until(lambda: order == [0], "as awaited")
    waiter.start()
    until(lambda: pool.waiting() == 1, "as awaited")
    newcomer = Borrower(pool, 2, order)
    newcomer.start()
    until(lambda: pool.waiting() == 2, "as awaited")
    for borrower in (holder, waiter, newcomer):
        borrower.go.set()
        borrower.join(5)
    assert order == [0, 1, 2]


def test_a_waiter_that_gives_up_leaves_the_line_to_the_others(make_pool: MakePool) -> None:
    pool, order = make_pool(made_up(1)), list[int]()
    holder, patient = Borrower(pool, 0, order), Borrower(pool, 1, order)
    holder.start()
    until(lambda: order == [0], "as awaited")
    with pytest.raises(PoolTimeoutError), pool.lease(timeout=0.01):
        pass
    patient.start()
    until(lambda: pool.waiting() == 1, "as awaited")
    with pytest.raises(PoolTimeoutError), pool.lease(timeout=0.01):
        pass
    for borrower in (holder, patient):
        borrower.go.set()
        borrower.join(5)
    assert order == [0, 1]
    assert pool.waiting() == 0


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
    borrowers = [Borrower(pool, number, order) for number in range(4)]
    for number, borrower in enumerate(borrowers):
        borrower.start()
        until(lambda count=number: len(order) + pool.waiting() > count, "as awaited")  # type: ignore[misc]
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
