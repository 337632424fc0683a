"""Fixtures for all tests: one real server for the whole run, a fresh database for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from store.ids import new_id
from tests.embedded import embedded_mongo


@pytest.fixture(scope="session")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the connection string of a MongoDB that runs as long as the tests."""
    with embedded_mongo(tmp_path_factory.mktemp("mongo")) as server:
        yield server.uri


@pytest.fixture
def database_name() -> str:
    """Give the name of a database that no other test has."""
    return f"test_{new_id().lower()}"
