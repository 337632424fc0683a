"""The embedded database's store is whole before anything is kept in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymongo import MongoClient

from standins.laid_store import lay_store
from tests.embedded import EmbeddedMongo

pytestmark = pytest.mark.unit


def test_a_new_store_has_all_its_tables_so_that_no_kill_can_strike_while_one_is_made(tmp_path: Path) -> None:
    lay_store(tmp_path / "mongo")

    assert len(list((tmp_path / "mongo").glob("secantus_documents_sh*"))) == 16
    assert [path.name for path in tmp_path.iterdir()] == ["mongo"]


def test_a_store_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mongo").mkdir()
    (tmp_path / "mongo" / "WiredTiger").write_text("yesterday's", "utf-8")

    lay_store(tmp_path / "mongo")

    assert [path.name for path in (tmp_path / "mongo").iterdir()] == ["WiredTiger"]


def test_a_killed_server_starts_again_with_what_it_had_acknowledged(tmp_path: Path) -> None:
    server = EmbeddedMongo(tmp_path)
    server.start()
    with MongoClient[dict[str, object]](server.uri, retryWrites=False) as client:
        for number in range(20):
            client["study"][f"collection_{number}"].insert_one({"_id": 1})
    server.kill()

    server.start()

    with MongoClient[dict[str, object]](server.uri, retryWrites=False) as client:
        assert len(client["study"].list_collection_names()) == 20
    server.kill()
