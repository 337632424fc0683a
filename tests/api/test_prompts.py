"""Prompts and presets on the page of their designers: looked at, tried, saved for every process, kept for ever."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.registry import PRESETS, PROMPTS
from settings.book import SettingsBook
from tests.api.answers import data_of, failure_of
from tests.api.server import Server
from tests.api.submitting import made

pytestmark = pytest.mark.api

Serve = Callable[..., Server]
SUBJECT = "/api/prompts/prompt/subject"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copy the settings, to be written into."""
    return Path(shutil.copytree(Path(__file__).parent.parent.parent / "settings", tmp_path / "settings"))


def _file(server: Server, path: str = SUBJECT) -> dict[str, Any]:
    found: dict[str, Any] = data_of(server.get(path))
    return found


def test_every_file_is_listed_with_its_purpose_and_variables(server: Server) -> None:
    files = data_of(server.get("/api/prompts"))["files"]
    names = {(one["kind"], one["name"]) for one in files}
    assert {("prompt", need.name) for need in PROMPTS} | {("preset", need.name) for need in PRESETS} <= names
    assert all(one["purpose"] and len(one["hash"]) == 64 for one in files)
    sketch = next(one for one in files if one["name"] == "sketch_create_new")
    assert "sketch.create_new" in sketch["operations"]


def test_a_file_comes_with_its_example_filled_in(server: Server) -> None:
    file = _file(server)
    assert file["source"].strip() and file["example"]
    assert all(value in file["rendered"]["prompt"] for value in file["example"].values())
    preset = _file(server, "/api/prompts/preset/sketch_create_new")
    assert "$" not in preset["rendered"]["prompt"] and preset["fields"]["steps"] >= 1


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda text: text.replace("temperature", "temperatur"), "temperatur"),
        (lambda text: text + "\nbroken = ", ""),
        (lambda text: text.replace("$task", "$tasks"), "prompt"),
    ],
)
def test_what_is_wrong_with_a_text_is_told_by_its_key(server: Server, change: Callable[[str], str], key: str) -> None:
    source = change(_file(server)["source"])
    told = data_of(server.post(f"{SUBJECT}/check", {"source": source}))
    assert any(one["key"].startswith(key) and one["message"] for one in told["problems"]), told
    assert failure_of(server.post(f"{SUBJECT}/try", {"source": source}), 422)
    assert "source" in failure_of(server.post(SUBJECT, {"source": source, "base_hash": _file(server)["hash"]}), 422)


def test_a_text_is_tried_beside_the_one_in_use(server: Server) -> None:
    file = _file(server)
    told = data_of(server.post(f"{SUBJECT}/try", {"source": file["source"].replace("$task", "$task !")}))
    assert told["current"]["rendered"] == file["rendered"]
    assert told["candidate"]["rendered"] != file["rendered"]
    assert told["current"]["answer"] and told["candidate"]["answer"]


def test_a_saved_text_is_used_by_every_process_and_the_former_one_is_kept(serve: Serve, folder: Path) -> None:
    server = serve(SETTINGS_DIR=folder)
    elsewhere = SettingsBook.load(folder, PROMPTS, PRESETS)
    before = _file(server)
    source = before["source"].replace("$task", "$task !")
    saved = data_of(server.post(SUBJECT, {"source": source, "base_hash": before["hash"], "note": "louder"}))
    assert saved["hash"] != before["hash"] and saved["source"] == source
    assert (folder / "prompts" / "subject.toml").read_text("utf-8") == source
    until = time.monotonic() + 5
    while elsewhere.prompt("subject").hash != saved["hash"]:
        assert time.monotonic() < until
    versions = {one["hash"]: one for one in _file(server)["versions"]}
    assert versions[saved["hash"]]["note"] == "louder"
    assert data_of(server.get(f"/api/prompts/versions/{before['hash']}"))["source"] == before["source"]
    job = made(server, task="a new kind of lamp")
    assert saved["hash"] in str(job["steps"])


def test_who_saves_over_another_ones_change_is_stopped(serve: Serve, folder: Path) -> None:
    server = serve(SETTINGS_DIR=folder)
    before = _file(server)
    body = {"source": before["source"].replace("$task", "$task !"), "base_hash": before["hash"]}
    assert server.post(SUBJECT, body).status_code == 200
    assert "somebody else" in failure_of(server.post(SUBJECT, {**body, "source": before["source"]}), 409)


def test_what_was_edited_by_hand_is_not_written_over(serve: Serve, folder: Path) -> None:
    server = serve(SETTINGS_DIR=folder)
    before, path = _file(server), folder / "prompts" / "subject.toml"
    by_hand = before["source"].replace("$task", "$task by hand")
    path.write_text(by_hand, "utf-8")
    body = {"source": before["source"].replace("$task", "$task !"), "base_hash": before["hash"]}
    assert "somebody else" in failure_of(server.post(SUBJECT, body), 409)
    assert path.read_text("utf-8") == by_hand


def test_saving_can_be_switched_off(serve: Serve, folder: Path) -> None:
    server = serve(SETTINGS_DIR=folder, PROMPTS_EDITABLE=False)
    before = _file(server)
    assert before["is_editable"] is False
    body = {"source": before["source"], "base_hash": before["hash"]}
    assert "PROMPTS_EDITABLE" in failure_of(server.post(SUBJECT, body), 403)


@pytest.mark.parametrize(
    "path", ["/api/prompts/prompt/nothing", "/api/prompts/poem/subject", f"/api/prompts/versions/{'0' * 64}"]
)
def test_what_is_not_there_is_said(server: Server, path: str) -> None:
    failure_of(server.get(path), 404)


def test_only_researchers_get_in(serve: Serve) -> None:
    failure_of(serve(RESEARCH_LOGIN=True).get("/api/prompts"), 401)
