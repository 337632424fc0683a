"""Subjects, time records, uploads and runners: small records that are added and read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from store import schema
from store.clock import utc_now
from store.errors import DocumentInvalidError, StoreError
from store.stores import Stores
from store.time_records import StageVisits, TimeRecord, Visit
from store.uploads import Upload

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_subject_is_remembered_for_its_task(stores: Stores) -> None:
    key = "hash of a task"
    assert stores.subjects.get(key) is None
    kept = stores.subjects.put(key, "agricultural drone", "gpt-4")
    assert stores.subjects.get(key) == kept
    assert (kept.subject, kept.source) == ("agricultural drone", "gpt-4")
    assert stores.subjects.get("hash of another task") is None


def test_the_first_subject_of_a_task_holds_for_all(stores: Stores) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: stores.subjects.put("key", f"subject {n}", "gpt-4"), range(16)))
    assert len(set(answers)) == 1
    assert stores.subjects.get("key") == answers[0]


def time_record(minutes: int, page_loaded_at_ms: int | None, duration_ms: int | None = None) -> TimeRecord:
    visits = (Visit(start_time_ms=1_700_000_000_000, duration_ms=duration_ms, extra_json='{"$a.b": null}'),)
    return TimeRecord(
        participant_id="p",
        page_loaded_at_ms=page_loaded_at_ms,
        stage_switches=(StageVisits("草图的环境", visits), StageVisits("$.\x00", ())),
        ai_stage_switches=(),
        received_at=NOON + timedelta(minutes=minutes),
    )


def test_a_time_record_is_read_as_it_was_written(stores: Stores) -> None:
    written = time_record(0, 5, duration_ms=7)
    stores.time_records.add(written)
    assert stores.time_records.of_participant("p", NOON, NOON + HOUR) == (written,)


def test_every_time_record_is_kept_and_the_last_of_each_page_load_counts(stores: Stores) -> None:
    written = [time_record(0, 5), time_record(1, 9), time_record(2, 5), time_record(3, None)]
    for item in written:
        stores.time_records.add(item)
    assert stores.time_records.of_participant("p", NOON, NOON + HOUR) == tuple(written)
    assert stores.time_records.latest_per_page_load("p", NOON, NOON + HOUR) == tuple(written[1:])


def test_time_records_outside_the_window_or_of_others_are_not_listed(stores: Stores) -> None:
    stores.time_records.add(time_record(0, 5))
    assert stores.time_records.of_participant("p", NOON - HOUR, NOON) == ()
    assert stores.time_records.of_participant("q", NOON, NOON + HOUR) == ()


def test_a_time_over_64_bits_is_refused_and_leaves_nothing(stores: Stores) -> None:
    with pytest.raises(DocumentInvalidError):
        stores.time_records.add(time_record(0, 2**63))
    assert stores.time_records.of_participant("p", NOON, NOON + HOUR) == ()


@pytest.mark.parametrize("participant_id", ["p", None], ids=["of somebody", "of nobody"])
def test_an_upload_is_read_as_it_was_written(stores: Stores, participant_id: str | None) -> None:
    written = Upload(participant_id, "a" * 64, "../..\\安\x00.png", "baseline", received_at=NOON)
    stores.uploads.add(written)
    assert stores.uploads.get(written.id) == written
    assert stores.uploads.of_participant(participant_id, NOON, NOON + HOUR) == (written,)
    assert stores.uploads.of_participant("another", NOON, NOON + HOUR) == ()


def test_a_record_that_is_sent_twice_is_there_once(stores: Stores) -> None:
    upload, times = Upload("p", "a" * 64, "canvas.png", "canvas"), time_record(0, 5)
    for _ in range(2):
        stores.uploads.add(upload)
        stores.time_records.add(times)
    assert stores.database.collection(schema.UPLOADS).count_documents({}) == 1
    assert stores.database.collection(schema.TIME_RECORDS).count_documents({}) == 1


def test_an_unknown_upload_is_none(stores: Stores) -> None:
    assert stores.uploads.get("nothing") is None


def silence(stores: Stores, runner_id: str, seconds: float) -> None:
    """Make a runner look as if its last beat were some seconds ago."""
    change = {"$set": {"beat_at": utc_now() - timedelta(seconds=seconds)}}
    stores.database.collection(schema.RUNNERS).update_one({"_id": runner_id}, change)


def test_a_runner_is_dead_when_its_last_beat_is_too_long_ago(stores: Stores) -> None:
    for runner_id in ("silent", "alive"):
        stores.runners.beat(runner_id)
    silence(stores, "silent", 30)
    assert stores.runners.dead(20) == ("silent",)
    assert stores.runners.dead(40) == ()


def test_a_runner_that_beats_again_is_alive(stores: Stores) -> None:
    stores.runners.beat("a")
    silence(stores, "a", 30)
    stores.runners.beat("a")
    assert stores.runners.dead(20) == ()


def test_a_forgotten_runner_is_not_listed(stores: Stores) -> None:
    stores.runners.beat("a")
    silence(stores, "a", 30)
    stores.runners.forget("a")
    assert stores.runners.dead(20) == ()


def test_who_beat_lately_is_alive_with_what_it_said_of_itself(stores: Stores) -> None:
    facts = {"host": "gpu-1", "kind": "worker", "instances": [{"name": "a", "$x.y": 2**70}]}
    stores.runners.beat("b", facts)
    stores.runners.beat("a")
    stores.runners.beat("silent", facts)
    silence(stores, "silent", 30)
    alive = stores.runners.alive(20)
    assert [runner.id for runner in alive] == ["a", "b"]
    assert [runner.facts for runner in alive] == [{}, facts | {"instances": [{"name": "a", "$x.y": str(2**70)}]}]
    assert all(abs((utc_now() - runner.beat_at).total_seconds()) < 10 for runner in alive)


def test_a_beat_without_facts_leaves_those_of_the_last_one(stores: Stores) -> None:
    stores.runners.beat("a", {"host": "gpu-1"})
    stores.runners.beat("a")
    stores.runners.beat("b", {"host": "gpu-1"})
    stores.runners.beat("b", {})
    assert [runner.facts for runner in stores.runners.alive(20)] == [{"host": "gpu-1"}, {}]


def test_first_beats_at_once_make_one_runner(stores: Stores) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: stores.runners.beat("a"), range(16)))
    assert stores.database.collection(schema.RUNNERS).count_documents({}) == 1


def test_every_document_says_the_version_of_its_schema(stores: Stores) -> None:
    participant = stores.participants.find_or_create("anna")
    assert participant.id
    stores.contents.put(b"x", "image/png")
    stores.runners.beat("a")
    stores.subjects.put("key", "drone", "gpt-4")
    database = stores.database.collection(schema.RUNNERS).database
    for name in database.list_collection_names():
        for document in database[name].find():
            assert document["schema_version"] == schema.SCHEMA_VERSIONS[name]


def test_a_store_error_is_caught_as_one_class() -> None:
    assert issubclass(DocumentInvalidError, StoreError)
