"""Sessions as researchers read them: listed, in order on one clock, as timeline and tree, and live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import requests

from apps.research import live
from store.clock import utc_now
from store.documents import GenerationRecord
from store.events import Event
from store.ids import new_id
from store.sessions import Assigned, Client, ConditionCount, Consent, Session
from store.studies import Condition, Study
from tests.api.answers import data_of, failure_of
from tests.api.records import until
from tests.api.server import TIMEOUT_S, Server
from tests.api.submitting import EventStream, made

pytestmark = pytest.mark.api

PATH = "/api/research/sessions"


@pytest.fixture
def study(server: Server) -> Study:
    """Lay out a study with two conditions."""
    conditions = (Condition(id="a", name="A"), Condition(id="b", name="B"))
    return server.stores.studies.create(Study(name="s", conditions=conditions, state="open"))


def _session(server: Server, study: Study, condition_id: str = "a", **more: Any) -> Session:
    session = Session(study_id=study.id, condition_id=condition_id, participant_id=new_id(), **more)
    return server.stores.sessions.create(session)


def _event(server: Server, session: Session, verb: str, seq: int = 0, **more: Any) -> None:
    event = Event(
        id=f"{session.id}/{new_id()}", session_id=session.id, study_id=session.study_id, client_seq=seq, page_id="1",
        participant_id=session.participant_id, verb=verb, at=utc_now(), **more,
    )  # fmt: skip
    server.stores.events.add([event])


def _worked(server: Server, session: Session, **more: Any) -> dict[str, Any]:
    """Let the participant of a session make something, and give the job."""
    job = made(server, **more)
    change = {"participant_id": session.participant_id, "session_id": session.id, "study_id": session.study_id}
    server.stores.database.collection("generations").update_one({"_id": job["id"]}, {"$set": change})
    return job


def _rows(server: Server, study: Study, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data_of(server.get(f"/api/studies/{study.id}/sessions", params=query))["sessions"]
    return found


def test_sessions_are_listed_newest_first_in_pages(server: Server, study: Study) -> None:
    now = utc_now()
    ids = [_session(server, study, "ab"[n % 2], started_at=now - timedelta(hours=n)).id for n in range(5)]
    server.stores.sessions.end(ids[1], "completed")

    first = data_of(server.get(f"/api/studies/{study.id}/sessions", params={"limit": 3}))
    rest = data_of(server.get(f"/api/studies/{study.id}/sessions", params={"limit": 3, "before": first["next"]}))

    assert [row["id"] for row in (*first["sessions"], *rest["sessions"])] == ids
    assert rest["next"] is None
    assert [row["id"] for row in _rows(server, study, condition="b")] == [ids[1], ids[3]]
    assert [row["id"] for row in _rows(server, study, state="completed")] == [ids[1]]
    assert _rows(server, study, before="nobody") == []


@pytest.mark.parametrize("query", [{"limit": 0}, {"state": "asleep"}, {"colour": "red"}], ids=str)
def test_a_list_that_cannot_be_is_refused(server: Server, study: Study, query: dict[str, Any]) -> None:
    failure_of(server.get(f"/api/studies/{study.id}/sessions", params=query), 422)


def test_a_row_tells_how_far_a_session_is_and_no_name(server: Server, study: Study) -> None:
    session = _session(server, study, last_event_at=utc_now())
    _event(server, session, "stage.switch", object="sketch")
    job = _worked(server, session, username="Li Lei")

    answer = server.get(f"/api/studies/{study.id}/sessions")

    [row] = data_of(answer)["sessions"]
    assert (row["generations"], row["failed"], row["stage"], row["is_live"]) == (1, 0, "sketch", True)
    assert row["participant"] == session.participant_id and row["waiting_s"] >= 0
    assert "Li Lei" not in answer.text
    told = data_of(server.get(f"/api/studies/{study.id}"))
    assert (told["counts"]["sessions"], told["counts"]["generations"]) == (1, 1)
    assert job["state"] == "succeeded"


def test_nobody_is_in_a_stage_of_a_session_that_is_over_or_silent(server: Server, study: Study) -> None:
    for session in (
        _session(server, study, started_at=utc_now() - timedelta(hours=1)),
        _session(server, study, last_event_at=utc_now(), state="completed"),
    ):
        _event(server, session, "stage.switch", object="sketch")

    assert [(row["stage"], row["is_live"]) for row in _rows(server, study)] == [("", False), ("", False)]


def test_one_session_tells_how_it_came_to_its_condition(server: Server, study: Study) -> None:
    counts = (ConditionCount(condition_id="a", count=2), ConditionCount(condition_id="b", count=3))
    assigned, client = Assigned(method="balanced", counts=counts), Client(user_agent="x", language="zh")
    session = _session(server, study, assigned=assigned, consent=Consent(text_sha256="f" * 64), client=client, number=6)

    told = data_of(server.get(f"{PATH}/{session.id}"))

    assert (told["study_id"], told["study_name"], told["number"]) == (study.id, "s", 6)
    assert (told["assigned"]["method"], told["assigned"]["counts"]) == ("balanced", {"a": 2, "b": 3})
    assert told["consent"]["text_sha256"] == "f" * 64
    assert told["client"] == {"user_agent": "x", "language": "zh", "screen": ""}


@pytest.mark.parametrize("part", ["", "/chronicle", "/timeline", "/tree"])
def test_a_session_that_there_is_not_is_not_found(server: Server, part: str) -> None:
    assert "no session" in failure_of(server.get(f"{PATH}/nobody{part}"), 404)


def test_everything_of_a_session_comes_on_one_clock_and_in_parts(server: Server, study: Study) -> None:
    session = _session(server, study)
    _event(server, session, "page.open", 1)
    job = _worked(server, session)
    _event(server, session, "page.close", 3, data='{"why": "lunch"}')

    whole = data_of(server.get(f"{PATH}/{session.id}/chronicle"))

    entries = whole["entries"]
    assert [entry["seq"] for entry in entries] == list(range(1, whole["total"] + 1))
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    verbs = [entry["verb"] for entry in entries]
    assert (verbs[0], verbs[1], verbs[-1]) == ("page.open", "generation.accepted", "page.close")
    assert {"generation.running", "generation.step", "generation.output", "generation.succeeded"} <= set(verbs)
    assert entries[-1]["data"] == {"why": "lunch"}
    [output] = [entry for entry in entries if entry["verb"] == "generation.output"]
    assert output["generation_id"] == job["id"] and output["outputs"][0] in job["outputs"][0]["url"]

    def part(**query: int) -> list[int]:
        found = data_of(server.get(f"{PATH}/{session.id}/chronicle", params=query))["entries"]
        return [entry["seq"] for entry in found]

    assert part(limit=2) == [whole["total"] - 1, whole["total"]]
    assert part(before=3, limit=2) == [1, 2]
    assert part(before=1) == []
    assert part(after=2, limit=2) == [3, 4]
    assert part(after=whole["total"]) == []
    failure_of(server.get(f"{PATH}/{session.id}/chronicle?before=0"), 422)


def test_a_participant_of_before_there_were_sessions_has_all_that_was_kept(server: Server) -> None:
    username = new_id()
    job = made(server, username=username)
    server.post("/paint/start", {"username": username})
    server.post("/paint/save", {"username": username, "data": {"designTask": "t", "currentStage": "草图的环境"}})
    visits = {"草图的环境": [{"startTime": 1764000000000, "duration": 5000}]}
    server.post("/timeRecord", {"username": username, "stageSwitchRecords": visits, "aiStageSwitchRecords": {}})
    session = server.stores.sessions.of_nobody_else(job["participant_id"])

    entries = data_of(server.get(f"{PATH}/{session.id}/chronicle"))["entries"]
    timeline = data_of(server.get(f"{PATH}/{session.id}/timeline"))

    verbs = [entry["verb"] for entry in entries]
    assert verbs[0] == "stage.visit" and "state.saved" in verbs and "generation.accepted" in verbs
    [stay] = timeline["stages"]
    assert (stay["stage"], stay["from"], stay["to"]) == (
        *("草图的环境", "2025-11-24T16:00:00Z", "2025-11-24T16:00:05Z"),
    )


def test_the_timeline_tells_stays_and_waits(server: Server, study: Study) -> None:
    session = _session(server, study)
    _event(server, session, "page.open", 1)
    _event(server, session, "stage.switch", 2, object="sketch", data='{"from": "brief"}')
    job = _worked(server, session)

    told = data_of(server.get(f"{PATH}/{session.id}/timeline"))

    assert [stay["stage"] for stay in told["stages"]][-1] == "sketch"
    assert told["stages"][-1]["to"] is None
    [wait] = told["waits"]
    assert (wait["generation_id"], wait["state"]) == (job["id"], "succeeded")
    assert wait["from"] < wait["to"] == wait["shown_at"]


def test_the_tree_tells_what_came_of_what(server: Server, study: Study) -> None:
    session, name = _session(server, study), new_id()
    text = made(server, "brief.create_new", username=name)
    first = made(server, username=name)
    second = made(server, "sketch.extend", username=name, images=[first["outputs"][0]["url"]])
    ids = [job["id"] for job in (text, first, second)]
    change = {"participant_id": session.participant_id, "session_id": session.id}
    server.stores.database.collection("generations").update_many({"_id": {"$in": ids}}, {"$set": change})

    page = data_of(server.get(f"{PATH}/{session.id}/tree", params={"limit": 2}))
    rest = data_of(server.get(f"{PATH}/{session.id}/tree", params={"limit": 2, "before": page["next"]}))

    assert [node["id"] for node in (*page["nodes"], *rest["nodes"])] == list(reversed(ids))
    newest, middle = page["nodes"]
    assert newest["parents"] == [first["id"]] and newest["inputs"] == middle["thumbs"]
    assert (newest["representation"], len(newest["thumbs"][0])) == ("sketch", 64)
    [oldest] = rest["nodes"]
    assert oldest["thumbs"] == [] and 0 < len(oldest["texts"][0]) <= 160 and "{" not in oldest["texts"][0]
    assert all(node["shown_s"] >= 0 for node in page["nodes"])
    failure_of(server.get(f"{PATH}/{session.id}/tree?before=nobody"), 422)


@contextmanager
def _watching(server: Server, study: Study) -> Iterator[Iterator[dict[str, Any]]]:
    with requests.Session() as client:
        client.trust_env = False
        with client.get(f"{server.url}/api/studies/{study.id}/live", stream=True, timeout=TIMEOUT_S) as answer:
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            answer.encoding = "utf-8"
            yield (event.data for event in EventStream(answer))


def test_a_session_is_told_live_when_it_begins_goes_on_and_ends(
    server: Server, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_S", 0.05)
    other = server.stores.studies.create(Study(name="other", conditions=(Condition(id="a", name="A"),)))
    before = _session(server, study, last_event_at=utc_now())
    with _watching(server, study) as told:
        assert next(told)["id"] == before.id

        _session(server, other)
        session = _session(server, study, last_event_at=utc_now())
        assert next(told)["id"] == session.id

        _event(server, session, "stage.switch", object="model")
        server.stores.sessions.update(session.id, {"last_event_at": utc_now()})
        assert until(lambda: next(told)["stage"] == "model")

        server.stores.generations.insert(_record(session))
        assert until(lambda: next(told)["generations"] == 1)

        server.stores.sessions.end(session.id, "completed")
        assert until(lambda: next(told)["state"] == "completed")


def _record(session: Session) -> GenerationRecord:
    given = {"app_id": 1, "operation": "sketch.create_new", "inputs": {"task": "t"}, "owner": "elsewhere"}
    place = {"participant_id": session.participant_id, "session_id": session.id, "study_id": session.study_id}
    return GenerationRecord.model_validate(given | place)
