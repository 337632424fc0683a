"""A study run over HTTP with faults while it is exported: what was acknowledged is in the data set, exactly once."""

from __future__ import annotations

import csv
import io
import json
import threading
import zipfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from apps.research.dataset.importing import import_study
from store.ids import new_id
from store.studies import Condition, Hold
from tests.api.answers import data_of
from tests.api.exporting import asked_for, ended, exported, fetched
from tests.api.records import until
from tests.api.server import Server
from tests.api.submitting import wanted
from tests.api.test_sessions import joined, study
from tests.stand_ins import StandIn

pytestmark = pytest.mark.api

Serve = Callable[..., Server]
PARTICIPANTS = 8
EVENTS = 12


class Crowd:
    """Participants who work at the same time, and what the server acknowledged to them."""

    def __init__(self, server: Server, study_id: str, codes: list[dict[str, Any]]) -> None:
        self._server = server
        self._study_id = study_id
        self._codes = codes
        self._lock = threading.Lock()
        self.events: set[str] = set()
        self.generations: set[str] = set()

    def work(self) -> None:
        """Let all participants work, and wait for them."""
        with ThreadPoolExecutor(len(self._codes)) as pool:
            list(pool.map(self._participant, self._codes))

    def _participant(self, person: dict[str, Any]) -> None:
        code, session_id = person["code"], person["session"]["id"]
        for number in range(EVENTS):
            name = f"{session_id}-{new_id()}"
            event = {"id": name, "verb": "input.select", "client_at_ms": 1_700_000_000_000 + number, "page_id": "p",
                     "client_seq": number, "object": "=1+1\n“机器人”", "inputs": ["a,b", ""]}  # fmt: skip
            # Told twice, as a page does whose first answer was lost.
            for _ in range(2):
                body = {"username": code, "events": [event]}
                told = data_of(self._server.post(f"/api/sessions/{session_id}/events", body))
                assert name in told["accepted"] + told["known"]
            with self._lock:
                self.events.add(f"{session_id}/{name}")
        body = wanted("brief.create_new", username=code)
        answer = self._server.post("/api/generations", body, headers={"Prefer": "wait=25"})
        if answer.status_code in (200, 202):
            with self._lock:
                self.generations.add(answer.json()["data"]["id"])


def records(path: Path, name: str) -> list[dict[str, Any]]:
    """Read the records of one kind."""
    with zipfile.ZipFile(path) as opened:
        return [json.loads(line) for line in opened.read(f"records/{name}.jsonl").decode().splitlines()]


def rows(path: Path, table: str) -> list[dict[str, str]]:
    """Read a table."""
    with zipfile.ZipFile(path) as opened:
        [name] = [one for one in opened.namelist() if one.endswith(f"description-{table}_data.csv")]
        return list(csv.DictReader(io.StringIO(opened.read(name).decode(), newline="")))


def test_all_that_was_acknowledged_is_in_the_data_set_exactly_once_and_comes_back_equal(
    serve: Serve, tmp_path: Path, mongo_uri: str, chat: StandIn
) -> None:
    server = serve()
    of = study(server, Condition(id="a"), Condition(id="b", hold=Hold(kind="fixed", seconds=0.2)))
    crowd = Crowd(server, of.id, [joined(server, of) for _ in range(PARTICIPANTS)])
    chat.plan("error_500")
    working = threading.Thread(target=crowd.work)
    working.start()
    until(lambda: len(crowd.events) >= PARTICIPANTS)
    meanwhile = set(crowd.events)
    early = asked_for(server, of.id)
    working.join()
    path = fetched(server, exported(server, of.id), tmp_path / "whole.zip")
    early_path = fetched(server, ended(server, early["id"]), tmp_path / "early.zip")

    events = [one["_id"] for one in records(path, "events")]
    assert Counter(events) == Counter(crowd.events)
    told = Counter(row["verb"] for row in rows(path, "events"))
    assert told["input.select"] == PARTICIPANTS * EVENTS
    assert {one["_id"] for one in records(path, "generations")} == crowd.generations
    assert Counter(one["condition_id"] for one in records(path, "sessions")) == {"a": 4, "b": 4}
    assert all(float(row["shown_s"]) >= 0.2 for row in rows(path, "generations") if row["hold_s"] and row["shown_s"])
    found = {one["_id"] for one in records(early_path, "events")}
    assert meanwhile <= found <= crowd.events
    _comes_back_equal(serve, mongo_uri, path, of.id)


def _comes_back_equal(serve: Serve, mongo_uri: str, path: Path, study_id: str) -> None:
    other = f"test_{new_id().lower()}"
    server = serve(MONGO_DB=other)
    import_study(server.stores, path)

    # With a server at work on it, which finds nothing to recover and changes nothing.
    assert server.get("/ping").status_code == 200
    seen = data_of(server.get(f"/api/studies/{study_id}/sessions?limit=50"))["sessions"]
    assert len(seen) == PARTICIPANTS
    told = data_of(server.get(f"/api/research/sessions/{seen[0]['id']}/chronicle?limit=50"))["entries"]
    assert len(told) >= EVENTS
    again = fetched(server, exported(server, study_id), path.with_name("again.zip"))

    assert again.read_bytes() == path.read_bytes()
