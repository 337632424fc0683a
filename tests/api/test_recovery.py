"""What a crash leaves behind is found, and a database that was away does not end the server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobs.heartbeat import DEAD_AFTER_S
from store.documents import GenerationInputs, GenerationRecord, Output
from store.ids import new_id
from store.schema import RUNNERS, SCHEMA_VERSIONS
from tests.api.answers import data_of, failure_of
from tests.api.front_end import body
from tests.api.records import at_the_same_time, until
from tests.api.server import Server
from tests.embedded import EmbeddedMongo
from tests.stand_ins import StandIn, picture

pytestmark = pytest.mark.api

Serve = Callable[..., Server]


def _left_by_a_dead_process(server: Server, *, made: bool) -> str:
    """Leave a sketch that was being made by a process of another host, which is silent by now."""
    beat_at = datetime.now(UTC) - timedelta(seconds=DEAD_AFTER_S + 1)
    runner = {"_id": new_id(), "schema_version": SCHEMA_VERSIONS[RUNNERS], "beat_at": beat_at}
    server.stores.database.collection(RUNNERS).insert_one(runner)
    inputs, generations = GenerationInputs(task="设计一把椅子"), server.stores.generations
    record = generations.insert(
        GenerationRecord(
            app_id=1, participant_id="p", operation="sketch.create_new", inputs=inputs, seed=1, owner=str(runner["_id"])
        )
    )
    outputs = [Output(kind="image", image_id="a" * 64)] if made else []
    generations.write(generations.claim_of(record), state="running", outputs=outputs)
    return record.id


@pytest.mark.parametrize(("made", "state"), [(False, "succeeded"), (True, "failed")])
def test_a_job_of_a_dead_process_is_seen_to_within_ten_seconds(serve: Serve, made: bool, state: str) -> None:
    server = serve()
    left = _left_by_a_dead_process(server, made=made)
    began = time.monotonic()
    server.get("/ping")

    record = until(lambda: (found := server.stores.generations.get(left)) and found.ended_at and found, timeout_s=12)

    assert record.state == state
    assert time.monotonic() - began < 10
    if made:
        assert record.error is not None
        assert record.error.type == "RunnerDiedError"


def test_a_server_that_runs_generations_says_that_it_lives(serve: Serve) -> None:
    server = serve()
    data_of(server.post("/generate", body("brief.create_new")))

    runners = server.stores.database.collection(RUNNERS)
    first = runners.find_one({})
    assert first is not None
    until(lambda: (runners.find_one({}) or {})["beat_at"] > first["beat_at"])


def test_a_server_that_ends_gives_its_jobs_to_the_next_one(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    for webui in webuis:
        webui.close_gate()
    first = serve()
    submitted = first.post(
        "/api/generations", {"username": "A", "operation": "sketch.create_new", "task": "设计一把椅子", "num": 1}
    )
    job = submitted.json()["data"]["id"]
    until(lambda: sum(int(webui.state()["running"]) for webui in webuis))

    first.services.jobs.stop()
    second = serve()
    for webui in webuis:
        webui.open_gate()
    second.get("/ping")

    record = until(lambda: (found := second.stores.generations.get(job)) and found.ended_at and found, timeout_s=15)
    assert (record.state, record.attempt) == ("succeeded", 2)


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


def test_a_picture_that_is_being_painted_survives_a_restart_of_the_database(
    own_mongo: EmbeddedMongo, serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve(MONGO_URI=own_mongo.uri)
    assert server.post("/generate", body("sketch.create_new", currentNum=1)).status_code == 200
    for webui in webuis:
        webui.close_gate()

    with at_the_same_time([lambda: server.post("/generate", body("sketch.create_new", currentNum=1))]) as answers:
        until(lambda: sum(int(webui.state()["running"]) for webui in webuis))
        own_mongo.kill()
        for webui in webuis:
            webui.open_gate()
        until(lambda: not sum(int(webui.state()["running"]) for webui in webuis))
        own_mongo.start()

    assert data_of(answers[0])
    record = server.stores.generations.get(answers[0].headers["X-Generation-ID"])
    assert record is not None
    assert (record.state, len(record.outputs)) == ("succeeded", 1)
