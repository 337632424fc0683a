"""What a study's condition says of a generation: which, how many, by which checkpoint, and when its answer is seen."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from store.schema import CONTENTS
from store.studies import Condition, Hold
from tests.api.answers import data_of, failure_of
from tests.api.front_end import BUTTONS, body
from tests.api.server import Server
from tests.api.submitting import job_in, job_of, made, wanted, watching
from tests.api.test_sessions import joined, study
from tests.stand_ins import StandIn, picture

pytestmark = pytest.mark.api

HELD_S = 1.5
Serve = Callable[..., Server]


def _code(server: Server, **condition: Any) -> str:
    return str(joined(server, study(server, Condition(id="a", **condition)))["code"])


def test_a_record_says_where_it_belongs(server: Server) -> None:
    of = study(server, Condition(id="a"))
    code = joined(server, of)["code"]
    job = job_in(
        server.post("/api/generations", wanted("brief.create_new", username=code), headers={"Prefer": "wait=20"})
    )
    record = server.stores.generations.get(job["id"])
    assert record is not None
    session = server.stores.sessions.of_participant(record.participant_id)
    assert session is not None
    assert (record.study_id, record.condition_id, record.session_id) == (of.id, "a", session.id)
    assert (record.hold_s, record.drift, job["shown_at"]) == (None, None, job["ended_at"])


def test_the_old_front_end_works_in_a_study_too_and_elsewhere_belongs_to_the_default_one(server: Server) -> None:
    code = _code(server, allowed=("brief.create_new",))
    data_of(server.post("/generate", body("brief.create_new", username=code)))
    answer = server.post("/generate", body("sketch.create_new", username=code))
    assert "not offered" in failure_of(answer, 403)
    data_of(server.post("/generate", body("brief.create_new", username="anna")))
    record = server.stores.generations.get(
        data_of(server.get("/api/generations?username=anna"))["generations"][0]["id"]
    )
    assert record is not None and (record.study_id, record.condition_id) == ("default", "default")


@pytest.mark.parametrize(
    ("condition", "change", "status", "words"),
    [
        ({"allowed": ("brief.create_new",)}, {}, 403, "sketch.create_new is not offered; these are: brief.create_new"),
        ({"assistant": False}, {}, 403, "no assistant"),
        ({"num_max": 2}, {"num": 3}, 422, "at most 2"),
    ],
)
def test_what_a_condition_does_not_offer_is_refused(
    server: Server, condition: dict[str, Any], change: dict[str, Any], status: int, words: str
) -> None:
    answer = server.post("/api/generations", wanted(username=_code(server, **condition), **change))
    assert words in failure_of(answer, status)


def test_a_picture_of_a_refused_generation_is_not_kept(server: Server) -> None:
    code = _code(server, allowed=("brief.create_new",))
    drawing = picture(77, 33)
    encoded = f"data:image/png;base64,{base64.b64encode(drawing).decode()}"
    answers = (
        server.post("/api/generations", wanted("sketch.transform", username=code, images=[encoded])),
        server.post("/generate", body("sketch.transform", username=code, selectedCanvasRecords=[encoded])),
    )
    for answer in answers:
        assert "not offered" in failure_of(answer, 403)
    kept = [one["_id"] for one in server.stores.database.collection(CONTENTS).find({})]
    assert hashlib.sha256(drawing).hexdigest() not in kept
    job = made(server, "sketch.transform", username="anna", images=[encoded])
    assert hashlib.sha256(drawing).hexdigest() in job["inputs"]["images"][0]


def test_a_conditions_checkpoint_takes_the_place_of_the_presets(server: Server) -> None:
    other = "v1-5-pruned-emaonly"
    code = _code(server, checkpoint=other)
    job = made(server, username=code)
    assert job["state"] == "succeeded", job["error"]
    assert {step["details"].get("checkpoint", other) for step in job["steps"]} == {other}


def test_until_its_time_a_held_answer_looks_like_work(server: Server) -> None:
    code = _code(server, hold=Hold(kind="fixed", seconds=HELD_S))
    began = time.monotonic()
    job = job_in(server.post("/api/generations", wanted(username=code), headers={"Prefer": "wait=0"}))

    def has_ended() -> bool:
        record = server.stores.generations.get(job["id"])
        return record is not None and record.state == "succeeded"

    while not has_ended():
        assert time.monotonic() - began < HELD_S
    seen = job_of(server, job["id"])
    listed = data_of(server.get(f"/api/generations?username={code}"))["generations"][0]
    assert time.monotonic() - began < HELD_S
    for one in (seen, listed):
        assert (one["state"], one["outputs"], one["steps"], one["shown_at"]) == ("running", [], [], None)
        assert 0 <= one["progress"] < 1 and 0 < one["eta_s"] <= HELD_S


def test_everybody_gets_a_held_answer_at_its_time(server: Server) -> None:
    code = _code(server, hold=Hold(kind="fixed", seconds=HELD_S))
    began = time.monotonic()
    job = made(server, username=code)
    assert time.monotonic() - began >= HELD_S
    assert (job["state"], len(job["outputs"])) == ("succeeded", 1)
    assert job["shown_at"] > job["ended_at"]
    began = time.monotonic()
    data_of(server.post("/generate", body("brief.create_new", username=code)))
    assert time.monotonic() - began >= HELD_S


def test_a_follower_is_told_the_held_events_at_their_time_and_none_twice(server: Server) -> None:
    code = _code(server, hold=Hold(kind="fixed", seconds=HELD_S))
    began = time.monotonic()
    job = job_in(server.post("/api/generations", wanted(username=code)))
    with watching(server, job["id"]) as events:
        told = []
        for event in events:
            if event.name in ("step", "output"):
                assert time.monotonic() - began >= HELD_S - 0.05
            told.append(event)
    ids = [event.id for event in told if event.id is not None]
    assert ids == sorted(set(ids))
    assert (told[-1].name, told[-1].data["state"]) == ("state", "succeeded")
    with watching(server, job["id"], after=ids[-3]) as events:
        assert [event.id for event in events.kept()] == ids[-2:]


def test_a_failure_is_not_held_back(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve()
    code = _code(server, hold=Hold(kind="fixed", seconds=60.0))
    for webui in webuis:
        webui.plan("error_500", forever=True)
    job = made(server, username=code)
    assert (job["state"], job["shown_at"]) == ("failed", job["ended_at"])


def test_who_only_saves_or_reports_times_has_a_session_too(server: Server) -> None:
    data = {"designSchemes": {}, "designTask": "lamp", "currentStage": "草图的环境"}
    assert server.post("/paint/save", {"username": "saver", "data": data}).status_code == 200
    times = {"username": "timer", "stageSwitchRecords": {}, "aiStageSwitchRecords": {}}
    assert server.post("/timeRecord", times).status_code == 200
    for name in ("saver", "timer"):
        session = server.stores.sessions.of_participant(server.stores.participants.id_of(name))
        assert session is not None and session.study_id == "default"


def test_all_operations_are_named_in_a_session(server: Server) -> None:
    code = _code(server)
    allowed = data_of(server.post("/api/sessions", {"username": code}))["session"]["allowed"]
    assert sorted(allowed) == sorted(BUTTONS)
