"""The indexes: all there, whole, and mended after a kill in the middle of a build."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database as MongoDatabase

from store import indexes, schema
from store.clock import utc_now
from store.indexes import INDEXES, Index, ensure_indexes
from tests.stores import opened_stores

BY_NAME = Index("things", "by_name", ("name",))


@pytest.fixture
def mongo(mongo_uri: str, database_name: str) -> Iterator[MongoDatabase[dict[str, Any]]]:
    client: MongoClient[dict[str, Any]]
    with MongoClient(mongo_uri, tz_aware=True, retryWrites=False) as client:
        yield client[database_name]


def leave_marker(mongo: MongoDatabase[dict[str, Any]], builder: str, age_s: float) -> None:
    """Write the marker of a builder that began some seconds ago and never came to an end."""
    started_at = utc_now() - timedelta(seconds=age_s)
    marker = {"_id": BY_NAME.marker_id, "builder": builder, "started_at": started_at}
    mongo[schema.INDEX_BUILDS].insert_one(marker)


def keys_of(mongo: MongoDatabase[dict[str, Any]]) -> Any:
    return mongo["things"].index_information()["by_name"]["key"]


@pytest.mark.parametrize("embedded", [True, False], ids=["embedded", "real"])
def test_every_index_of_the_table_is_built(mongo: MongoDatabase[dict[str, Any]], embedded: bool) -> None:
    ensure_indexes(mongo, embedded=embedded, builder="a")
    for index in INDEXES:
        assert index.name in mongo[index.collection].index_information()


def test_no_marker_is_left_after_the_builds(mongo: MongoDatabase[dict[str, Any]]) -> None:
    ensure_indexes(mongo, embedded=True, builder="a")
    assert list(mongo[schema.INDEX_BUILDS].find()) == []


def test_the_indexes_are_looked_at_once_in_a_process(
    mongo: MongoDatabase[dict[str, Any]], mongo_uri: str, database_name: str
) -> None:
    with opened_stores(mongo_uri, database_name) as stores:
        stores.uploads.get("x")
        mongo[schema.UPLOADS].drop_index("by_participant_and_time")
        stores.uploads.get("x")
        assert "by_participant_and_time" not in mongo[schema.UPLOADS].index_information()


def test_several_processes_may_build_at_once(mongo: MongoDatabase[dict[str, Any]]) -> None:
    with ThreadPoolExecutor(4) as threads:
        builds = [threads.submit(ensure_indexes, mongo, embedded=True, builder=f"b{n}") for n in range(4)]
        assert [build.result() for build in builds] == [None] * 4
    assert "by_output_image" in mongo[schema.GENERATIONS].index_information()


def test_an_index_that_a_dead_builder_left_half_built_is_built_again(
    mongo: MongoDatabase[dict[str, Any]],
) -> None:
    # An index of the same name over another field stands for one that gives wrong answers.
    mongo["things"].create_index([("wrong", 1)], name="by_name")
    leave_marker(mongo, "dead", indexes.STALE_AFTER_S + 1)
    ensure_indexes(mongo, embedded=True, builder="me", indexes=(BY_NAME,))
    assert keys_of(mongo) == [("name", 1)]
    assert mongo[schema.INDEX_BUILDS].find_one() is None


def test_a_builder_that_lost_its_connection_goes_on_at_once(
    mongo: MongoDatabase[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.indexes.sleep", lambda _: pytest.fail("it waits for itself"))
    mongo["things"].create_index([("wrong", 1)], name="by_name")
    leave_marker(mongo, "me", 0)
    ensure_indexes(mongo, embedded=True, builder="me", indexes=(BY_NAME,))
    assert keys_of(mongo) == [("name", 1)]


def test_an_index_under_way_elsewhere_is_waited_for_and_not_touched(
    mongo: MongoDatabase[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo["things"].create_index([("other", 1)], name="by_name")
    leave_marker(mongo, "another", 0)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        mongo[schema.INDEX_BUILDS].delete_one({"_id": BY_NAME.marker_id})

    monkeypatch.setattr("store.indexes.sleep", wait)
    ensure_indexes(mongo, embedded=True, builder="me", indexes=(BY_NAME,))
    assert len(waits) == 1
    assert keys_of(mongo) == [("other", 1)]
