"""Data sets of studies that are odd: changed meanwhile, old, empty, with large pictures, with somebody gone."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rocrate.rocrate import ROCrate

from apps.research.dataset.errors import ChangedMeanwhileError
from apps.research.dataset.exporting import export_study
from apps.research.dataset.importing import import_study
from apps.research.dataset.pictures import picture_path
from store.clock import utc_now
from store.contents import Contents
from store.dump import Dump
from store.ids import new_id
from store.stores import Stores
from tests.data_sets import made, table
from tests.stores import opened_stores
from tests.study_records import STUDY, StudyMaker, small_study

pytestmark = pytest.mark.unit


def test_pictures_are_divided_into_parts_of_a_thousand() -> None:
    name = "0" * 64

    assert picture_path(999, name, "image/png") == f"images/part-0001/{name}.png"
    assert picture_path(1000, name, "image/jpeg") == f"images/part-0002/{name}.jpg"


def test_an_export_leaves_out_what_came_after_it_began(stores: Stores, tmp_path: Path) -> None:
    maker = small_study(stores)
    first = stores.sessions.of_study(STUDY)[-1]
    session = {"_id": first.id, "participant_id": first.participant_id, "condition_id": first.condition_id}
    moment = maker.tick()
    maker.event(session, 99)
    maker.generation(session, 99)

    whole = made(stores, tmp_path / "whole.zip")
    before = export_study(stores, STUDY, tmp_path / "before.zip", until=moment, version="1.0.0")

    assert whole.records - before.records == 3
    assert before.under_way == 1
    assert Dump(stores.database, moment).under_way(session) == 0


def test_work_from_before_there_were_sessions_is_in_the_default_study(stores: Stores, tmp_path: Path) -> None:
    old = stores.participants.find_or_create("old")
    long_ago = utc_now() - timedelta(days=2)
    stores.database.collection("participants").update_one({"_id": old.id}, {"$set": {"created_at": long_ago}})
    stores.participants.find_or_create("joins a study just now")
    stores.studies.default()
    maker = StudyMaker(stores, clock=long_ago)
    work = maker.generation({"_id": "", "participant_id": old.id, "condition_id": ""}, 1)

    for name in ("one.zip", "two.zip"):
        made(stores, tmp_path / name, "default")

    with zipfile.ZipFile(tmp_path / "one.zip") as opened:
        sessions = [json.loads(line) for line in opened.read("records/sessions.jsonl").decode().splitlines()]
        generations = [json.loads(line) for line in opened.read("records/generations.jsonl").decode().splitlines()]
    assert [one["participant_id"] for one in sessions] == [old.id]
    assert [one["_id"] for one in generations] == [work["_id"]]
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_study_that_nobody_took_part_in_is_a_data_set_too(stores: Stores, mongo_uri: str, tmp_path: Path) -> None:
    StudyMaker(stores).study(state="draft", description="", planned=None)

    done = made(stores, tmp_path / "empty.zip")

    assert (done.records, done.pictures) == (1, 0)
    with zipfile.ZipFile(tmp_path / "empty.zip") as opened:
        opened.extractall(tmp_path / "empty")
    assert ROCrate(tmp_path / "empty").name == "Robots, 机器人"
    assert len(table(tmp_path / "empty", "events")) == 0
    with opened_stores(mongo_uri, f"test_{new_id().lower()}") as others:
        import_study(others, tmp_path / "empty.zip")
        made(others, tmp_path / "again.zip")
    assert (tmp_path / "empty.zip").read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_large_contents_that_are_kept_in_parts_come_back_too(stores: Stores, mongo_uri: str, tmp_path: Path) -> None:
    parted = replace(stores, contents=Contents(stores.database, part_size=500))
    small_study(parted)
    made(parted, tmp_path / "one.zip")
    with opened_stores(mongo_uri, f"test_{new_id().lower()}") as others:
        import_study(replace(others, contents=Contents(others.database, part_size=300)), tmp_path / "one.zip")
        made(others, tmp_path / "two.zip")

        assert others.database.collection("content_parts").count_documents({}) > 0
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_records_of_the_first_version_are_in_the_tables(stores: Stores, tmp_path: Path) -> None:
    maker = StudyMaker(stores)
    maker.study()
    generation = maker.generation(maker.session(), 1)
    later = ("log", "token", "attempt", "changed_at", "times", "live", "cancel_at", "rerun_of", "overrides", "pins")
    later += ("study_id", "session_id", "condition_id", "hold_s", "hold_kind", "drift", "replay_id")
    change = {"$unset": dict.fromkeys(later, ""), "$set": {"schema_version": 1}}
    stores.database.collection("generations").update_one({"_id": generation["_id"]}, change)

    made(stores, tmp_path / "one.zip")

    with zipfile.ZipFile(tmp_path / "one.zip") as opened:
        opened.extractall(tmp_path / "one")
    assert list(table(tmp_path / "one", "events")["verb"]) == ["generation.accepted", "generation.succeeded"]
    assert list(table(tmp_path / "one", "generations")["output_count"]) == [2]


def test_nothing_of_a_session_that_is_gone_is_in_the_export(stores: Stores, tmp_path: Path) -> None:
    maker = small_study(stores)
    session = maker.session()
    for name, field in (("sessions", "_id"), ("participants", "_id")):
        value = session["_id"] if name == "sessions" else session["participant_id"]
        stores.database.collection(name).delete_one({field: value})

    made(stores, tmp_path / "one.zip")

    with zipfile.ZipFile(tmp_path / "one.zip") as opened:
        for name in opened.namelist():
            content = opened.read(name)
            assert session["_id"].encode() not in content, name
            assert session["participant_id"].encode() not in content, name


@pytest.mark.parametrize(("late", "said"), [(1, ""), (9, "changed meanwhile")])
def test_what_turns_up_while_it_is_read_has_all_read_anew(
    stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: int, said: str
) -> None:
    maker = small_study(stores)
    session = stores.sessions.of_study(STUDY)[-1]
    person = {"_id": session.id, "participant_id": session.participant_id, "condition_id": session.condition_id}
    numbers = iter(range(500, 500 + late))
    count = Dump.count

    def counted(self: Dump, kind: Any, document: dict[str, Any]) -> int:
        # A write that was on its way comes between the reading and the count.
        if document["_id"] == session.id and kind.collection == "events" and (number := next(numbers, None)):
            maker.event(person, number)
        return count(self, kind, document)

    monkeypatch.setattr(Dump, "count", counted)
    if said:
        with pytest.raises(ChangedMeanwhileError, match=said):
            made(stores, tmp_path / "one.zip")
    else:
        made(stores, tmp_path / "one.zip")
        with zipfile.ZipFile(tmp_path / "one.zip") as opened:
            assert opened.read("records/events.jsonl").count(b"e500") == 1
    assert [path.name for path in tmp_path.iterdir()] == ([] if said else ["one.zip"])
