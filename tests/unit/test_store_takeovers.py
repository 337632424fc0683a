"""Takeovers: what others than its owner do to a generation."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from store import schema
from store.claims import Claim
from store.documents import ErrorRecord, Output, StepRecord
from store.errors import NotFoundError, OwnershipLostError
from store.generations import Generations
from store.stores import Stores
from tests.stores import new_record, queued, read, running

ERROR = ErrorRecord(type="RunnerDiedError", message="$it.stopped")
IMAGE = Output(kind="image", image_id="a" * 64)
STEP = StepRecord(kind="chat", name="x", id="s1")


@pytest.fixture
def generations(stores: Stores) -> Generations:
    return stores.generations


def states(generations: Generations, generation_id: str) -> list[str]:
    record = read(generations, generation_id)
    assert [entry.seq for entry in record.log] == list(range(1, record.revision + 1))
    return [entry.state for entry in record.log if entry.type == "state"]


@pytest.mark.parametrize("start", [queued, running], ids=["queued", "running"])
@pytest.mark.parametrize("error", [None, ERROR], ids=["without an error", "with an error"])
def test_what_has_not_ended_is_canceled(generations: Generations, start: type, error: ErrorRecord | None) -> None:
    claim: Claim = start(generations)
    canceled = generations.cancel(claim.generation_id, error)
    assert canceled == read(generations, claim.generation_id)
    assert (canceled.state, canceled.error, canceled.token) == ("canceled", error, claim.token + 1)
    assert canceled.ended_at is not None and (canceled.duration_s is None) == (claim.started_at is None)
    assert states(generations, claim.generation_id)[-1] == "canceled"


def test_a_canceled_generation_keeps_what_was_made(generations: Generations) -> None:
    claim = generations.write(running(generations), steps=[STEP], outputs=[IMAGE])
    canceled = generations.cancel(claim.generation_id)
    assert (len(canceled.steps), canceled.outputs) == (1, (IMAGE,))


def test_what_has_ended_is_not_canceled(generations: Generations) -> None:
    claim = generations.finish(running(generations), outputs=[IMAGE])
    before = read(generations, claim.generation_id)
    assert generations.cancel(claim.generation_id, ERROR) == before
    assert read(generations, claim.generation_id) == before


def test_an_unknown_generation_cannot_be_canceled(generations: Generations) -> None:
    with pytest.raises(NotFoundError, match="no generation nothing"):
        generations.cancel("nothing")


def test_a_generation_is_canceled_in_the_middle_of_its_owners_writes(generations: Generations) -> None:
    claim, is_writing = running(generations), threading.Event()

    def write() -> int:
        """Write until it is refused, and give how many writes were acknowledged."""
        now = claim
        for number in range(500):
            try:
                now = generations.write(now, steps=[StepRecord(kind="chat", name=str(number))])
            except OwnershipLostError as error:
                assert error.state == "canceled"
                return number
            is_writing.set()
        return -1

    with ThreadPoolExecutor(1) as threads:
        writer = threads.submit(write)
        assert is_writing.wait(10)
        canceled = generations.cancel(claim.generation_id)
        assert len(canceled.steps) == writer.result()
    assert read(generations, claim.generation_id) == canceled


def test_a_cancel_and_an_end_at_once_have_one_outcome(generations: Generations) -> None:
    def finish(claim: Claim) -> str:
        try:
            generations.finish(claim)
        except OwnershipLostError as error:
            return error.state
        return "succeeded"

    for _ in range(10):
        claim = running(generations)
        with ThreadPoolExecutor(2) as threads:
            end = threads.submit(finish, claim)
            canceled = threads.submit(generations.cancel, claim.generation_id)
            assert end.result() == canceled.result().state
        assert len(states(generations, claim.generation_id)) == 3


@pytest.mark.parametrize("start", [queued, running], ids=["queued", "running"])
def test_what_a_dead_runner_had_goes_back_once(generations: Generations, start: type) -> None:
    claim: Claim = start(generations, "dead")
    assert generations.requeue(claim.generation_id, "dead")
    assert not generations.requeue(claim.generation_id, "dead")
    record = read(generations, claim.generation_id)
    assert (record.state, record.owner, record.started_at, record.live) == ("queued", "", None, None)
    assert states(generations, claim.generation_id)[-1] == "queued"
    again = generations.claim(claim.generation_id, "alive")
    assert (again.token, again.revision, again.started_at) == (claim.token + 2, record.revision, None)
    generations.finish(again, outputs=[IMAGE])
    assert read(generations, claim.generation_id).attempt == 2


def test_a_generation_that_was_tried_twice_does_not_go_back(generations: Generations) -> None:
    claim = running(generations, "dead")
    generations.requeue(claim.generation_id, "dead")
    generations.write(generations.claim(claim.generation_id, "next"), state="running")
    assert not generations.requeue(claim.generation_id, "next")
    assert read(generations, claim.generation_id).state == "running"


def test_a_queued_generation_goes_back_however_often(generations: Generations) -> None:
    generation_id = queued(generations, "0").generation_id
    for runner in range(4):
        assert generations.requeue(generation_id, str(runner))
        generations.claim(generation_id, str(runner + 1))
    assert (states(generations, generation_id), read(generations, generation_id).token) == (["queued"], 9)


def test_a_generation_that_has_made_something_does_not_go_back(generations: Generations) -> None:
    claim = generations.write(running(generations), outputs=[IMAGE])
    assert not generations.requeue(claim.generation_id, "me")


def test_what_another_runner_has_does_not_go_back_and_is_not_abandoned(generations: Generations) -> None:
    claim = running(generations, "alive")
    assert not generations.requeue(claim.generation_id, "dead")
    assert not generations.abandon(claim.generation_id, "dead", ERROR)
    assert generations.finish(claim).revision == 3


def test_what_has_ended_does_not_go_back_and_is_not_abandoned(generations: Generations) -> None:
    claim = generations.finish(running(generations))
    assert not generations.requeue(claim.generation_id, "me")
    assert not generations.abandon(claim.generation_id, "me", ERROR)
    assert read(generations, claim.generation_id).state == "succeeded"


@pytest.mark.parametrize("start", [queued, running], ids=["queued", "running"])
def test_what_a_dead_runner_left_is_marked_failed_by_one(generations: Generations, start: type) -> None:
    claim: Claim = start(generations)
    with ThreadPoolExecutor(4) as threads:
        won = list(threads.map(lambda _: generations.abandon(claim.generation_id, "me", ERROR), range(4)))
    assert won.count(True) == 1
    record = read(generations, claim.generation_id)
    assert (record.state, record.error, record.token) == ("failed", ERROR, claim.token + 1)
    assert states(generations, claim.generation_id)[-1] == "failed"


def test_what_a_dead_runner_left_is_found_and_nothing_else(generations: Generations) -> None:
    left = {running(generations, "dead").generation_id, queued(generations, "dead").generation_id}
    running(generations, "alive")
    generations.insert(new_record())
    generations.fail(running(generations, "dead"), ERROR)
    assert set(generations.abandoned("dead")) == left


def test_what_nobody_has_is_found_and_older_ones_come_first(generations: Generations) -> None:
    waiting = [generations.insert(new_record()).id for _ in range(3)]
    queued(generations)
    generations.cancel(generations.insert(new_record()).id)
    back = running(generations).generation_id
    generations.requeue(back, "me")
    assert generations.unclaimed(0, 100) == (*waiting, back)


def test_of_what_nobody_has_no_more_is_read_than_asked_for_and_the_oldest_of_it(generations: Generations) -> None:
    waiting = [generations.insert(new_record()).id for _ in range(5)]
    generations.requeue(generations.claim(waiting[1], "me").generation_id, "me")
    assert generations.unclaimed(0, 3) == tuple(waiting[:3])
    assert generations.unclaimed(60, 3) == ()


def test_what_came_to_the_queue_lately_can_be_left_out(stores: Stores) -> None:
    old, new = (stores.generations.insert(new_record()).id for _ in range(2))
    document = stores.database.collection(schema.GENERATIONS).find_one({"_id": old}) or {}
    earlier = {"$set": {"changed_at": document["changed_at"] - timedelta(seconds=30)}}
    stores.database.collection(schema.GENERATIONS).update_one({"_id": old}, earlier)
    assert stores.generations.unclaimed(20, 100) == (old,)
    assert stores.generations.unclaimed(40, 100) == ()
    assert set(stores.generations.unclaimed(0, 100)) == {old, new}
