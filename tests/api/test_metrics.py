"""`/metrics` tells what the server did: its requests, its jobs, the chat service and the pool."""

from __future__ import annotations

import re

import pytest

from store.ids import new_id
from tests.api.answers import data_of, failure_of
from tests.api.conftest import Serve
from tests.api.front_end import body
from tests.api.server import Server

pytestmark = pytest.mark.api

LINE = re.compile(r"^(stepideator_\w+)(\{.*\})? (\S+)$", re.MULTILINE)


def counted(server: Server) -> dict[str, float]:
    """Every line of a scrape, by name and labels."""
    answer = server.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {name + labels: float(value) for name, labels, value in LINE.findall(answer.text)}


def test_a_generation_is_counted_in_every_part_that_it_went_through(server: Server) -> None:
    before = counted(server)
    # A task that nobody asked about, so that its subject is not remembered yet.
    data_of(server.post("/generate", body("sketch.create_new", designTask=f"设计一款台灯 {new_id()}")))
    after = counted(server)

    def more(line: str) -> float:
        return after[line] - before.get(line, 0)

    operation = 'operation="sketch.create_new"'
    assert more(f"stepideator_jobs_accepted_total{{{operation}}}") == 1
    assert more('stepideator_http_requests_total{method="POST",route="/generate",status="200"}') == 1
    assert more('stepideator_chat_calls_total{result="answered"}') >= 1
    assert more('stepideator_chat_tokens_total{kind="completion"}') > 0
    served = [line for line in after if line.startswith("stepideator_pool_instance_served_total")]
    assert sum(more(line) for line in served) >= 1
    assert after["stepideator_http_requests_running"] >= 1, "the scrape itself, and streams that end a moment later"


def test_the_end_of_a_job_is_counted_once_with_its_times(server: Server) -> None:
    operation = 'operation="brief.extend"'
    before = counted(server)
    data_of(server.post("/generate", body("brief.extend")))
    ended, total = (
        f'stepideator_jobs_ended_total{{{operation},state="succeeded"}}',
        f"stepideator_job_total_seconds_count{{{operation}}}",
    )
    for _ in range(50):
        # It is counted a moment after its caller was answered.
        after = counted(server)
        if ended in after:
            break
    assert after[ended] - before.get(ended, 0) == 1
    assert after[total] - before.get(total, 0) == 1


def test_a_failing_chat_service_is_counted_by_the_kind_of_its_failure(serve: Serve) -> None:
    server = serve(OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    failure_of(server.post("/generate", body("brief.create_new")), 502, code=2)

    assert counted(server)['stepideator_chat_calls_total{result="ChatUnreachableError"}'] >= 1


def test_with_the_database_away_everything_else_is_told(serve: Serve) -> None:
    server = serve(MONGO_URI="mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=50")
    lines = counted(server)

    assert "stepideator_jobs_queued" not in lines
    assert lines["stepideator_pool_calls_waiting"] == 0
