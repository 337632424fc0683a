"""A write whose answer gets lost is sent again, and happens once all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from store import repeat, schema
from store.claims import Claim
from store.documents import ErrorRecord, Live, Output, StepRecord
from store.errors import OwnershipLostError, StoreUnavailableError
from store.saved_states import SavedState
from store.stores import Stores
from store.time_records import TimeRecord
from store.uploads import Upload
from tests.cutting import CuttingProxy, cutting_proxy
from tests.stores import new_record, opened_stores, queued, read, running

STEP = StepRecord(kind="txt2img", name="paint", id="s1")
ERROR = ErrorRecord(type="E", message="m")
IMAGE = Output(kind="image", image_id="a" * 64)


@pytest.fixture
def proxy(mongo_uri: str) -> Iterator[CuttingProxy]:
    with cutting_proxy(mongo_uri) as started:
        yield started


@pytest.fixture
def stores(proxy: CuttingProxy, database_name: str) -> Iterator[Stores]:
    with opened_stores(proxy.uri, database_name) as opened:
        opened.participants.find_or_create("anna")
        yield opened


def count(stores: Stores, collection: str) -> int:
    return stores.database.collection(collection).count_documents({})


INSERTS: list[tuple[str, Callable[[Stores], Any]]] = [
    (schema.CONTENTS, lambda stores: stores.contents.put(b"abc", "image/png")),
    (schema.UPLOADS, lambda stores: stores.uploads.add(Upload("p", "a" * 64, "canvas.png", "canvas"))),
    (schema.TIME_RECORDS, lambda stores: stores.time_records.add(TimeRecord("p", 1, (), ()))),
    (schema.SUBJECTS, lambda stores: stores.subjects.put("key", "drone", "gpt-4")),
    (schema.CONTENTS, lambda stores: stores.contents.put(b"new", "image/png", is_new=True)),
    (schema.SUBMISSION_KEYS, lambda stores: stores.submission_keys.put("key", "body", "g1")),
    (schema.SETTINGS_VERSIONS, lambda stores: stores.settings_versions.keep("hash", "prompt", "x", "text")),
]


@pytest.mark.parametrize(("collection", "insert"), INSERTS, ids=[name for name, _ in INSERTS])
def test_an_insert_whose_answer_is_lost_happens_once(
    stores: Stores, proxy: CuttingProxy, collection: str, insert: Callable[[Stores], Any]
) -> None:
    proxy.cut_at("insert", collection)
    insert(stores)
    assert proxy.cuts == 1
    assert count(stores, collection) == 1


def test_a_content_that_is_known_is_not_sent_again(stores: Stores, proxy: CuttingProxy) -> None:
    stores.contents.put(b"abc", "image/png")
    proxy.cut_at("insert", schema.CONTENTS)
    stores.contents.put(b"abc", "image/png")
    assert proxy.cuts == 0


@pytest.mark.parametrize("collection", [schema.PARTICIPANT_NAMES, schema.PARTICIPANTS])
def test_a_participant_whose_first_answer_is_lost_is_made_once(
    stores: Stores, proxy: CuttingProxy, collection: str
) -> None:
    proxy.cut_at("insert", collection)
    created = stores.participants.find_or_create("berta")
    assert proxy.cuts == 1
    assert stores.participants.find("berta") == created
    assert (count(stores, schema.PARTICIPANT_NAMES), count(stores, schema.PARTICIPANTS)) == (2, 2)


@pytest.mark.parametrize(
    ("command", "collection"),
    [("insert", schema.CONTENTS), ("insert", schema.SAVED_STATES), ("update", schema.PARTICIPANTS)],
)
def test_a_save_whose_answer_is_lost_happens_once(
    stores: Stores, proxy: CuttingProxy, command: str, collection: str
) -> None:
    participant_id = stores.participants.find_or_create("anna").id
    proxy.cut_at(command, collection)
    saved_state_id = stores.saved_states.save(participant_id, SavedState("{}", "task", "草图的环境"))
    participant = stores.participants.by_id(participant_id)
    assert proxy.cuts == 1
    assert participant is not None
    assert (participant.saved_state_id, participant.revision) == (saved_state_id, 1)
    assert count(stores, schema.SAVED_STATES) == 1


def test_a_record_whose_acknowledgement_is_lost_is_there_once(stores: Stores, proxy: CuttingProxy) -> None:
    proxy.cut_at("update", schema.GENERATIONS)
    claim = queued(stores.generations)
    assert proxy.cuts == 1
    assert count(stores, schema.GENERATIONS) == 1
    assert read(stores.generations, claim.generation_id).revision == claim.revision


ENDS: dict[str, Callable[[Stores, Claim], Claim]] = {
    "succeeded": lambda stores, claim: stores.generations.finish(claim, steps=[STEP], outputs=[IMAGE]),
    "failed": lambda stores, claim: stores.generations.fail(claim, ERROR, steps=[STEP], outputs=[IMAGE]),
}


@pytest.mark.parametrize(("state", "end"), ENDS.items(), ids=ENDS)
def test_writes_to_a_generation_whose_answers_are_lost_happen_once(
    stores: Stores, proxy: CuttingProxy, state: str, end: Callable[[Stores, Claim], Claim]
) -> None:
    claim = queued(stores.generations)
    changes: list[Callable[[Claim], Claim]] = [
        lambda claim: stores.generations.write(claim, state="running"),
        lambda claim: stores.generations.write(claim, steps=[StepRecord(kind="chat", name="x")], outputs=[IMAGE]),
        lambda claim: end(stores, claim),
    ]
    for change in changes:
        proxy.cut_at("update", schema.GENERATIONS)
        claim = change(claim)
    kept = read(stores.generations, claim.generation_id)
    assert proxy.cuts == 3
    assert (kept.state, kept.revision, len(kept.steps), len(kept.outputs)) == (state, claim.revision, 2, 2)
    assert [entry.seq for entry in kept.log] == list(range(1, kept.revision + 1))


def test_a_claim_whose_answer_is_lost_is_the_runners_all_the_same(stores: Stores, proxy: CuttingProxy) -> None:
    generation_id = stores.generations.insert(new_record()).id
    proxy.cut_at("update", schema.GENERATIONS)
    claim = stores.generations.claim(generation_id, "me")
    assert proxy.cuts == 1
    assert stores.generations.claim_of(read(stores.generations, generation_id)) == claim
    assert claim.token == 1


TAKEOVERS: dict[str, Callable[[Stores, str], Any]] = {
    "canceled": lambda stores, generation_id: stores.generations.cancel(generation_id).state == "canceled",
    "queued": lambda stores, generation_id: stores.generations.requeue(generation_id, "me"),
    "failed": lambda stores, generation_id: stores.generations.abandon(generation_id, "me", ERROR),
}


@pytest.mark.parametrize(("state", "take"), TAKEOVERS.items(), ids=TAKEOVERS)
def test_a_takeover_whose_answer_is_lost_happens_once(
    stores: Stores, proxy: CuttingProxy, state: str, take: Callable[[Stores, str], Any]
) -> None:
    claim = running(stores.generations)
    proxy.cut_at("update", schema.GENERATIONS)
    assert take(stores, claim.generation_id)
    kept = read(stores.generations, claim.generation_id)
    assert proxy.cuts == 1
    assert (kept.state, kept.token, kept.revision) == (state, claim.token + 1, claim.revision + 1)


def test_a_write_is_refused_that_got_through_only_after_it_was_repeated_too_late(
    stores: Stores, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = running(stores.generations)
    monkeypatch.setattr(repeat, "REPEAT_FOR_S", 0)
    proxy.cut_at("update", schema.GENERATIONS)
    with pytest.raises(StoreUnavailableError):
        stores.generations.write(claim, steps=[STEP])
    stores.generations.cancel(claim.generation_id)
    with pytest.raises(OwnershipLostError):
        stores.generations.write(claim, steps=[STEP])


def test_a_write_that_its_caller_repeats_much_later_happens_once(
    stores: Stores, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = running(stores.generations)
    monkeypatch.setattr(repeat, "REPEAT_FOR_S", 0)
    proxy.cut_at("update", schema.GENERATIONS)
    with pytest.raises(StoreUnavailableError):
        stores.generations.write(claim, steps=[STEP])
    again = stores.generations.write(claim, steps=[STEP])
    assert stores.generations.claim_of(read(stores.generations, claim.generation_id)) == again
    assert len(read(stores.generations, claim.generation_id).steps) == 1


def test_a_live_report_whose_answer_is_lost_is_there(stores: Stores, proxy: CuttingProxy) -> None:
    claim = running(stores.generations)
    proxy.cut_at("update", schema.GENERATIONS)
    stores.generations.set_live(claim, Live(progress=0.5))
    assert read(stores.generations, claim.generation_id).live is not None


def test_new_bytes_are_sent_without_a_question_and_known_ones_stay_as_they_are(
    stores: Stores, proxy: CuttingProxy
) -> None:
    first = stores.contents.put(b"abc", "image/png", width=3, is_new=True)
    proxy.cut_at("find", schema.CONTENTS)
    stores.contents.put(b"abcd", "image/png", is_new=True)
    assert proxy.cuts == 0
    assert stores.contents.put(b"abc", "image/png", is_new=True) == first


def test_a_first_heartbeat_whose_answer_is_lost_makes_one_runner(stores: Stores, proxy: CuttingProxy) -> None:
    proxy.cut_at("update", schema.RUNNERS)
    stores.runners.beat("me")
    assert proxy.cuts == 1
    assert count(stores, schema.RUNNERS) == 1


def test_without_a_repeat_the_lost_answer_is_an_error(
    stores: Stores, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeat, "REPEAT_FOR_S", 0)
    proxy.cut_at("insert", schema.UPLOADS)
    with pytest.raises(StoreUnavailableError):
        stores.uploads.add(Upload("p", "a" * 64, "canvas.png", "canvas"))
