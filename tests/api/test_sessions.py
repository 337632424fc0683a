"""Participants join a study, come back, tell what happens, and end; others cannot do it in their name."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from store.studies import Condition, Hold, Study
from tests.api.answers import data_of, failure_of
from tests.api.server import Server

pytestmark = pytest.mark.api


def study(server: Server, *conditions: Condition, **more: Any) -> Study:
    """Make an open study."""
    of = conditions or (Condition(id="only"),)
    return server.stores.studies.create(
        Study(**{"name": "Lamps", "state": "open", "consent_text": "I agree", **more}, conditions=of)
    )


def joined(server: Server, of: Study) -> dict[str, Any]:
    """Join a study, and return the code and the session."""
    found: dict[str, Any] = data_of(server.post(f"/api/join/{of.join_key}", {"consent": True}))
    return found


def test_a_link_says_what_a_participant_agrees_to(server: Server) -> None:
    of = study(server, task="台灯", description="for a paper")
    told = data_of(server.get(f"/api/join/{of.join_key}"))
    assert told == {
        "name": "Lamps", "description": "for a paper", "consent_text": "I agree", "task": "台灯", "is_open": True,
    }  # fmt: skip


def test_who_joins_gets_a_code_and_a_session_that_is_found_again_by_it(server: Server) -> None:
    of = study(server, task="台灯")
    first = joined(server, of)
    assert first["session"]["study"] == {"id": of.id, "name": "Lamps", "task": "台灯", "is_default": False}
    assert "only" not in json.dumps(first)
    by_code = data_of(server.post("/api/sessions", {"username": first["code"]}))["session"]
    again = data_of(server.post(f"/api/join/{of.join_key}", {"consent": True, "code": first["code"]}))
    assert {one["id"] for one in (first["session"], by_code, again["session"])} == {first["session"]["id"]}
    kept = server.stores.sessions.get(first["session"]["id"])
    assert kept is not None and kept.consent is not None
    consent = server.stores.contents.get(kept.consent.text_sha256)
    assert consent is not None and consent.text == "I agree"


def test_many_who_join_at_once_are_spread_evenly(server: Server) -> None:
    of = study(server, Condition(id="a"), Condition(id="b"))
    with ThreadPoolExecutor(6) as threads:
        ids = [one["session"]["id"] for one in threads.map(lambda _: joined(server, of), range(10))]
    kept = [server.stores.sessions.get(one) for one in ids]
    assert Counter(one.condition_id for one in kept if one) == {"a": 5, "b": 5}
    assert sorted(one.number for one in kept if one) == list(range(1, 11))
    assert {one.assigned.method for one in kept if one} == {"balanced"}


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("nowhere", {"consent": True}, 404, "leads to no study"),
        ("", {"consent": False}, 422, "consent"),
        ("", {}, 422, "consent"),
        ("", {"consent": True, "code": "p-nobody"}, 404, "nobody has joined"),
        ("", {"consent": True, "name": "Anna"}, 422, "name"),
    ],
)
def test_who_cannot_join_is_told_why(server: Server, path: str, body: Any, status: int, words: str) -> None:
    of = study(server)
    answer = server.post(f"/api/join/{path or of.join_key}", body)
    assert words in failure_of(answer, status)
    assert server.stores.sessions.of_study(of.id) == ()


def test_a_closed_study_takes_nobody_new_but_lets_its_own_come_back(server: Server) -> None:
    of = study(server)
    code = joined(server, of)["code"]
    server.stores.studies.change(of.id, 1, {"state": "closed"})
    answer = server.post(f"/api/join/{of.join_key}", {"consent": True})
    assert "no new participants" in failure_of(answer, 409)
    data_of(server.post(f"/api/join/{of.join_key}", {"consent": True, "code": code}))


KEY = "0c6a3d0e-7d0b-4b57-9d0f-6a1c1f2e3d4c"


def test_who_joins_again_because_the_answer_was_lost_is_the_same_participant(server: Server) -> None:
    of = study(server, Condition(id="a"), Condition(id="b"))

    def join(_: int = 0, key: str = KEY) -> dict[str, Any]:
        path, headers = f"/api/join/{of.join_key}", {"Idempotency-Key": key}
        found: dict[str, Any] = data_of(server.post(path, {"consent": True}, headers=headers))
        return found

    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(join, range(6)))
    assert len({(one["code"], one["session"]["id"]) for one in told}) == 1
    other = join(key=KEY.upper())
    assert other["code"] != told[0]["code"]
    kept = server.stores.sessions.of_study(of.id)
    assert sorted(one.number for one in kept) == [1, 2] and {one.condition_id for one in kept} == {"a", "b"}
    server.stores.studies.change(of.id, 1, {"state": "closed"})
    assert join()["session"]["id"] == told[0]["session"]["id"]


def test_the_same_key_is_somebody_else_in_another_study(server: Server) -> None:
    links = [f"/api/join/{study(server).join_key}" for _ in range(2)]
    told = [data_of(server.post(link, {"consent": True}, headers={"Idempotency-Key": KEY})) for link in links]
    assert told[0]["code"] != told[1]["code"]


@pytest.mark.parametrize("key", ["", "1", "x" * 256, "a short one"])
def test_a_key_that_could_be_guessed_is_refused(server: Server, key: str) -> None:
    of = study(server)
    answer = server.post(f"/api/join/{of.join_key}", {"consent": True}, headers={"Idempotency-Key": key})
    assert "nobody can guess" in failure_of(answer, 422)
    assert server.stores.sessions.of_study(of.id) == ()


def test_a_name_without_a_link_is_in_the_default_study(server: Server) -> None:
    told = data_of(server.post("/api/sessions", {"username": "小明", "client": {"language": "zh"}}))["session"]
    assert told["study"]["is_default"] is True
    assert len(told["allowed"]) == 14
    again = data_of(server.post("/api/sessions", {"username": "小明"}))["session"]
    assert again["id"] == told["id"]
    kept = server.stores.sessions.get(told["id"])
    assert kept is not None and kept.client is not None and kept.client.language == "zh"


def _event(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "verb": "stage.switch", "object": "sketch", "client_at_ms": 1, "client_seq": 2, **more}


def test_events_are_kept_once_however_often_they_are_told(server: Server) -> None:
    one = joined(server, study(server))
    path, names = f"/api/sessions/{one['session']['id']}/events", [f"e{number}" for number in range(40)]
    body = {"username": one["code"], "events": [_event(name, data={"选": [name]}) for name in names]}
    with ThreadPoolExecutor(4) as threads:
        told = [data_of(answer) for answer in threads.map(lambda _: server.post(path, body), range(6))]
    assert all(sorted(one["accepted"] + one["known"]) == sorted(names) for one in told)
    kept = server.stores.events.of_session(one["session"]["id"])
    assert [event.id.rpartition("/")[2] for event in kept] == names
    assert json.loads(kept[3].data) == {"选": ["e3"]}


def test_a_beacon_is_read_though_it_calls_itself_text(server: Server) -> None:
    one = joined(server, study(server))
    content = json.dumps({"username": one["code"], "events": [_event("e")]}).encode()
    path = f"/api/sessions/{one['session']['id']}/events"
    answer = server.call("POST", path, data=content, headers={"Content-Type": "text/plain;charset=UTF-8"})
    assert data_of(answer) == {"accepted": ["e"], "known": []}
    other = server.call("POST", "/api/sessions", data=b'{"username": "x"}', headers={"Content-Type": "text/plain"})
    assert other.status_code == 415


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"username": "somebody else"}, 403, "another participant's"),
        ({"events": [_event("e")] * 201}, 422, "events"),
        ({"events": [_event("e", verb="DROP TABLE")]}, 422, "verb"),
        ({"events": [_event("a/b")]}, 422, "id"),
        ({"events": [_event("e", data="x" * 20_000)]}, 422, "16384 bytes"),
        ({"events": "none"}, 422, "events"),
    ],
)
def test_events_that_cannot_be_kept_are_refused_whole(server: Server, change: Any, status: int, words: str) -> None:
    one = joined(server, study(server))
    session_id = one["session"]["id"]
    body = {"username": one["code"], "events": [_event("e")], **change}
    answer = server.post(f"/api/sessions/{session_id}/events", body)
    assert words in failure_of(answer, status)
    assert server.stores.events.of_session(session_id) == ()
    assert server.post("/api/sessions/nothing/events", {**body, **change, "events": []}).status_code in (404, 422)


def test_a_session_ends_once_and_then_makes_nothing_new(server: Server) -> None:
    one = joined(server, study(server))
    path, body = f"/api/sessions/{one['session']['id']}/end", {"username": one["code"]}
    first = data_of(server.post(path, body))["session"]
    assert first["state"] == "completed"
    assert data_of(server.post(path, {**body, "reason": "withdrawn"}))["session"]["ended_at"] == first["ended_at"]
    wanted = {"username": one["code"], "operation": "brief.create_new", "task": "lamp"}
    answer = server.post("/api/generations", wanted)
    assert "is over" in failure_of(answer, 403)


def test_a_condition_with_a_hold_is_drawn_once_and_the_same_for_a_generation() -> None:
    from apps.participation import drawn

    assert drawn(Hold(), "x") is None
    assert drawn(Hold(kind="fixed", seconds=7.5), "x") == 7.5
    uniform = Hold(kind="uniform", low=2.0, high=4.0)
    values = [drawn(uniform, str(number)) or 0.0 for number in range(300)]
    assert all(2.0 <= value <= 4.0 for value in values) and max(values) - min(values) > 1.5
    normal = Hold(kind="normal", mean=10.0, sd=30.0, min=5.0, max=20.0)
    drawn_twice = [(drawn(normal, str(number)), drawn(normal, str(number))) for number in range(300)]
    assert all(one == two and one is not None and 5.0 <= one <= 20.0 for one, two in drawn_twice)
