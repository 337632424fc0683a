"""Studies over HTTP: laying out, changing, opening, deleting, freezing, and noticing drift."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from apps import freezing
from apps.sealing import hash_of
from store.ids import new_id
from store.sessions import Session
from tests.api.answers import data_of, failure_of
from tests.api.records import until
from tests.api.server import Server
from tests.stand_ins import StandIn

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


@pytest.fixture
def freezer(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Server, Path]:
    """Run a server on a copy of the settings, which compares what is sealed at every look."""
    monkeypatch.setattr(freezing, "FRESH_S", 0.0)
    shutil.copytree(ROOT / "settings", tmp_path / "settings")
    return serve(SETTINGS_DIR=str(tmp_path / "settings"), SETTINGS_RELOAD=True), tmp_path / "settings"


def _frozen(server: Server) -> dict[str, Any]:
    study = _made(server)
    frozen: dict[str, Any] = data_of(server.post(f"{PATH}/{study['id']}/freeze", {}))
    return frozen


def _drift(server: Server, study: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = data_of(server.get(f"{PATH}/{study['id']}/drift"))
    return found


def test_a_frozen_study_names_its_hash_and_who_froze_it_and_stays_so(freezer: tuple[Server, Path]) -> None:
    server, _ = freezer

    study = _frozen(server)
    again = data_of(server.post(f"{PATH}/{study['id']}/freeze", {}))

    assert study["seal"]["by"] == "local" and len(study["seal"]["hash"]) == 64
    assert again == study
    drift = _drift(server, study)
    assert (drift["is_frozen"], drift["hash"], drift["differences"]) == (True, study["seal"]["hash"], [])


def test_a_frozen_study_cannot_be_changed_but_opened(freezer: tuple[Server, Path]) -> None:
    server, _ = freezer
    study = _frozen(server)

    assert "copy it" in failure_of(_patch(server, study, name="new"), 409)
    assert data_of(server.post(f"{PATH}/{study['id']}/state", {"state": "open"}))["seal"] == study["seal"]


def test_what_was_sealed_is_kept_whole_under_its_hash(freezer: tuple[Server, Path]) -> None:
    server, _ = freezer
    study = _frozen(server)
    kept = server.stores.studies.get(study["id"])
    assert kept is not None and kept.seal is not None

    content = server.stores.contents.get(kept.seal.content_sha256)

    assert content is not None and hash_of(content.text) == study["seal"]["hash"]
    sealed = json.loads(content.text)
    assert sealed["study"]["conditions"][0]["id"] == "fast"
    assert "join_key" not in content.text and "counts" not in content.text
    assert "prompt:brief_create_new" in sealed["files"] and "preset:sketch_create_new" in sealed["files"]
    assert sealed["services"]["chat"] == "openai/gpt-4o"
    assert any(name.startswith("checkpoint:") for name in sealed["models"])
    assert "checkpoint:revAnimated_v122" in sealed["models"]


def test_an_edited_prompt_is_named_and_its_return_ends_the_drift(freezer: tuple[Server, Path]) -> None:
    server, settings = freezer
    study, file = _frozen(server), settings / "prompts" / "brief_create_new.toml"
    before = file.read_text("utf-8")

    file.write_text(before.replace('purpose = "', 'purpose = "Now: '), "utf-8")

    until(lambda: _drift(server, study)["differences"])
    [found] = _drift(server, study)["differences"]
    assert (found["what"], found["name"]) == ("prompt", "brief_create_new")
    assert found["sealed"] != found["now"]
    file.write_text(before, "utf-8")
    until(lambda: not _drift(server, study)["differences"])


def test_another_chat_model_is_named_by_another_server_on_the_same_data(serve: Serve, freezer: Any) -> None:
    server, settings = freezer
    study = _frozen(server)

    other = serve(SETTINGS_DIR=str(settings), OPENAI_MODEL="gpt-9")

    assert _drift(other, study)["differences"] == [
        {"what": "service", "name": "chat", "sealed": "openai/gpt-4o", "now": "openai/gpt-9"}
    ]


def test_a_study_that_is_not_frozen_has_no_drift(server: Server) -> None:
    assert _drift(server, _made(server)) == {"is_frozen": False, "hash": None, "differences": [], "unknown": []}


def test_models_whose_hash_no_webui_knows_are_told(
    freezer: tuple[Server, Path], webuis: tuple[StandIn, StandIn]
) -> None:
    server, _ = freezer
    assert "checkpoint:revAnimated_v122" in _drift(server, _frozen(server))["unknown"]
