"""Erasing a participant over HTTP and by command: nothing of theirs is left, nothing of others' is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store.connection import StoreConfig
from store.receipts import hash_of
from store.schema import INDEX_BUILDS, RECEIPTS, SCHEMA_VERSIONS
from store.stores import Stores, open_stores
from tests.api.answers import data_of, failure_of
from tests.api.replaying import replayed
from tests.api.server import Server
from tests.api.submitting import ended, made, submitted
from tests.api.test_sessions import joined, study
from tests.stand_ins import StandIn, picture

pytestmark = pytest.mark.api

Serve = Callable[..., Server]
ROOT = Path(__file__).parents[2]
STEPS = (
    "name",
    "plan",
    "records",
    "generations",
    "events",
    "marks",
    "contents",
    "content",
    "participant",
    "scan",
    "receipt",
)


class BrokenOffError(Exception):
    """Stands for a process that was killed."""


def _sha(url: str) -> str:
    return url.rsplit("/", 1)[1].partition(".")[0]


def _worked(server: Server, name: str, url: str) -> tuple[str, list[str]]:
    """Let a participant do a little of everything; give the pseudonym and the pictures that were made."""
    job = made(server, username=name, task=f"a lamp for {name}", images=[url])
    session = data_of(server.post("/api/sessions", {"username": name}))["session"]
    event = {"id": f"e-{name}", "verb": "picture.upload", "page_id": "x", "client_at_ms": 1, "client_seq": 1}
    told = {"username": name, "events": [{**event, "outputs": [_sha(url)]}]}
    data_of(server.post(f"/api/sessions/{session['id']}/events", told))
    participant = server.stores.participants.find(name)
    assert participant is not None
    pictures = [one["url"] for one in job["outputs"] if one.get("url")]
    assert pictures
    server.get(f"{pictures[0]}?size=64")
    return participant.id, [_sha(one) for one in pictures]


def _erase(server: Server, participant_id: str) -> dict[str, Any]:
    path = f"/api/research/participants/{participant_id}/erase"
    receipt: dict[str, Any] = data_of(server.post(path, {"confirm": participant_id}))
    return receipt


def _all_text(stores: Stores) -> str:
    names = set(SCHEMA_VERSIONS) - {RECEIPTS, INDEX_BUILDS}
    return repr([list(stores.database.collection(name).find({})) for name in sorted(names)])


def test_nothing_of_the_participant_is_left_and_what_others_use_stays(serve: Serve) -> None:
    server = serve()
    shared, own = server.uploaded(picture(64, 48)), server.uploaded(picture(40, 56))
    anna, of_anna = _worked(server, "anna", shared)
    made(server, username="anna", task="a lamp for anna", images=[own])
    ben, of_ben = _worked(server, "ben", shared)

    receipt = _erase(server, anna)

    left = _all_text(server.stores)
    alone = set(of_anna) - set(of_ben)
    assert anna not in left and "'anna'" not in left and "e-anna" not in left and _sha(own) not in left
    assert not [sha256 for sha256 in alone if sha256 in left]
    assert server.get(own).status_code == 404
    assert server.get(f"{own}?size=64").status_code == 404
    assert server.get(shared).status_code == 200
    assert all(server.stores.contents.exists(sha256) for sha256 in (_sha(shared), *of_ben))
    assert server.stores.participants.by_id(ben) is not None
    assert len(data_of(server.get("/api/generations?username=ben"))["generations"]) == 1
    assert (receipt["state"], receipt["left"]) == ("done", {})
    assert receipt["confirmed_at"] and receipt["counts"]["generations"] == 2 and receipt["counts"]["events"] == 1
    assert {*alone, _sha(own)} <= set(receipt["contents"]) and receipt["kept"] >= 1
    assert receipt["participant_hash"] == hash_of(anna) and "anna" not in repr(receipt)
    assert data_of(server.get("/api/receipts"))["receipts"] == [receipt]
    assert _erase(server, anna) == receipt


@pytest.mark.parametrize("step", STEPS)
def test_an_erasure_that_was_broken_off_is_done_again(serve: Serve, step: str) -> None:
    server = serve()
    anna, of_anna = _worked(server, "anna", server.uploaded(picture(64, 48)))
    receipt = server.stores.receipts.begin(anna, "x")

    def told(now: str) -> None:
        if now == step:
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        server.stores.erasure.erase(receipt, anna, told)
    done = _erase(server, anna)

    left = _all_text(server.stores)
    assert anna not in left and not [sha256 for sha256 in of_anna if sha256 in left]
    assert (done["id"], done["state"], done["left"]) == (receipt.id, "done", {})
    assert (done["counts"]["generations"], done["counts"]["events"]) == (1, 1)
    assert set(of_anna) <= set(done["contents"])


def test_the_name_is_somebody_new_afterwards_in_every_process(serve: Serve) -> None:
    server = serve()
    made(server, username="anna")
    uri, name = server.config.MONGO_URI.get_secret_value(), server.config.MONGO_DB
    other = open_stores(StoreConfig(uri, name))
    try:
        old = other.participants.id_of("anna")
        _erase(server, old)
        new = other.participants.id_of("anna")
        assert new != old and server.stores.participants.id_of("anna") == new
    finally:
        other.close()
    assert made(server, username="anna")["state"] == "succeeded"
    assert old not in _all_text(server.stores)


def test_what_runs_is_canceled_and_comes_to_nothing(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve()
    for webui in webuis:
        webui.close_gate()
    job = submitted(server, username="anna")
    participant = server.stores.participants.find("anna")
    assert participant is not None
    receipt = _erase(server, participant.id)
    for webui in webuis:
        webui.open_gate()

    assert receipt["left"] == {}
    failure_of(server.get(f"/api/generations/{job['id']}"), 404)
    assert ended(server, submitted(server, username="ben")["id"])["state"] == "succeeded"
    assert participant.id not in _all_text(server.stores)


def test_bytes_that_come_again_meanwhile_stay(serve: Serve) -> None:
    server = serve()
    url = server.uploaded(picture(64, 48))
    anna, _ = _worked(server, "anna", url)

    def told(step: str) -> None:
        if step == "contents":
            assert server.uploaded(picture(64, 48)) == url

    receipt = server.stores.erasure.erase(server.stores.receipts.begin(anna, "x"), anna, told)
    assert receipt.left == {} and _sha(url) not in receipt.contents
    assert server.get(url).status_code == 200


def test_exports_of_the_study_are_taken_back(serve: Serve) -> None:
    server = serve()
    anna, _ = _worked(server, "anna", server.uploaded(picture(64, 48)))
    folder = Path(server.config.DATA_DIR) / "exports"
    folder.mkdir()
    from store.exports import Export

    export = server.stores.exports.create(Export("default", "x", "host"))
    server.stores.exports.finish(export.id, size=1)
    (folder / f"{export.id}.zip").write_bytes(b"x")
    _erase(server, anna)
    assert not list(folder.iterdir())
    assert "withdrew" in failure_of(server.get(f"/api/exports/{export.id}/file"), 409)


def test_a_wrong_confirmation_or_an_unknown_participant_is_refused(server: Server) -> None:
    assert "confirm" in failure_of(server.post("/api/research/participants/x/erase", {"confirm": "y"}), 422)
    failure_of(server.post("/api/research/participants/x/erase", {"confirm": "x"}), 404)
    failure_of(server.post("/api/research/participants/x/erase", {}), 422)


def test_receipts_are_for_researchers(serve: Serve) -> None:
    server = serve(RESEARCH_LOGIN=True)
    failure_of(server.get("/api/receipts"), 401)
    failure_of(server.post("/api/research/participants/x/erase", {"confirm": "x"}), 401)


def test_the_command_erases_by_name(serve: Serve, settings: dict[str, Any], database_name: str, tmp_path: Path) -> None:
    server = serve()
    made(server, username="anna")
    own = {"MONGO_DB": database_name, "DATA_DIR": str(tmp_path)}
    environment = {**os.environ, **{name: str(value) for name, value in {**settings, **own}.items()}}
    command = [sys.executable, "-m", "flask", "--app", "app", "erase", "--yes", "--name"]

    def run(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, name], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False
        )

    done = run("anna")
    assert done.returncode == 0, done.stderr
    assert '"state": "done"' in done.stdout
    assert server.stores.participants.find("anna") is None
    assert "nobody came under this name" in run("anna").stderr


def test_a_study_s_participant_goes_with_the_replays_of_the_session(serve: Serve) -> None:
    server = serve()
    of = study(server)
    code, session_id = (found := joined(server, of))["code"], found["session"]["id"]
    job = made(server, username=code, seed=7)
    replay = replayed(server, session_id)["replay"]
    assert replay["state"] == "done"
    participant = server.stores.participants.find(code)
    assert participant is not None

    receipt = _erase(server, participant.id)

    left = _all_text(server.stores)
    assert receipt["left"] == {} and receipt["counts"]["generations"] == 2
    for name in (participant.id, code, session_id, job["id"], replay["id"]):
        assert name not in left
    late = {"id": "late", "verb": "page.close", "page_id": "x", "client_at_ms": 1, "client_seq": 1}
    refused = server.post(f"/api/sessions/{session_id}/events", {"username": code, "events": [late]})
    failure_of(refused, 404)
    assert joined(server, of)["session"]["id"] != session_id
