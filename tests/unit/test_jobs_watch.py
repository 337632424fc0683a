"""What is read of a job is kept until it changes, and not a moment longer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from jobs.background import Background
from jobs.watch import Watch
from store.documents import GenerationRecord
from store.generations import Generations
from store.stores import Stores
from tests.job_bench import record_for, until

pytestmark = pytest.mark.unit


@pytest.fixture
def background() -> Iterator[Background]:
    """Run what nobody waits for."""
    background = Background()
    yield background
    background.stop()


@pytest.fixture
def watch(stores: Stores, background: Background) -> Watch:
    """Watch jobs, looking often."""
    return Watch(stores, background, look_s=0.05)


@pytest.fixture
def record(stores: Stores) -> GenerationRecord:
    """Have a job that somebody works on."""
    return stores.generations.insert(record_for("somebody"))


class Reads:
    """Counts the reads of records, and may hold them up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.has_read, self.may_go_on = threading.Event(), threading.Event()
        self.may_go_on.set()
        get = Generations.get

        def counted(generations: Generations, generation_id: str) -> Any:
            found = get(generations, generation_id)
            self.count += 1
            self.has_read.set()
            assert self.may_go_on.wait(10)
            return found

        monkeypatch.setattr(Generations, "get", counted)


def _begin(stores: Stores, record: GenerationRecord) -> None:
    stores.generations.write(stores.generations.claim_of(record), state="running")


def test_a_record_is_read_once_while_it_does_not_change(
    watch: Watch, record: GenerationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(monkeypatch)

    with watch.listening(record.id):
        found = [watch.record(record.id) for _ in range(5)]

    assert reads.count == 1
    assert found[0] is found[4]


def test_a_change_that_is_told_is_seen_at_once(watch: Watch, record: GenerationRecord, stores: Stores) -> None:
    with watch.listening(record.id) as event:
        watch.record(record.id)
        _begin(stores, record)

        watch.heard(record.id)

        assert event.is_set()
        found = watch.record(record.id)
    assert found is not None
    assert found.state == "running"


def test_a_change_that_nobody_tells_is_found_in_the_database(
    watch: Watch, record: GenerationRecord, stores: Stores
) -> None:
    with watch.listening(record.id) as event:
        watch.record(record.id)
        event.clear()
        _begin(stores, record)

        assert event.wait(5)

        until(lambda: (found := watch.record(record.id)) and found.state == "running")


def test_what_was_read_before_a_change_is_not_kept_after_it(
    watch: Watch, record: GenerationRecord, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(monkeypatch)
    reads.may_go_on.clear()
    reader = threading.Thread(target=watch.record, args=(record.id,))
    reader.start()
    assert reads.has_read.wait(10)
    _begin(stores, record)

    watch.changed(record.id, is_end=False)
    reads.may_go_on.set()
    reader.join()

    found = watch.record(record.id)
    assert found is not None
    assert found.state == "running"


def test_only_those_are_woken_whose_job_it_is(watch: Watch, record: GenerationRecord) -> None:
    with (
        watch.listening("another") as other,
        watch.listening(record.id) as follower,
        watch.listening(record.id, only_end=True) as waiter,
    ):
        for event in (other, follower, waiter):
            event.clear()
        watch.changed(record.id, is_end=False)
        assert [event.is_set() for event in (other, follower, waiter)] == [False, True, False]
        assert watch.is_awaited(record.id)

        watch.changed(record.id, is_end=True)
        assert [event.is_set() for event in (other, follower, waiter)] == [False, True, True]
    assert not watch.is_awaited(record.id)


def test_the_database_is_asked_only_while_somebody_listens(
    watch: Watch, record: GenerationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    original = Generations.changed_since
    monkeypatch.setattr(Generations, "changed_since", lambda *args: looks.append(1) or original(*args))
    with watch.listening(record.id):
        until(lambda: len(looks) >= 2)

    until(lambda: not watch._is_looking)
    count = len(looks)
    with watch.listening(record.id):
        until(lambda: len(looks) > count)


def test_a_job_that_comes_on_in_the_queue_is_told(stores: Stores, background: Background) -> None:
    places = {"a job": 3}
    watch = Watch(stores, background, place=places.get, look_s=0.05)
    with watch.listening("a job") as event:
        assert event.wait(5)
        event.clear()

        places["a job"] = 2

        assert event.wait(5)
