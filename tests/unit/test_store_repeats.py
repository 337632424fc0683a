"""A write whose answer gets lost is sent again, and happens once all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from store import repeat, schema
from store.documents import ErrorRecord, GenerationInputs, GenerationRecord, Output, StepRecord
from store.errors import StoreUnavailableError
from store.saved_states import SavedState
from store.stores import Stores
from store.time_records import TimeRecord
from store.uploads import Upload
from tests.cutting import CuttingProxy, cutting_proxy
from tests.stores import opened_stores

STEP = StepRecord(kind="txt2img", name="paint", id="s1")
RECORD = GenerationRecord(
    app_id=1, participant_id="p", operation="sketch.create_new", inputs=GenerationInputs(task="t")
)


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
    (schema.GENERATIONS, lambda stores: stores.generations.insert(RECORD)),
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


ENDS: list[tuple[str, Callable[[Stores, str], None]]] = [
    ("succeeded", lambda stores, id_: stores.generations.finish(id_, "me", [Output(kind="text", text="a")])),
    ("failed", lambda stores, id_: stores.generations.fail(id_, "me", ErrorRecord(type="E", message="m"))),
]


@pytest.mark.parametrize(("state", "end"), ENDS, ids=[state for state, _ in ENDS])
def test_changes_of_a_generation_whose_answers_are_lost_happen_once(
    stores: Stores, proxy: CuttingProxy, state: str, end: Callable[[Stores, str], None]
) -> None:
    generation_id = stores.generations.insert(RECORD).id
    changes: list[Callable[[], None]] = [
        lambda: stores.generations.start(generation_id, "me"),
        lambda: stores.generations.add_step(generation_id, "me", STEP),
        lambda: end(stores, generation_id),
    ]
    for change in changes:
        proxy.cut_at("update", schema.GENERATIONS)
        change()
    kept = stores.generations.get(generation_id)
    assert proxy.cuts == 3
    assert kept is not None
    assert (kept.state, kept.revision, len(kept.steps)) == (state, 2, 1)


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
