"""Generations: how a record comes to be, and how it is found again."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store import schema
from store.clock import utc_now
from store.documents import ErrorRecord, LogEntry, Output, StepRecord
from store.errors import DocumentTooLargeError, DuplicateError
from store.generations import Generations
from store.phrases import MAX_NUMBER
from store.stores import Stores
from tests.stores import new_record, queued, read, running

ERROR = ErrorRecord(type="SDTimeoutError", message="no answer")
IMAGE = Output(kind="image", image_id="a" * 64, step="s1")
BRIEF = Output(kind="text", text='{"痛点": ["  soil is heavy ", {"x": "battery"}], "n": 3}')
SECOND = timedelta(seconds=1)


@pytest.fixture
def generations(stores: Stores) -> Generations:
    return stores.generations


def finished(generations: Generations, *outputs: Output, **fields: Any) -> str:
    return generations.finish(running(generations, **fields), outputs=outputs).generation_id


def test_a_record_is_read_as_it_was_written(generations: Generations) -> None:
    written = new_record(
        origin={"aiStage": "草图的辅助生成", "a.b": "$"},
        seed=2**32 - 1,
        parents=("x", "y"),
        request_id="r",
        created_at=datetime(2026, 1, 2, 3, 4, 5, 6000, UTC),
        rerun_of="z",
        overrides={"checkpoint": "m.safetensors"},
        pins={"prompts": {"$a.b": "hash"}},
        cancel_at=datetime(2026, 1, 2, 3, 5, tzinfo=UTC),
    )
    kept = generations.insert(written)
    assert read(generations, written.id).model_copy(update={"changed_at": None}) == kept
    given = {"schema_version": 0, "revision": 0, "log": ()}
    assert kept.model_copy(update=given) == written
    assert kept.schema_version == schema.SCHEMA_VERSIONS[schema.GENERATIONS]


@pytest.mark.parametrize(("owner", "count"), [("", 0), ("me", 1)], ids=["of nobody", "claimed"])
def test_a_new_record_is_queued_with_or_without_an_owner(generations: Generations, owner: str, count: int) -> None:
    kept = read(generations, generations.insert(new_record(owner=owner, state="failed")).id)
    assert (kept.state, kept.owner, kept.token, kept.attempt) == ("queued", owner, count, count)
    assert kept.log == (LogEntry(seq=1, type="state", at=kept.created_at, state="queued"),)
    assert kept.revision == 1


def test_an_unknown_generation_is_none(generations: Generations) -> None:
    assert generations.get("nothing") is None


def test_a_record_of_the_first_version_is_read_with_defaults(stores: Stores) -> None:
    claim = running(stores.generations)
    later = ("token", "attempt", "changed_at", "log", "live", "cancel_at", "rerun_of", "overrides", "pins", "times")
    change = {"$unset": dict.fromkeys(later, ""), "$set": {"schema_version": 1}}
    stores.database.collection(schema.GENERATIONS).update_one({"_id": claim.generation_id}, change)
    kept = read(stores.generations, claim.generation_id)
    assert (kept.schema_version, kept.state, kept.token, kept.log, kept.times) == (1, "running", 0, (), {})
    assert stores.generations.abandon(claim.generation_id, "me", ERROR)
    assert read(stores.generations, claim.generation_id).state == "failed"


def test_a_record_that_is_inserted_twice_is_there_once(stores: Stores) -> None:
    written = new_record()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: stores.generations.insert(written), range(8)))
    assert stores.database.collection(schema.GENERATIONS).count_documents({}) == 1


def test_a_second_insert_takes_nothing_back(generations: Generations) -> None:
    written = new_record(owner="me")
    claim = generations.claim_of(generations.insert(written))
    generations.write(claim, steps=[StepRecord(kind="chat", name="x")])
    kept = generations.insert(written)
    assert len(kept.steps) == 1
    assert read(generations, written.id).steps == kept.steps


@pytest.mark.parametrize("change", [{"owner": "another"}, {"created_at": datetime(2026, 1, 1, tzinfo=UTC)}])
def test_another_record_of_the_same_id_is_refused(generations: Generations, change: dict[str, Any]) -> None:
    written = new_record(owner="me")
    generations.insert(written)
    with pytest.raises(DuplicateError, match="is there already"):
        generations.insert(written.model_copy(update=change))
    assert read(generations, written.id).owner == "me"


def test_a_record_over_16_mb_is_refused_and_leaves_nothing(generations: Generations) -> None:
    too_large = new_record(inputs={"task": "画" * 6_000_000})
    with pytest.raises(DocumentTooLargeError):
        generations.insert(too_large)
    assert generations.get(too_large.id) is None


def test_parents_are_found_by_image(generations: Generations) -> None:
    generation_id = finished(generations, IMAGE, BRIEF)
    finished(generations, Output(kind="image", image_id="b" * 64))
    assert generations.parents_of("p", [IMAGE.image_id or ""], []) == (generation_id,)


@pytest.mark.parametrize("text", ["soil is heavy", " battery ", BRIEF.text], ids=["phrase", "nested", "whole"])
def test_parents_are_found_by_any_phrase_of_a_text(generations: Generations, text: str) -> None:
    generation_id = finished(generations, BRIEF)
    finished(generations, Output(kind="text", text='{"痛点": ["other"]}'))
    assert generations.parents_of("p", [], [text]) == (generation_id,)


def test_parents_are_found_by_outputs_that_came_one_by_one(generations: Generations) -> None:
    claim = running(generations)
    for output in (IMAGE, BRIEF):
        claim = generations.write(claim, outputs=[output])
    assert generations.parents_of("p", ["a" * 64], []) == (claim.generation_id,)
    assert generations.parents_of("p", [], ["battery"]) == (claim.generation_id,)


def test_the_phrases_of_many_outputs_are_as_few_as_those_of_one(stores: Stores) -> None:
    claim = running(stores.generations)
    for number in range(3):
        text = json.dumps([f"{number}/{n}" for n in range(300)])
        claim = stores.generations.write(claim, outputs=[Output(kind="text", text=text)])
    kept = stores.database.collection(schema.GENERATIONS).find_one({"_id": claim.generation_id}) or {}
    assert len(kept["output_phrases"]) == MAX_NUMBER


def test_a_parent_is_named_once_and_older_ones_come_first(generations: Generations) -> None:
    older = finished(generations, IMAGE, BRIEF)
    newer = finished(generations, IMAGE)
    assert generations.parents_of("p", ["a" * 64, "c" * 64], ["battery", "nothing"]) == (older, newer)


def test_another_participants_outputs_are_no_parents(generations: Generations) -> None:
    finished(generations, IMAGE, BRIEF, participant_id="q")
    assert generations.parents_of("p", ["a" * 64], ["battery"]) == ()


def test_nothing_has_no_parents(generations: Generations) -> None:
    finished(generations, IMAGE)
    assert generations.parents_of("p", [], []) == ()


def test_a_participants_generations_are_listed_newest_first_within_the_window(
    generations: Generations,
) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    ids = [generations.insert(new_record(created_at=start + timedelta(hours=n))).id for n in range(5)]
    generations.insert(new_record(created_at=start + timedelta(hours=2), participant_id="q"))
    listed = generations.of_participant("p", start + timedelta(hours=1), start + timedelta(hours=4))
    assert [item.id for item in listed] == [ids[3], ids[2], ids[1]]


def test_the_queued_generations_are_counted(generations: Generations) -> None:
    queued(generations)
    generations.insert(new_record())
    running(generations)
    generations.cancel(queued(generations).generation_id)
    assert generations.queued_count() == 2


def test_every_change_is_told_in_the_order_of_the_changes(generations: Generations) -> None:
    first, second = queued(generations), queued(generations, "another")
    moment = utc_now() - SECOND
    generations.write(first, state="running")
    told = generations.changed_since(moment)
    assert [(change.id, change.state, change.owner, change.revision, change.token) for change in told] == [
        (second.generation_id, "queued", "another", 1, 1),
        (first.generation_id, "running", "me", 2, 1),
    ]
    assert told[0].changed_at < told[1].changed_at


def test_what_changed_before_the_moment_is_not_told_again(generations: Generations) -> None:
    claim = queued(generations)
    seen = generations.changed_since(utc_now() - SECOND)[-1].changed_at
    assert [change.changed_at for change in generations.changed_since(seen)] == [seen]
    assert generations.changed_since(seen + SECOND / 1000) == ()
    generations.cancel(claim.generation_id)
    assert [change.state for change in generations.changed_since(seen + SECOND / 1000)] == ["canceled"]
