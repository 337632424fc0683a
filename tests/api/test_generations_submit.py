"""POST /api/generations: taken at once, waited for when that is wanted, made once for each key, given up in time."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from apps.stepideator.generation_schemas import NewGeneration
from store.ids import new_id
from tests.api.answers import data_of, failure_of
from tests.api.front_end import BUTTONS, TASK, TEXT_OPERATIONS, body
from tests.api.records import at_the_same_time, until
from tests.api.server import Server
from tests.api.submitting import ended, job_in, job_of, made, submitted, wanted
from tests.stand_ins import StandIn, picture

pytestmark = pytest.mark.api

Serve = Callable[..., Server]


def test_a_submission_is_answered_at_once_with_its_job(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve()
    for webui in webuis:
        webui.close_gate()

    answer = server.post("/api/generations", wanted(username="P07", num=2, seed=7))

    job = job_in(answer)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/generations/{job['id']}"
    assert job["state"] in ("queued", "running")
    assert (job["operation"], job["seed"], job["outputs"], job["attempt"]) == ("sketch.create_new", 7, [], 1)
    assert job["inputs"] == {"task": TASK, "num": 2, "texts": [], "images": [], "stage": ""}


def test_a_job_has_its_pictures_steps_and_times_at_the_end(server: Server) -> None:
    job = made(server, num=2, seed=11)

    assert (job["state"], job["progress"], job["error"]) == ("succeeded", 1.0, None)
    assert [(output["index"], output["kind"]) for output in job["outputs"]] == [(0, "image"), (1, "image")]
    assert all(server.get(output["url"]).headers["Content-Type"] == "image/png" for output in job["outputs"])
    assert sum(step["kind"] == "txt2img" for step in job["steps"]) >= 1
    assert all(step["error"] is None for step in job["steps"])
    assert job["created_at"] <= job["started_at"] <= job["ended_at"]
    assert job["duration_s"] >= 0
    assert job["times"]
    assert job == job_of(server, job["id"])


@pytest.mark.parametrize("operation", BUTTONS)
def test_every_operation_can_be_submitted_by_its_name(server: Server, operation: str) -> None:
    images = [server.uploaded(picture(512, 512))] if operation not in TEXT_OPERATIONS else []

    job = made(server, operation, texts=["轻便"], images=images)

    assert job["state"] == "succeeded"
    kinds = {output["kind"] for output in job["outputs"]}
    assert kinds == ({"text"} if operation in TEXT_OPERATIONS else {"text", "image"} & kinds)
    assert job["inputs"]["images"] == images


def test_a_failed_job_says_why(serve: Serve) -> None:
    server = serve(OPENAI_BASE_URL="", OPENAI_API_KEY="")

    job = made(server, "brief.create_new")

    assert (job["state"], job["outputs"]) == ("failed", [])
    assert job["error"]["type"] == "ChatNotConfiguredError"
    assert "OPENAI_API_KEY" in job["error"]["message"]


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("wait=20", "wait=20"),
        ('respond-async, WAIT="20"; foo=bar', "wait=20"),
        ('other="a, wait=3", wait = 20, wait=0', "wait=20"),
        ("wait=100000", "wait=600"),
    ],
)
def test_a_wait_that_is_preferred_gives_the_ended_job(server: Server, prefer: str, applied: str) -> None:
    answer = server.post("/api/generations", wanted(), headers={"Prefer": prefer})

    assert (answer.status_code, job_in(answer)["state"]) == (200, "succeeded")
    assert answer.headers["Preference-Applied"] == applied


@pytest.mark.parametrize(
    "prefer", ["", "respond-async", "wait", "wait=", "wait=soon", "wait=-1", "wait=1.5", "return=minimal"]
)
def test_a_preference_that_is_not_understood_is_passed_over(server: Server, prefer: str) -> None:
    answer = server.post("/api/generations", wanted(), headers={"Prefer": prefer})

    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers


def test_a_wait_that_is_too_short_gives_the_job_as_it_is(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve()
    for webui in webuis:
        webui.close_gate()

    answer = server.post("/api/generations", wanted(), headers={"Prefer": "wait=0"})

    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "wait=0")


def test_a_key_gives_the_first_job_again(server: Server) -> None:
    headers = {"Idempotency-Key": new_id()}
    body = wanted(num=2)

    first = server.post("/api/generations", body, headers=headers)
    job = ended(server, job_in(first)["id"])
    again = server.post("/api/generations", {**body, "username": ""}, headers=headers)

    assert (first.status_code, "Idempotency-Replayed" in first.headers) == (202, False)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.headers["Location"] == first.headers["Location"]
    assert job_in(again) == job


def test_a_key_gives_the_first_job_also_while_it_runs(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve()
    for webui in webuis:
        webui.close_gate()
    headers = {"Idempotency-Key": new_id()}

    first, again = (server.post("/api/generations", wanted(), headers=headers) for _ in range(2))

    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
    assert job_in(again)["id"] == job_in(first)["id"]


def test_a_key_with_another_body_is_refused(server: Server) -> None:
    headers = {"Idempotency-Key": new_id()}
    server.post("/api/generations", wanted(), headers=headers)

    answer = server.post("/api/generations", wanted(num=2), headers=headers)

    assert "Idempotency-Key" in failure_of(answer, 422)


def test_a_key_of_a_refused_submission_may_be_used_again(server: Server) -> None:
    headers = {"Idempotency-Key": new_id()}
    failure_of(server.post("/api/generations", wanted(num=0), headers=headers), 422)

    answer = server.post("/api/generations", wanted(), headers=headers)

    assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (202, False)


def test_of_many_submissions_with_one_key_at_the_same_moment_one_is_made(server: Server) -> None:
    headers, username = {"Idempotency-Key": new_id()}, new_id()

    def submit() -> Any:
        return server.post("/api/generations", wanted(username=username), headers=headers)

    with at_the_same_time([submit] * 8) as answers:
        pass

    assert len({job_in(answer)["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert len(data_of(server.get("/api/generations", params={"username": username}))["generations"]) == 1


def test_a_key_whose_first_process_died_gets_its_job_made_by_the_next(server: Server) -> None:
    key, generation_id, body = new_id(), new_id(), wanted()
    asked = json.dumps(NewGeneration.model_validate(body).model_dump(mode="json"), sort_keys=True)
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in (key, asked)]
    server.stores.submission_keys.put(*hashes, generation_id)

    first, again = (server.post("/api/generations", body, headers={"Idempotency-Key": key}) for _ in range(2))

    assert [job_in(answer)["id"] for answer in (first, again)] == [generation_id] * 2
    assert ["Idempotency-Replayed" in answer.headers for answer in (first, again)] == [False, True]


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "schlüssel".encode("latin-1")])
def test_a_key_that_is_none_is_refused(server: Server, key: str) -> None:
    answer = server.post("/api/generations", wanted(), headers={"Idempotency-Key": key})

    assert "Idempotency-Key" in failure_of(answer, 400)


@pytest.mark.parametrize("value", ["0", "-5", "soon", "", "1e3", "inf", "0.0", "99999999999"])
def test_a_time_to_give_up_that_is_none_is_refused(server: Server, value: str) -> None:
    answer = server.post("/api/generations", wanted(), headers={"Cancel-After": value})

    assert "Cancel-After" in failure_of(answer, 400)


def test_a_job_that_has_not_ended_in_its_time_is_canceled(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve()
    for webui in webuis:
        webui.close_gate()

    answer = server.post("/api/generations", wanted(), headers={"Cancel-After": "0.3", "Prefer": "wait=10"})

    assert (answer.status_code, job_in(answer)["state"]) == (200, "canceled")


def test_a_job_that_ends_in_its_time_is_not_canceled(server: Server) -> None:
    answer = server.post("/api/generations", wanted(), headers={"Cancel-After": "30", "Prefer": "wait=20"})

    assert job_in(answer)["state"] == "succeeded"


def test_above_the_limit_a_submission_is_answered_at_once_when_to_come_back(
    serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve(QUEUE_LIMIT=2)
    for webui in webuis:
        webui.close_gate()
    for _ in range(2):
        submitted(server)
    headers = {"Idempotency-Key": new_id()}

    refused = [
        server.post("/api/generations", wanted(), headers=headers),
        server.post("/generate", body("sketch.create_new")),
    ]

    for answer in refused:
        failure_of(answer, 429, code=2)
        assert int(answer.headers["Retry-After"]) >= 1
    for webui in webuis:
        webui.open_gate()
    until(lambda: server.post("/api/generations", wanted(), headers=headers).status_code == 202)


def test_what_no_instance_can_ever_serve_is_refused_at_once(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve()
    made(server)

    answer = server.post(f"/api/generations/{made(server)['id']}/rerun", {"checkpoint": "no-such-checkpoint"})

    assert "no-such-checkpoint" in failure_of(answer, 422)


def test_a_page_of_another_origin_may_send_and_read_our_headers(server: Server) -> None:
    page = {"Origin": "http://127.0.0.1:3000"}
    asked = "content-type, prefer, idempotency-key, cancel-after, last-event-id, authorization"
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked}

    allowed = server.call("OPTIONS", "/api/generations", headers={**page, **preflight})
    answer = server.post("/api/generations", wanted(), headers=page)

    assert set(re.split(r",\s*", allowed.headers["Access-Control-Allow-Headers"].lower())) >= set(asked.split(", "))
    exposed = set(re.split(r",\s*", answer.headers["Access-Control-Expose-Headers"]))
    assert exposed >= {"Location", "Retry-After", "Preference-Applied", "Idempotency-Replayed"}
