"""Fixtures of the unit tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import desk, overdue, overseer, upkeep
from store.stores import Stores
from tests.job_bench import Bench, job_bench
from tests.pools import MakePool, pools
from tests.stand_ins import StandIn, stand_in
from tests.stores import opened_stores

FLAGS = ("--plain", "--step-time", "0.005", "--load-time", "0.2")


@pytest.fixture
def stores(mongo_uri: str, database_name: str) -> Iterator[Stores]:
    """Open stores on a fresh database."""
    with opened_stores(mongo_uri, database_name) as opened:
        yield opened


@pytest.fixture
def bench(stores: Stores, tmp_path: Path) -> Iterator[Bench]:
    """Build processes that run jobs."""
    with job_bench(stores, tmp_path) as bench:
        yield bench


@pytest.fixture
def make_pool() -> Iterator[MakePool]:
    """Make pools that are closed when the test is over."""
    with pools() as make:
        yield make


@pytest.fixture(scope="module")
def running_webuis() -> Iterator[tuple[StandIn, StandIn, StandIn]]:
    """Run three WebUIs for all tests of a file."""
    with stand_in("webui", *FLAGS) as one, stand_in("webui", *FLAGS) as two, stand_in("webui", *FLAGS) as three:
        yield one, two, three


@pytest.fixture
def three_webuis(running_webuis: tuple[StandIn, StandIn, StandIn]) -> tuple[StandIn, StandIn, StandIn]:
    """Give three WebUIs that have forgotten the test before."""
    for webui in running_webuis:
        webui.reset()
    return running_webuis


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pools look often, and lose their patience soon."""
    monkeypatch.setattr(desk, "_FIRST_REST_S", 0.1)
    monkeypatch.setattr(overdue, "_ANSWER_S", 0.3)
    monkeypatch.setattr(overseer, "_EVERY_S", 0.05)
    monkeypatch.setattr(overseer, "_FIRST_AFTER_S", 0.05)
    monkeypatch.setattr(overseer, "_STOP_WITHIN_S", 0.5)
    monkeypatch.setattr(upkeep, "_EVERY_S", 0.05)
