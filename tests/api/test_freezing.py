"""Freezing a study: what is sealed, what counts as drift, and what becomes of generations then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps import freezing
from apps.sealing import hash_of
from tests.api.answers import data_of, failure_of
from tests.api.records import until
from tests.api.server import Server
from tests.api.submitting import wanted
from tests.stand_ins import StandIn

pytestmark = pytest.mark.api

Serve = Callable[..., Server]
PATH = "/api/studies"
CONDITIONS = [{"id": "fast", "name": "Fast"}, {"id": "slow", "name": "Slow", "checkpoint": "revAnimated_v122"}]
ROOT = Path(__file__).parent.parent.parent


def _made(server: Server, **more: Any) -> dict[str, Any]:
    wish = {"name": "Waiting", "task": "lamp", "conditions": CONDITIONS}
    found: dict[str, Any] = data_of(server.post(PATH, {**wish, **more}))
    return found


@pytest.fixture
def freezer(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Server, Path]:
    """Run a server on a copy of the settings, which compares what is sealed at every look."""
    monkeypatch.setattr(freezing, "FRESH_S", 0.0)
    shutil.copytree(ROOT / "settings", tmp_path / "settings")
    return serve(SETTINGS_DIR=str(tmp_path / "settings"), SETTINGS_RELOAD=True), tmp_path / "settings"


def _renamed(server: Server, study: dict[str, Any]) -> Any:
    return server.call("PATCH", f"{PATH}/{study['id']}", json={"revision": study["revision"], "name": "new"})


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

    assert "copy it" in failure_of(_renamed(server, study), 409)
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


@pytest.mark.parametrize(("policy", "status"), [("refuse", 409), ("record", 200)])
def test_a_generation_of_a_study_that_drifted_is_refused_or_marked(
    freezer: tuple[Server, Path], policy: str, status: int
) -> None:
    server, settings = freezer
    study = _made(server, drift_policy=policy, conditions=[{"id": "a", "name": "A"}])
    data_of(server.post(f"{PATH}/{study['id']}/freeze", {}))
    data_of(server.post(f"{PATH}/{study['id']}/state", {"state": "open"}))
    joined = server.post(study["join_url"].replace("/join/", "/api/join/"), {"consent": True}).json()["data"]
    wish = wanted("brief.create_new", username=joined["code"])
    before = server.post("/api/generations", wish, headers={"Prefer": "wait=20"})
    file = settings / "prompts" / "brief_create_new.toml"
    file.write_text(file.read_text("utf-8").replace('purpose = "', 'purpose = "Now: '), "utf-8")
    until(lambda: _drift(server, study)["differences"])

    answer = server.post("/api/generations", wish, headers={"Prefer": "wait=20"})

    assert answer.status_code == status
    if status == 409:
        assert "prompt brief_create_new" in failure_of(answer, 409)
    drifts = [server.stores.generations.get(one.json()["data"]["id"]) for one in (before, answer) if one.ok]
    assert [record and record.drift for record in drifts] == ([False] if status == 409 else [False, True])


def test_a_study_that_is_not_frozen_has_no_drift(server: Server) -> None:
    assert _drift(server, _made(server)) == {"is_frozen": False, "hash": None, "differences": [], "unknown": []}


def test_models_whose_hash_no_webui_knows_are_told(
    freezer: tuple[Server, Path], webuis: tuple[StandIn, StandIn]
) -> None:
    server, _ = freezer
    assert "checkpoint:revAnimated_v122" in _drift(server, _frozen(server))["unknown"]
