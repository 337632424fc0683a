"""Generations: their whole life, written by their owner alone, once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store import schema
from store.documents import ErrorRecord, GenerationInputs, GenerationRecord, Output, StepRecord
from store.errors import DocumentTooLargeError, NotFoundError, OwnershipLostError
from store.generations import Generations
from store.stores import Stores
from tests.stores import opened_stores

ERROR = ErrorRecord(type="SDTimeoutError", message="no answer")
IMAGE = Output(kind="image", image_id="a" * 64, step="s1")
BRIEF = Output(kind="text", text='{"痛点": ["  soil is heavy ", {"x": "battery"}], "n": 3}')


@pytest.fixture
def stores(mongo_uri: str, database_name: str) -> Iterator[Stores]:
    with opened_stores(mongo_uri, database_name) as opened:
        yield opened


@pytest.fixture
def generations(stores: Stores) -> Generations:
    return stores.generations


def record(**fields: Any) -> GenerationRecord:
    given = {"app_id": 1, "participant_id": "p", "operation": "sketch.create_new"}
    given["inputs"] = GenerationInputs(task="耕作机", texts=("a",), image_ids=("b",), num=2)
    return GenerationRecord.model_validate(given | fields)


def get(generations: Generations, generation_id: str) -> GenerationRecord:
    found = generations.get(generation_id)
    assert found is not None
    return found


def running(generations: Generations, owner: str = "me", **fields: Any) -> str:
    generation_id = generations.insert(record(**fields)).id
    generations.start(generation_id, owner)
    return generation_id


def finished(generations: Generations, *outputs: Output, **fields: Any) -> str:
    generation_id = running(generations, **fields)
    generations.finish(generation_id, "me", outputs)
    return generation_id


def test_a_record_is_read_as_it_was_written(generations: Generations) -> None:
    written = record(
        origin={"aiStage": "草图的辅助生成", "a.b": "$"},
        seed=2**32 - 1,
        parents=("x", "y"),
        request_id="r",
        created_at=datetime(2026, 1, 2, 3, 4, 5, 6000, UTC),
    )
    kept = generations.insert(written)
    assert kept.schema_version == schema.SCHEMA_VERSIONS[schema.GENERATIONS]
    assert get(generations, written.id) == kept
    assert kept.model_copy(update={"schema_version": 0}) == written


def test_an_unknown_generation_is_none(generations: Generations) -> None:
    assert generations.get("nothing") is None


def test_a_generation_goes_from_queued_over_running_to_succeeded(generations: Generations) -> None:
    generation_id = generations.insert(record()).id
    assert get(generations, generation_id).state == "queued"
    generations.start(generation_id, "me")
    started = get(generations, generation_id)
    assert (started.state, started.owner, started.revision) == ("running", "me", 1)
    generations.finish(generation_id, "me", [IMAGE, BRIEF])
    ended = get(generations, generation_id)
    assert (ended.state, ended.outputs, ended.error, ended.revision) == ("succeeded", (IMAGE, BRIEF), None, 2)
    assert ended.created_at <= ended.started_at <= ended.ended_at  # type: ignore[operator]
    assert ended.duration_s == (ended.ended_at - ended.started_at).total_seconds()  # type: ignore[operator]


def test_a_failed_generation_keeps_its_error_and_what_was_made(generations: Generations) -> None:
    generation_id = running(generations)
    step = StepRecord(kind="txt2img", name="paint", error=ERROR)
    generations.fail(generation_id, "me", ERROR, outputs=[IMAGE], steps=[step])
    ended = get(generations, generation_id)
    assert (ended.state, ended.error, ended.outputs) == ("failed", ERROR, (IMAGE,))
    assert [kept.error for kept in ended.steps] == [ERROR]


def test_a_queued_generation_can_fail_without_ever_starting(generations: Generations) -> None:
    generation_id = generations.insert(record(owner="me")).id
    generations.fail(generation_id, "me", ERROR)
    ended = get(generations, generation_id)
    assert (ended.state, ended.duration_s) == ("failed", None)


def test_a_queued_generation_cannot_succeed(generations: Generations) -> None:
    generation_id = generations.insert(record(owner="me")).id
    with pytest.raises(OwnershipLostError, match="is queued"):
        generations.finish(generation_id, "me", [IMAGE])


def test_of_many_runners_one_gets_the_generation(generations: Generations) -> None:
    generation_id = generations.insert(record()).id

    def start(owner: int) -> bool:
        try:
            generations.start(generation_id, str(owner))
        except OwnershipLostError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(start, range(8)))
    assert won.count(True) == 1
    assert get(generations, generation_id).owner == str(won.index(True))


@pytest.mark.parametrize("change", ["add_step", "finish", "fail"])
def test_a_runner_that_does_not_own_a_generation_writes_nothing(generations: Generations, change: str) -> None:
    generation_id = running(generations, owner="me")
    before = get(generations, generation_id)
    with pytest.raises(OwnershipLostError, match="is running in the hands of me"):
        attempt(generations, change, generation_id, "another")
    assert get(generations, generation_id) == before


@pytest.mark.parametrize("change", ["add_step", "finish"])
def test_a_runner_that_was_given_up_cannot_write_any_more(generations: Generations, change: str) -> None:
    generation_id = running(generations)
    generations.fail(generation_id, "me", ERROR)
    before = get(generations, generation_id)
    with pytest.raises(OwnershipLostError, match="is failed"):
        attempt(generations, change, generation_id, "me")
    assert get(generations, generation_id) == before


@pytest.mark.parametrize("change", ["start", "add_step", "finish", "fail"])
def test_a_change_of_an_unknown_generation_is_an_error(generations: Generations, change: str) -> None:
    with pytest.raises(NotFoundError, match="no generation nothing"):
        attempt(generations, change, "nothing", "me")


def attempt(generations: Generations, change: str, generation_id: str, owner: str) -> None:
    """Make one of the changes, with arguments that are always the same."""
    match change:
        case "start":
            generations.start(generation_id, owner)
        case "add_step":
            generations.add_step(generation_id, owner, StepRecord(kind="chat", name="x", id="s1"))
        case "finish":
            generations.finish(generation_id, owner, [IMAGE], [StepRecord(kind="chat", name="x", id="s2")])
        case "fail":
            generations.fail(generation_id, owner, ERROR, [IMAGE], [StepRecord(kind="chat", name="x", id="s2")])


@pytest.mark.parametrize("end", ["finish", "fail"])
def test_every_change_that_is_sent_twice_happens_once(generations: Generations, end: str) -> None:
    generation_id = generations.insert(record()).id
    for change in ("start", "start", "add_step", "add_step", end, end):
        attempt(generations, change, generation_id, "me")
    ended = get(generations, generation_id)
    assert [step.id for step in ended.steps] == ["s1", "s2"]
    assert ended.revision == 2


def test_a_record_that_is_inserted_twice_is_there_once(stores: Stores) -> None:
    written = record()
    stores.generations.insert(written)
    stores.generations.insert(written)
    assert stores.database.collection(schema.GENERATIONS).count_documents({}) == 1


def test_steps_added_at_once_are_all_kept(generations: Generations) -> None:
    generation_id = running(generations)
    steps = [StepRecord(kind="txt2img", name=str(n)) for n in range(24)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda step: generations.add_step(generation_id, "me", step), steps))
    assert {step.id for step in get(generations, generation_id).steps} == {step.id for step in steps}


def test_details_of_any_shape_are_kept_as_near_as_they_can_be(generations: Generations) -> None:
    details = {
        "$set": {"a.b": 2**80},
        "nul\x00key": "\ud800",
        "image": "A" * 9_000_000,
        "sizes": (1, 2.5, None),
    }
    generation_id = running(generations)
    generations.add_step(generation_id, "me", StepRecord(kind="txt2img", name="x", details=details))
    kept = get(generations, generation_id).steps[0].details
    assert kept["$set"] == {"a.b": str(2**80)}
    assert kept["nul\ufffdkey"] == "\ufffd"
    assert kept["sizes"] == [1, 2.5, None]
    assert kept["image"].endswith("… (9000000 characters, cut)")


def test_a_record_over_16_mb_is_refused_and_leaves_nothing(generations: Generations) -> None:
    too_large = record(inputs={"task": "画" * 6_000_000})
    with pytest.raises(DocumentTooLargeError):
        generations.insert(too_large)
    assert generations.get(too_large.id) is None


def test_outputs_over_16_mb_are_refused_and_the_generation_can_still_fail(generations: Generations) -> None:
    generation_id = running(generations)
    with pytest.raises(DocumentTooLargeError):
        generations.finish(generation_id, "me", [Output(kind="text", text="x" * 17_000_000)])
    generations.fail(generation_id, "me", ERROR)
    assert get(generations, generation_id).state == "failed"


def test_parents_are_found_by_image(generations: Generations) -> None:
    generation_id = finished(generations, IMAGE, BRIEF)
    finished(generations, Output(kind="image", image_id="b" * 64))
    assert generations.parents_of("p", [IMAGE.image_id or ""], []) == (generation_id,)


@pytest.mark.parametrize("text", ["soil is heavy", " battery ", BRIEF.text], ids=["phrase", "nested", "whole"])
def test_parents_are_found_by_any_phrase_of_a_text(generations: Generations, text: str) -> None:
    generation_id = finished(generations, BRIEF)
    finished(generations, Output(kind="text", text='{"痛点": ["other"]}'))
    assert generations.parents_of("p", [], [text]) == (generation_id,)


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
    ids = [generations.insert(record(created_at=start + timedelta(hours=n))).id for n in range(5)]
    generations.insert(record(created_at=start + timedelta(hours=2), participant_id="q"))
    listed = generations.of_participant("p", start + timedelta(hours=1), start + timedelta(hours=4))
    assert [item.id for item in listed] == [ids[3], ids[2], ids[1]]


def test_what_a_dead_runner_left_is_found_and_nothing_else(generations: Generations) -> None:
    left_running = running(generations, owner="dead")
    left_queued = generations.insert(record(owner="dead")).id
    running(generations, owner="alive")
    generations.insert(record())
    ended = running(generations, owner="dead")
    generations.fail(ended, "dead", ERROR)
    assert set(generations.abandoned("dead")) == {left_running, left_queued}
