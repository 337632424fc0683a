"""Exports over HTTP and by command, and imports: what is told on the way, what is in the file, what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.research import export_runs
from store.exports import LOST_AFTER_S, Export
from store.ids import new_id
from store.studies import Condition
from tests.api.answers import data_of, failure_of
from tests.api.exporting import asked_for, ended, exported, fetched
from tests.api.server import Server
from tests.api.submitting import made
from tests.api.test_sessions import joined, study
from tests.stores import opened_stores
from tests.study_records import STUDY, small_study

pytestmark = pytest.mark.api

ROOT = Path(__file__).parents[2]
Serve = Callable[..., Server]


@pytest.fixture
def environment(settings: dict[str, Any], database_name: str, tmp_path: Path) -> dict[str, str]:
    """Say to a command what the servers of the test are told."""
    own = {"MONGO_DB": database_name, "DATA_DIR": str(tmp_path)}
    return {**os.environ, **{name: str(value) for name, value in {**settings, **own}.items()}}


def command(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of our commands in a process of its own."""
    line = [sys.executable, "-m", "flask", "--app", "app", *arguments]
    return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False)


def test_an_export_is_watched_and_its_file_fetched(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    small_study(server.stores)

    asked = asked_for(server, STUDY)
    done = ended(server, asked["id"])
    path = fetched(server, done, tmp_path / "fetched.zip")

    assert (asked["state"], asked["file_url"], done["state"], done["progress"]) == ("queued", None, "done", 1.0)
    assert (done["requested_by"], done["under_way"], done["pictures"], done["error"]) == ("local", 1, 7, "")
    assert done["bytes"] == path.stat().st_size
    assert done["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert zipfile.ZipFile(path).testzip() is None
    listed = data_of(server.get(f"/api/studies/{STUDY}/exports"))["exports"]
    assert listed == [done]


def test_a_download_can_be_resumed(serve: Serve) -> None:
    server = serve()
    small_study(server.stores)
    done = exported(server, STUDY)

    whole = server.get(done["file_url"])
    rest = server.get(done["file_url"], headers={"Range": "bytes=1000-", "If-Range": whole.headers["ETag"]})

    assert whole.headers["Content-Type"] == "application/zip"
    assert f"filename=study-{STUDY}-" in whole.headers["Content-Disposition"]
    assert (rest.status_code, rest.content) == (206, whole.content[1000:])


def test_generations_of_a_server_are_in_the_export_of_the_default_study(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    job = made(server, "sketch.create_new")
    record = server.stores.generations.get(job["id"])
    assert record is not None
    server.stores.studies.default()
    server.stores.sessions.of_nobody_else(record.participant_id)

    path = fetched(server, exported(server, "default"), tmp_path / "default.zip")

    with zipfile.ZipFile(path) as opened:
        records = opened.read("records/generations.jsonl").decode()
        pictures = [name for name in opened.namelist() if name.startswith("images/")]
    assert records.count("\n") == 1
    assert job["id"] in records
    assert len(pictures) >= len(job["outputs"])


def test_of_two_who_ask_at_once_the_second_gets_the_first_ones_export(serve: Serve) -> None:
    server = serve()
    small_study(server.stores)
    with export_runs.TURN:
        first, second = asked_for(server, STUDY), asked_for(server, STUDY)
        refused = server.get(f"/api/exports/{first['id']}/file")

    assert first["id"] == second["id"]
    assert "not done yet" in failure_of(refused, 409)
    assert ended(server, first["id"])["state"] == "done"


def test_an_export_whose_process_was_killed_is_found_failed_and_can_be_asked_for_again(serve: Serve) -> None:
    server = serve()
    small_study(server.stores)
    lost = server.stores.exports.create(Export(STUDY, "anna", "host"))
    long_ago = server.stores.database.ago(LOST_AFTER_S + 1)
    server.stores.database.collection("exports").update_one({"_id": lost.id}, {"$set": {"beat_at": long_ago}})

    told = data_of(server.get(f"/api/exports/{lost.id}"))

    assert told["state"] == "failed"
    assert "start another one" in told["error"]
    assert exported(server, STUDY)["id"] != lost.id


def test_an_export_with_a_picture_that_is_gone_fails_and_says_which(serve: Serve) -> None:
    server = serve()
    maker = small_study(server.stores)
    [picture, *_] = [one["outputs"][0]["image_id"] for one in _generations(server) if one["outputs"]]
    server.stores.database.collection("contents").delete_one({"_id": picture})

    failed = ended(server, asked_for(server, maker.study_id)["id"])

    assert failed["state"] == "failed"
    assert picture in failed["error"]
    assert failed["file_url"] is None
    assert failed["error"] in failure_of(server.get(f"/api/exports/{failed['id']}/file"), 409)


def test_an_export_with_a_picture_that_is_not_itself_fails(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    maker = small_study(server.stores)
    [picture, *_] = [one["outputs"][0]["image_id"] for one in _generations(server) if one["outputs"]]
    kept = server.stores.contents.get(picture)
    assert kept is not None
    wrong = kept.data[:-1] + b"x"
    server.stores.database.collection("contents").update_one({"_id": picture}, {"$set": {"content": wrong}})

    failed = ended(server, asked_for(server, maker.study_id)["id"])

    assert (failed["state"], picture in failed["error"]) == ("failed", True)
    assert list((tmp_path / "exports").iterdir()) == []


def test_an_export_that_was_taken_back_is_not_given_out(serve: Serve) -> None:
    server = serve()
    small_study(server.stores)
    done = exported(server, STUDY)

    assert server.stores.exports.withdraw(STUDY, "a participant withdrew; export again") == 1

    assert "a participant withdrew" in failure_of(server.get(f"/api/exports/{done['id']}/file"), 409)
    exported(server, STUDY)
    assert not list(Path(server.config.DATA_DIR, "exports").glob(f"{done['id']}*"))


@pytest.mark.parametrize("path", ["/api/exports/none", "/api/exports/none/file", "/api/studies/none/exports"])
def test_what_is_not_there_is_told(server: Server, path: str) -> None:
    assert "'none'" in failure_of(server.get(path), 404)


def test_an_export_of_no_study_is_refused(server: Server) -> None:
    assert "'none'" in failure_of(server.post("/api/studies/none/exports", {}), 404)


def test_an_export_needs_a_researcher(serve: Serve) -> None:
    server = serve(RESEARCH_LOGIN=True)

    for path in ("/api/exports/none", "/api/exports/none/file", "/api/studies/default/exports"):
        failure_of(server.get(path), 401)
    failure_of(server.post("/api/studies/default/exports", {}), 401)


def test_commands_export_and_import_and_the_files_are_equal(
    environment: dict[str, str], mongo_uri: str, tmp_path: Path
) -> None:
    with opened_stores(mongo_uri, environment["MONGO_DB"]) as stores:
        small_study(stores)
    other = {**environment, "MONGO_DB": f"test_{new_id().lower()}"}
    one, two = tmp_path / "out" / "one.zip", tmp_path / "two.zip"

    wrote = command(environment, "export", "--study", STUDY, "--out", str(one))
    read = command(other, "import", str(one))
    again = command(other, "export", "--study", STUDY, "--out", str(two))

    assert (wrote.returncode, read.returncode, again.returncode) == (0, 0, 0), (wrote, read, again)
    assert "7 pictures, checked" in wrote.stdout
    assert "are not in it: 1;" in wrote.stdout
    assert f"study {STUDY}: " in read.stdout
    assert one.read_bytes() == two.read_bytes()
    assert "has a study already" in command(other, "import", str(one)).stderr


def test_an_import_refuses_what_is_damaged_and_leaves_nothing_behind(
    environment: dict[str, str], mongo_uri: str, tmp_path: Path
) -> None:
    with opened_stores(mongo_uri, environment["MONGO_DB"]) as stores:
        small_study(stores)
    path, broken = tmp_path / "one.zip", tmp_path / "broken.zip"
    assert command(environment, "export", "--study", STUDY, "--out", str(path)).returncode == 0
    content = bytearray(path.read_bytes())
    content[300] ^= 1
    broken.write_bytes(bytes(content))
    other = {**environment, "MONGO_DB": f"test_{new_id().lower()}"}

    refused = command(other, "import", str(broken))

    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert "is broken" in refused.stderr or "not what the manifest says" in refused.stderr
    with opened_stores(mongo_uri, other["MONGO_DB"]) as stores:
        assert stores.database.collection("contents").count_documents({}) == 0
    assert "there is no file" in command(other, "import", str(tmp_path / "none.zip")).stderr
    assert "is no ZIP" in command(other, "import", str(ROOT / "app.py")).stderr
    assert "there is no study 'none'" in command(other, "export", "--study", "none", "--out", str(path)).stderr


def test_an_import_that_was_killed_is_started_again(
    environment: dict[str, str], mongo_uri: str, tmp_path: Path
) -> None:
    with opened_stores(mongo_uri, environment["MONGO_DB"]) as stores:
        small_study(stores)
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    assert command(environment, "export", "--study", STUDY, "--out", str(one)).returncode == 0
    other = {**environment, "MONGO_DB": f"test_{new_id().lower()}"}
    line = [sys.executable, "-m", "flask", "--app", "app", "import", str(one)]
    with opened_stores(mongo_uri, other["MONGO_DB"]) as stores:
        with subprocess.Popen(line, cwd=ROOT, env=other, stdout=subprocess.DEVNULL) as process:
            end = time.monotonic() + 60
            while not stores.database.collection("contents").count_documents({}) and process.poll() is None:
                assert time.monotonic() < end
            process.send_signal(signal.SIGKILL)

        assert command(other, "import", str(one)).returncode in (0, 1)
        assert stores.studies.get(STUDY) is not None
    assert command(other, "export", "--study", STUDY, "--out", str(two)).returncode == 0
    assert one.read_bytes() == two.read_bytes()


def test_a_message_of_an_export_holds_for_a_day(server: Server) -> None:
    old = Export("s", "anna", "host", state="done")
    kept = server.stores.exports.create(replace(old, created_at=old.created_at - timedelta(days=1)))

    assert "not on this host, but on host" in failure_of(server.get(f"/api/exports/{kept.id}/file"), 404)


def _generations(server: Server) -> list[dict[str, Any]]:
    return list(server.stores.database.collection("generations").find())


def test_the_seal_of_a_frozen_study_goes_with_it(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    of = study(server, Condition(id="a", name="A"))
    joined(server, of)
    data_of(server.post(f"/api/studies/{of.id}/freeze", {}))

    path = fetched(server, exported(server, of.id), tmp_path / "frozen.zip")

    sealed = server.stores.studies.get(of.id)
    assert sealed is not None and sealed.seal is not None
    with zipfile.ZipFile(path) as opened:
        assert json.loads(opened.read("manifest.json"))["seal"]["hash"] == sealed.seal.hash
        contents = [json.loads(line) for line in opened.read("records/contents.jsonl").decode().splitlines()]
        assert sealed.seal.hash in opened.read("METHODS.md").decode()
    [text] = [one["text"] for one in contents if one["_id"] == sealed.seal.content_sha256]
    assert json.loads(text)
