"""A server with two workers is killed while it exports: another one says so, makes the export again, and tidies up."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from store.connection import StoreConfig
from store.exports import LOST_AFTER_S
from store.stores import Stores, open_stores
from tests.embedded import free_port
from tests.processes.harness import BIN, answers_ping, program, until
from tests.study_records import STUDY, StudyMaker

pytestmark = pytest.mark.processes

GUNICORN = [BIN / "gunicorn", "-w", "2", "app:app"]


@contextmanager
def serving(project: Path, settings: dict[str, str], log: Path) -> Iterator[tuple[str, int]]:
    """Run a server; gives its address, and the id of its group of processes."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {**settings, "PORT": str(port), "RESEARCH_LOGIN": "false"}
    with program(GUNICORN, project, log, env) as server:
        until(lambda: answers_ping(url), "the server")
        yield url, server.process.pid


def call(method: str, url: str) -> dict[str, Any]:
    """Ask the server, by whichever of its workers."""
    with requests.Session() as session:
        session.trust_env = False
        body = {} if method == "POST" else None
        found: dict[str, Any] = session.request(method, url, json=body, timeout=30).json()["data"]
        return found


@pytest.fixture
def large_study(settings: dict[str, str]) -> Iterator[Stores]:
    """Keep a study whose export takes about a second."""
    stores = open_stores(StoreConfig(uri=settings["MONGO_URI"], database=settings["MONGO_DB"]))
    maker = StudyMaker(stores, side=512)
    maker.study()
    for _ in range(4):
        session = maker.session()
        for number in range(20):
            maker.generation(session, number)
    yield stores
    stores.close()


def test_a_killed_export_is_found_failed_by_the_next_server_which_makes_it_again(
    project: Path, settings: dict[str, str], large_study: Stores, tmp_path: Path
) -> None:
    with serving(project, settings, tmp_path / "first.log") as (url, group):
        killed = call("POST", f"{url}/api/studies/{STUDY}/exports")
        until(lambda: call("GET", f"{url}/api/exports/{killed['id']}")["progress"] > 0, "an export that goes on")
        os.killpg(group, signal.SIGKILL)
    exports = large_study.database.collection("exports")
    # As if so much time had gone by.
    long_ago = large_study.database.ago(LOST_AFTER_S + 1)
    exports.update_one({"_id": killed["id"]}, {"$set": {"beat_at": long_ago}})

    with serving(project, settings, tmp_path / "second.log") as (url, _):
        told = call("GET", f"{url}/api/exports/{killed['id']}")
        again = call("POST", f"{url}/api/studies/{STUDY}/exports")
        done = until(lambda: _ended(url, again["id"]), "the second export")

    assert (told["state"], "start another one" in told["error"]) == ("failed", True)
    assert (done["state"], done["pictures"]) == ("done", 80)
    [folder] = tmp_path.rglob("exports")
    assert [path.name for path in folder.iterdir()] == [f"{again['id']}.zip"]


def _ended(url: str, export_id: str) -> dict[str, Any] | None:
    found = call("GET", f"{url}/api/exports/{export_id}")
    return found if found["state"] in ("done", "failed") else None
