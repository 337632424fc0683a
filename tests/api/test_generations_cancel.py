"""POST /api/generations/<id>/cancel: what waits is dropped, what runs is interrupted, what has ended stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.api.answers import data_of, failure_of
from tests.api.front_end import body
from tests.api.records import at_the_same_time, until
from tests.api.server import Server
from tests.api.submitting import ended, job_of, made, submitted, watching
from tests.stand_ins import StandIn

pytestmark = pytest.mark.api

Serve = Callable[..., Server]


def _cancel(server: Server, generation_id: str) -> dict[str, object]:
    job: dict[str, object] = data_of(server.call("POST", f"/api/generations/{generation_id}/cancel"))
    return job


def test_a_job_that_waits_is_dropped(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve(SD_ENDPOINTS=webuis[0].url)
    webuis[0].close_gate()
    first = submitted(server)
    until(lambda: webuis[0].state()["running"] == 1)
    second = submitted(server)
    until(lambda: job_of(server, second["id"])["place"])

    job = _cancel(server, second["id"])

    assert (job["state"], job["outputs"]) == ("canceled", [])
    webuis[0].open_gate()
    assert ended(server, first["id"])["state"] == "succeeded"
    assert len(webuis[0].journal()) == 1


def test_a_job_that_runs_is_interrupted_and_its_instance_is_free_at_once(
    serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve(SD_ENDPOINTS=webuis[0].url)
    webuis[0].close_gate()
    job = submitted(server)
    until(lambda: webuis[0].state()["running"] == 1)

    canceled = _cancel(server, job["id"])

    assert canceled["state"] == "canceled"
    until(lambda: webuis[0].state()["running"] == 0, timeout_s=3)
    webuis[0].open_gate()
    assert made(server)["state"] == "succeeded"
    assert job_of(server, job["id"])["state"] == "canceled"


def test_canceling_a_job_leaves_others_alone(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve()
    for webui in webuis:
        webui.close_gate()
    one, other = submitted(server), submitted(server)
    until(lambda: all(webui.state()["running"] == 1 for webui in webuis))

    _cancel(server, one["id"])

    for webui in webuis:
        webui.open_gate()
    assert ended(server, other["id"])["state"] == "succeeded"


def test_the_stream_of_a_canceled_job_ends_with_that(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve(SD_ENDPOINTS=webuis[0].url)
    webuis[0].close_gate()
    job = submitted(server)

    with watching(server, job["id"]) as stream:
        next(iter(stream))
        _cancel(server, job["id"])
        last = stream.kept()[-1]

    assert (last.name, last.data["state"]) == ("state", "canceled")


def test_a_job_that_has_ended_is_answered_as_it_is(server: Server) -> None:
    job = made(server)

    assert _cancel(server, job["id"]) == job


def test_an_unknown_job_cannot_be_canceled(server: Server) -> None:
    failure_of(server.call("POST", "/api/generations/nobody/cancel"), 404)


def test_the_front_end_is_told_when_its_job_is_canceled(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve(SD_ENDPOINTS=webuis[0].url)
    webuis[0].close_gate()

    with at_the_same_time([lambda: server.post("/generate", body("sketch.create_new"))]) as answers:
        [job] = until(lambda: data_of(server.get("/api/generations"))["generations"])
        until(lambda: webuis[0].state()["running"] == 1)
        _cancel(server, job["id"])

    assert "canceled" in failure_of(answers[0], 409)
    assert answers[0].headers["X-Generation-ID"] == job["id"]
