"""POST /api/generations/<id>/rerun: the same again, or a variant that names where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from store.ids import new_id
from tests.api.answers import failure_of
from tests.api.front_end import body
from tests.api.records import record_of
from tests.api.server import Server
from tests.api.submitting import ended, job_in, made, submitted
from tests.stand_ins import StandIn, picture

pytestmark = pytest.mark.api

Serve = Callable[..., Server]
WAIT = {"Prefer": "wait=20"}


def _rerun(server: Server, generation_id: str, overrides: Any = None, **headers: str) -> dict[str, Any]:
    more = {} if overrides is None else {"json": overrides}
    answer = server.call("POST", f"/api/generations/{generation_id}/rerun", headers=WAIT | headers, **more)
    assert answer.status_code == 200, answer.text
    return job_in(answer)


def _contents(server: Server, job: dict[str, Any]) -> list[Any]:
    return [output.get("text") or server.get(output["url"]).content for output in job["outputs"]]


@pytest.mark.parametrize("operation", ["brief.create_new", "sketch.reference", "rendering.create_new"])
def test_a_rerun_without_a_body_makes_the_same_again(server: Server, operation: str) -> None:
    first = made(server, operation, username="P07", num=2)

    again = _rerun(server, first["id"])

    assert again["id"] != first["id"]
    assert (again["rerun_of"], again["seed"], again["inputs"]) == (first["id"], first["seed"], first["inputs"])
    assert again["participant_id"] == first["participant_id"]
    assert _contents(server, again) == _contents(server, first)


def test_a_rerun_is_answered_as_a_submission_is(server: Server) -> None:
    first, headers = made(server), {"Idempotency-Key": new_id()}
    path = f"/api/generations/{first['id']}/rerun"

    answer = server.call("POST", path, headers=headers)
    job = ended(server, job_in(answer)["id"])
    again = server.call("POST", path, headers=headers)
    other = server.post(path, {"seed": 3}, headers=headers)

    assert (answer.status_code, answer.headers["Location"]) == (202, f"/api/generations/{job['id']}")
    assert (again.status_code, job_in(again)) == (200, job)
    failure_of(other, 422)


def test_a_rerun_with_another_seed_is_a_variant(server: Server) -> None:
    first = made(server, seed=5)

    variant = _rerun(server, first["id"], {"seed": 6, "num": 2})

    assert (variant["seed"], variant["inputs"]["num"], variant["rerun_of"]) == (6, 2, first["id"])
    assert _contents(server, variant)[0] != _contents(server, first)[0]


def test_a_rerun_with_another_checkpoint_uses_it(server: Server) -> None:
    first = made(server)

    variant = _rerun(server, first["id"], {"checkpoint": "v1-5-pruned-emaonly"})

    [step] = [step for step in variant["steps"] if step["kind"] == "txt2img"]
    assert "v1-5-pruned-emaonly" in step["details"]["checkpoint"]


def test_the_front_ends_generation_can_be_run_once_more(server: Server) -> None:
    first = record_of(server, server.post("/generate", body("sketch.create_new")))

    again = _rerun(server, first.id)

    assert again["rerun_of"] == first.id
    assert again["outputs"][0]["url"].endswith(f"{first.outputs[0].image_id}.png")


def test_what_has_not_ended_cannot_be_run_once_more(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve(SD_ENDPOINTS=webuis[0].url)
    webuis[0].close_gate()
    job = submitted(server)

    answer = server.call("POST", f"/api/generations/{job['id']}/rerun")

    assert job["id"] in failure_of(answer, 409)


@pytest.mark.parametrize("origin", ["sketch.create_new", "rendering.create_new"])
def test_a_picture_is_taken_for_what_the_operation_made_that_made_it(server: Server, origin: str) -> None:
    username = new_id()
    source = made(server, origin, username=username)

    job = made(server, "model.transform", username=username, images=[source["outputs"][0]["url"]])

    assert job["inputs"]["stage"] == origin.partition(".")[0]


def test_a_picture_of_unknown_origin_is_taken_for_what_is_likeliest(server: Server) -> None:
    job = made(server, "model.transform", images=[server.uploaded(picture(512, 512))])

    assert job["inputs"]["stage"] == "sketch"


def test_a_stage_that_is_given_counts(server: Server) -> None:
    job = made(server, "model.transform", images=[server.uploaded(picture(512, 512))], stage="rendering")

    [step] = [step for step in job["steps"] if step["kind"] == "txt2img"]
    assert (job["inputs"]["stage"], step["details"]["preset"]) == ("rendering", "model_from_rendering")
