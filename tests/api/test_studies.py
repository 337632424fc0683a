"""Studies over HTTP: laying out, changing, opening, deleting, freezing, and noticing drift."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from store.ids import new_id
from store.sessions import Session
from tests.api.answers import data_of, failure_of
from tests.api.server import Server

pytestmark = pytest.mark.api

Serve = Callable[..., Server]
PATH = "/api/studies"
FAST = {"id": "fast", "name": "Fast", "hold": {"kind": "fixed", "seconds": 2}, "num_max": 4}
SLOW = {"id": "slow", "name": "Slow", "allowed": ["sketch.create_new"], "checkpoint": "revAnimated_v122"}
WISH: dict[str, Any] = {"name": "Waiting", "task": "lamp", "conditions": [FAST, SLOW], "planned": 12}
ROOT = Path(__file__).parent.parent.parent


def _made(server: Server, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = data_of(server.post(PATH, {**WISH, **more}))
    return found


def _patch(server: Server, study: dict[str, Any], **change: Any) -> Any:
    return server.call("PATCH", f"{PATH}/{study['id']}", json={"revision": study["revision"], **change})


def _joined(server: Server, study: dict[str, Any], condition_id: str = "fast") -> Session:
    session = Session(study_id=study["id"], condition_id=condition_id, participant_id=new_id())
    return server.stores.sessions.create(session)


def test_a_study_is_told_as_it_was_laid_out(server: Server) -> None:
    study = _made(server)

    assert (study["state"], study["seal"], study["is_default"], study["planned"]) == ("draft", None, False, 12)
    assert study["conditions"][1]["allowed"] == ["sketch.create_new"]
    assert study["conditions"][0]["hold"]["seconds"] == 2
    assert study["join_url"].startswith(f"{server.url}/join/") and len(study["join_url"]) > len(server.url) + 20
    assert study["assigned"] == {"fast": 0, "slow": 0}
    assert data_of(server.get(f"{PATH}/{study['id']}")) == study
    assert study in data_of(server.get(PATH))["studies"]


def test_two_studies_have_links_of_their_own(server: Server) -> None:
    assert _made(server)["join_url"] != _made(server)["join_url"]


def test_the_link_has_the_address_that_the_server_has_for_others(serve: Serve) -> None:
    server = serve(PUBLIC_URL="https://design.example/base")
    assert _made(server)["join_url"].startswith("https://design.example/base/join/")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"conditions": []}, "conditions"),
        ({"conditions": None}, "conditions"),
        ({"conditions": [FAST, FAST]}, "conditions"),
        ({"conditions": [{**FAST, "id": "Upper Case"}]}, "conditions.0.id"),
        ({"conditions": [{**FAST, "colour": "red"}]}, "conditions.0.colour"),
        ({"conditions": [{**FAST, "num_max": 0}]}, "conditions.0.num_max"),
        ({"conditions": [{**FAST, "allowed": ["sketch.explode"]}]}, "sketch.explode"),
        ({"conditions": [{**FAST, "allowed": ["sketch.extend", "sketch.extend"]}]}, "twice"),
        ({"conditions": [{**FAST, "hold": {"kind": "fixed"}}]}, "seconds"),
        ({"conditions": [{**FAST, "hold": {"kind": "fixed", "seconds": -1}}]}, "seconds"),
        ({"conditions": [{**FAST, "hold": {"kind": "none", "seconds": 1}}]}, "seconds"),
        ({"conditions": [{**FAST, "hold": {"kind": "uniform", "low": 5, "high": 1}}]}, "low"),
        ({"conditions": [{**FAST, "hold": {"kind": "normal", "mean": 5, "sd": 1, "min": 9, "max": 1}}]}, "min"),
        ({"conditions": [{**FAST, "hold": {"kind": "sometimes"}}]}, "hold.kind"),
        ({"planned": 0}, "planned"),
        ({"drift_policy": "ignore"}, "drift_policy"),
        ({"state": "open"}, "state"),
    ],
    ids=str,
)
def test_what_is_no_study_is_refused_by_name(server: Server, more: dict[str, Any], field: str) -> None:
    before = len(server.stores.studies.all())

    assert field in failure_of(server.post(PATH, {**WISH, **more}), 422)

    assert len(server.stores.studies.all()) == before


def test_a_change_keeps_what_it_does_not_name(server: Server) -> None:
    study = _made(server)

    changed = data_of(_patch(server, study, name="Other", planned=None))

    assert (changed["name"], changed["planned"], changed["task"]) == ("Other", None, "lamp")
    assert changed["revision"] == study["revision"] + 1


def test_of_two_researchers_who_change_the_same_one_is_told_so(server: Server) -> None:
    study = _made(server)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda name: _patch(server, study, name=name), "abcd"))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    lost = next(answer for answer in answers if answer.status_code == 409)
    assert "read it again" in failure_of(lost, 409)


@pytest.mark.parametrize(
    ("change", "status"),
    [({"name": None}, 422), ({"conditions": None}, 422), ({"colour": "red"}, 422), ({"revision": "1"}, 422)],
    ids=str,
)
def test_a_change_that_is_none_is_refused(server: Server, change: dict[str, Any], status: int) -> None:
    failure_of(_patch(server, _made(server), **change), status)


def test_a_condition_that_has_participants_cannot_be_taken_out(server: Server) -> None:
    study = _made(server)
    _joined(server, study)

    assert "'fast'" in failure_of(_patch(server, study, conditions=[SLOW]), 409)
    assert data_of(_patch(server, study, conditions=[FAST]))["assigned"] == {"fast": 1}


def test_a_study_is_opened_and_closed_and_no_draft_again_once_somebody_joined(server: Server) -> None:
    study = _made(server)
    path = f"{PATH}/{study['id']}/state"

    assert data_of(server.post(path, {"state": "open"}))["state"] == "open"
    assert data_of(server.post(path, {"state": "draft"}))["state"] == "draft"
    data_of(server.post(path, {"state": "open"}))
    _joined(server, study)
    assert "close it" in failure_of(server.post(path, {"state": "draft"}), 409)
    assert data_of(server.post(path, {"state": "closed"}))["counts"]["sessions"] == 1
    failure_of(server.post(path, {"state": "over"}), 422)


def test_only_a_draft_that_nobody_joined_can_be_deleted(server: Server) -> None:
    empty, used, opened = _made(server), _made(server), _made(server)
    _joined(server, used)
    data_of(server.post(f"{PATH}/{opened['id']}/state", {"state": "open"}))

    assert data_of(server.call("DELETE", f"{PATH}/{empty['id']}")) is None
    failure_of(server.call("DELETE", f"{PATH}/{used['id']}"), 409)
    failure_of(server.call("DELETE", f"{PATH}/{opened['id']}"), 409)
    failure_of(server.get(f"{PATH}/{empty['id']}"), 404)


def test_the_default_study_stays_as_it_is(server: Server) -> None:
    server.stores.studies.default()
    default = data_of(server.get(f"{PATH}/default"))

    assert (default["is_default"], default["join_url"], default["state"]) == (True, "", "open")
    assert data_of(server.get(PATH))["studies"][-1]["id"] == "default"
    failure_of(_patch(server, default, task="other"), 409)
    failure_of(server.post(f"{PATH}/default/state", {"state": "closed"}), 409)
    failure_of(server.post(f"{PATH}/default/freeze", {}), 409)
    failure_of(server.call("DELETE", f"{PATH}/default"), 409)


@pytest.mark.parametrize("path", ["", "/drift", "/sessions", "/live"])
def test_a_study_that_there_is_not_is_not_found(server: Server, path: str) -> None:
    assert "/api/studies" in failure_of(server.get(f"{PATH}/nobody{path}"), 404)


def test_nobody_but_researchers_sees_or_changes_studies(serve: Serve) -> None:
    server = serve(RESEARCH_LOGIN=True)
    study = server.stores.studies.default()

    for path in ("", f"/{study.id}", f"/{study.id}/sessions", f"/{study.id}/live", f"/{study.id}/drift"):
        failure_of(server.get(PATH + path), 401)
    failure_of(server.post(PATH, WISH), 401)
    failure_of(server.call("PATCH", f"{PATH}/{study.id}", json={"revision": 1, "name": "x"}), 401)
    failure_of(server.call("DELETE", f"{PATH}/{study.id}"), 401)
    for path in ("", "/chronicle", "/timeline", "/tree"):
        failure_of(server.get(f"/api/research/sessions/S{path}"), 401)
