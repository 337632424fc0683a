"""What a crash leaves behind is found, and a database that was away does not end the server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobs.heartbeat import DEAD_AFTER_S, Heartbeat
from store.documents import GenerationInputs, GenerationRecord
from store.ids import new_id
from store.schema import RUNNERS, SCHEMA_VERSIONS
from tests.api.answers import data_of, failure_of
from tests.api.front_end import body
from tests.api.records import until
from tests.api.server import Server
from tests.embedded import EmbeddedMongo
from tests.stand_ins import picture

pytestmark = pytest.mark.api

Serve = Callable[..., Server]


def _runner(server: Server, beat_ago_s: float) -> str:
    """Leave the heartbeat of a runner that beat so long ago."""
    beat_at = datetime.now(UTC) - timedelta(seconds=beat_ago_s)
    document = {"_id": new_id(), "schema_version": SCHEMA_VERSIONS[RUNNERS], "beat_at": beat_at}
    server.stores.database.collection(RUNNERS).insert_one(document)
    return str(document["_id"])


def _left(server: Server, runner: str, *, started: bool) -> str:
    """Leave a generation in the hands of a runner."""
    inputs = GenerationInputs(task="设计一把椅子")
    record = GenerationRecord(app_id=1, participant_id="p", operation="sketch.create_new", inputs=inputs, owner=runner)
    server.stores.generations.insert(record)
    if started:
        server.stores.generations.start(record.id, runner)
    return record.id


@pytest.mark.parametrize("started", [True, False], ids=["running", "queued"])
def test_a_generation_of_a_dead_process_is_marked_failed_with_the_reason(serve: Serve, started: bool) -> None:
    server = serve()
    left = _left(server, _runner(server, DEAD_AFTER_S + 1), started=started)

    assert Heartbeat(server.stores).close_abandoned() == 1

    record = server.stores.generations.get(left)
    assert record is not None
    assert record.state == "failed"
    assert record.error is not None
    assert record.error.type == "RunnerDiedError"
    assert "send the request again" in record.error.message


def test_a_generation_of_a_living_process_is_left_alone(serve: Serve) -> None:
    server = serve()
    left = _left(server, _runner(server, 0), started=True)

    assert Heartbeat(server.stores).close_abandoned() == 0

    record = server.stores.generations.get(left)
    assert record is not None
    assert record.state == "running"


def test_after_a_pause_of_the_whole_machine_everybody_gets_time_to_beat_again(serve: Serve) -> None:
    server = serve()
    left = _left(server, _runner(server, DEAD_AFTER_S + 1), started=True)
    now_s = [1000.0]
    heartbeat = Heartbeat(server.stores, clock=lambda: now_s[0])

    def state_after(seconds: float) -> str:
        now_s[0] += seconds
        heartbeat.tick()
        record = server.stores.generations.get(left)
        assert record is not None
        return record.state

    assert [state_after(60), state_after(1), state_after(1)] == ["running"] * 3
    assert [state_after(2) for _ in range(4)][-1] == "failed"


def test_a_dead_process_is_dealt_with_once(serve: Serve) -> None:
    server = serve()
    _left(server, _runner(server, DEAD_AFTER_S + 1), started=True)

    assert [Heartbeat(server.stores).close_abandoned() for _ in range(2)] == [1, 0]


def test_a_server_that_runs_generations_says_that_it_lives(serve: Serve) -> None:
    server = serve()
    data_of(server.post("/generate", body("brief.create_new")))

    runners = server.stores.database.collection(RUNNERS)
    first = runners.find_one({})
    assert first is not None
    until(lambda: (runners.find_one({}) or {})["beat_at"] > first["beat_at"])


@pytest.fixture
def own_mongo(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    """Run a database that may be killed."""
    (tmp_path / "mongo").mkdir()
    database = EmbeddedMongo(tmp_path / "mongo")
    database.start()
    yield database
    database.kill()


def test_without_its_database_the_server_says_so_soon_and_works_again_afterwards(
    own_mongo: EmbeddedMongo, serve: Serve
) -> None:
    server = serve(MONGO_URI=own_mongo.uri)
    url = server.uploaded(picture())
    own_mongo.kill()

    began = time.monotonic()
    answer = server.get(url)
    message = failure_of(answer, 503, code=3)
    assert time.monotonic() - began < 15
    assert int(answer.headers["Retry-After"]) > 0
    assert str(own_mongo.port) not in message
    assert server.get("/ping").text == "pong"

    own_mongo.start()
    assert server.get(url).status_code == 200
    assert data_of(server.post("/generate", body("brief.create_new")))
