"""The connection: late, once in each process, bounded."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store.connection import Database, StoreConfig
from store.errors import StoreConfigError, StoreUnavailableError
from store.stores import open_stores
from tests.embedded import EmbeddedMongo, embedded_mongo, free_port
from tests.stores import opened_stores

SECRETS = [
    "mongodb://anna:secret@host:1/?x=1",
    "mongodb://anna:a/secret@host",
    "mongodb://anna:s@secret@host",
]


@pytest.mark.parametrize("uri", SECRETS)
def test_the_login_does_not_stand_in_the_repr(uri: str) -> None:
    shown = repr(StoreConfig(uri=uri, database="d"))
    assert "secret" not in shown and "anna" not in shown and "//***@host" in shown


WRONG_ADDRESSES = [
    "",
    "ftp://host",
    "mongodb://",
    "mongodb://host:port",
    "mongodb://a:secret/x@host",
    SECRETS[2],
]


@pytest.mark.parametrize("uri", WRONG_ADDRESSES)
def test_a_wrong_address_is_named_without_its_login(uri: str) -> None:
    with pytest.raises(StoreConfigError, match="is not a connection string of MongoDB") as caught:
        Database(StoreConfig(uri=uri, database="d")).ping()
    assert "secret" not in str(caught.value)


def test_a_wrong_database_name_is_an_error_of_the_settings(mongo_uri: str) -> None:
    with opened_stores(mongo_uri, "a b.c") as stores, pytest.raises(StoreConfigError):
        stores.database.ping()


def test_opening_the_stores_connects_to_nothing() -> None:
    # Only the first use finds out that this address is none.
    stores = open_stores(StoreConfig(uri="ftp://not.mongodb", database="d"))
    with pytest.raises(StoreConfigError):
        stores.database.ping()


def test_ping_tells_that_the_server_is_the_embedded_one(mongo_uri: str, database_name: str) -> None:
    with opened_stores(mongo_uri, database_name) as stores:
        assert stores.database.ping().embedded


def test_a_server_that_is_down_is_reported_within_the_selection_timeout(database_name: str) -> None:
    uri = f"mongodb://127.0.0.1:{free_port()}"
    with opened_stores(uri, database_name, selection_timeout_s=0.3) as stores:
        start = time.monotonic()
        with pytest.raises(StoreUnavailableError, match=f"{uri} is not reached within 0.3 s"):
            stores.contents.info("0" * 64)
    assert time.monotonic() - start < 1.5


def test_many_callers_of_a_server_that_is_down_wait_side_by_side(database_name: str) -> None:
    uri = f"mongodb://127.0.0.1:{free_port()}"
    with (
        opened_stores(uri, database_name, selection_timeout_s=0.4) as stores,
        ThreadPoolExecutor(16) as threads,
    ):
        start = time.monotonic()
        waiting = [threads.submit(stores.contents.info, "0" * 64) for _ in range(16)]
        assert all(isinstance(call.exception(), StoreUnavailableError) for call in waiting)
    assert time.monotonic() - start < 3


def test_what_failed_while_the_server_was_down_works_once_it_is_up(tmp_path: Path, database_name: str) -> None:
    server = EmbeddedMongo(tmp_path)
    with opened_stores(server.uri, database_name, selection_timeout_s=0.2) as stores:
        with pytest.raises(StoreUnavailableError):
            stores.participants.find_or_create("anna")
        try:
            server.start()
            assert stores.participants.find_or_create("anna").username == "anna"
        finally:
            server.stop()


def test_a_second_server_on_another_port_is_another_database(mongo_uri: str, tmp_path: Path) -> None:
    with (
        embedded_mongo(tmp_path) as other,
        opened_stores(mongo_uri, "same_name") as here,
        opened_stores(other.uri, "same_name") as there,
    ):
        here.participants.find_or_create("anna")
        assert there.participants.find("anna") is None


def test_after_a_fork_the_child_uses_a_connection_of_its_own(mongo_uri: str, database_name: str) -> None:
    with opened_stores(mongo_uri, database_name) as stores:
        stores.participants.find_or_create("parent")
        child = os.fork()
        if child == 0:
            try:
                stores.participants.find_or_create("child")
                stores.close()
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert stores.participants.find("child") is not None
        assert stores.participants.find("parent") is not None


def test_closed_stores_open_again_at_the_next_use(mongo_uri: str, database_name: str) -> None:
    with opened_stores(mongo_uri, database_name) as stores:
        stores.participants.find_or_create("anna")
        stores.close()
        assert stores.participants.find("anna") is not None


def test_the_driver_does_not_retry_writes_even_if_the_address_asks_for_it(mongo_uri: str) -> None:
    database = Database(StoreConfig(uri=f"{mongo_uri}/?retryWrites=true&w=1", database="d"))
    client = database.collection("any").database.client
    try:
        assert client.options.retry_writes is False
        assert client.write_concern.document["w"] == "majority"
        assert client.write_concern.document["j"] is True
    finally:
        database.close()
