"""Rules that hold for every route: POST changes, GET only reads, and one shape for what nobody foresaw."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from apps.factory import create_app
from apps.services import Services
from config import APP_ID_STEPIDEATOR
from jobs.run import Run
from jobs.service import Jobs
from jobs.submission import Product
from store.documents import GenerationInputs, GenerationRecord
from store.ids import new_id
from store.replays import Replay
from store.studies import Condition, Study
from tests.api.answers import counts, data_of, failure_of
from tests.api.exporting import exported
from tests.api.front_end import BUTTONS, body
from tests.api.server import Server, serving
from tests.api.submitting import job_in, made, wanted
from tests.stand_ins import picture

pytestmark = pytest.mark.api

BOTH = {"system.ping"}
"""The view that takes both methods, as the contract wants; it changes nothing."""

NOT_KEPT = {"/api/pool", "/api/login", "/api/logout"}
"""Change what is in memory only, or in the caller's cookie; test_pool.py and test_access.py see to it."""

SEEN_TO_ELSEWHERE = {
    "/api/prompts/<kind>/<setting>",
    "/api/prompts/<kind>/<setting>/check",
    "/api/prompts/<kind>/<setting>/try",
    "/api/join/<join_key>",
    "/api/sessions",
    "/api/sessions/<session_id>/events",
    "/api/sessions/<session_id>/end",
    "/api/research/sessions/<session_id>/replays",
    "/api/replays/<replay_id>/cancel",
    "/api/replays/<replay_id>/resume",
    "/api/studies/<study_id>/exports",
    "/api/research/participants/<participant_id>/erase",
    "/api/studies/<study_id>/state",
    "/api/studies/<study_id>/freeze",
}
"""Change what has tests of its own: test_sessions.py, test_studies.py, test_replays.py, test_exports.py,
test_prompts.py, test_erasure.py."""

POSTS: dict[str, Callable[[], dict[str, Any]]] = {
    "/generate": lambda: body("brief.create_new"),
    "/api/generations": lambda: wanted("brief.create_new"),
    "/api/generations/<generation_id>/cancel": dict,
    "/api/generations/<generation_id>/rerun": dict,
    "/upload": lambda: {"image": base64.b64encode(picture(64, 48)).decode()},
    "/uploadImage": lambda: {"image": base64.b64encode(picture(48, 64)).decode()},
    "/timeRecord": lambda: {"username": "P", "stageSwitchRecords": {}, "aiStageSwitchRecords": {}},
    "/api/studies": lambda: {"name": "s", "conditions": [{"id": "a", "name": "A"}]},
    "/paint/start": lambda: {"username": new_id()},
    "/paint/save": lambda: {"username": "P", "data": {"designTask": "t"}},
}


def _routes(server: Server, method: str) -> dict[str, str]:
    """Give the view behind each path that takes a method."""
    app = create_app(server.config, server.services)
    return {rule.rule: rule.endpoint for rule in app.url_map.iter_rules() if method in (rule.methods or ())}


def test_a_view_is_either_for_reading_or_for_changing(server: Server) -> None:
    reading = set(_routes(server, "GET").values())
    changing = {view for method in ("POST", "PUT", "PATCH", "DELETE") for view in _routes(server, method).values()}

    assert reading & changing == BOTH


def test_every_post_changes_what_is_kept(server: Server) -> None:
    paths = {path for path, view in _routes(server, "POST").items() if view not in BOTH}
    assert paths - NOT_KEPT - SEEN_TO_ELSEWHERE == POSTS.keys(), "a new POST route needs a line in POSTS"
    for path, wish in POSTS.items():
        with _something_to_change(server, path) as (real_path, states):
            before = counts(server), states()
            assert server.post(real_path, wish()).status_code in (200, 202)
            assert (counts(server), states()) != before, f"POST {path} changed nothing"


@contextmanager
def _something_to_change(server: Server, path: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Give the path with the id of a generation for which it is meant, and a way to see that one change."""
    if path.endswith("/cancel"):
        record = server.stores.generations.insert(_queued())
        yield path.replace("<generation_id>", record.id), lambda: server.stores.generations.get(record.id)
    else:
        yield path.replace("<generation_id>", made(server, "brief.create_new")["id"]), lambda: None


def _queued() -> GenerationRecord:
    # Of a runner that nobody knows and nobody has missed yet, so that it stays as it is.
    inputs = GenerationInputs(task="t")
    return GenerationRecord(
        app_id=1, participant_id="P", operation="brief.create_new", inputs=inputs, owner="elsewhere"
    )


def test_every_get_changes_nothing(server: Server) -> None:
    name, job = server.uploaded(picture()).rpartition("/")[2], made(server, "brief.create_new")
    parts = {"<name>": name, "<path:name>": "rapidoc-min.js", "<generation_id>": job["id"]}
    parts |= {"<join_key>": _study(server).join_key, "<page>": "index", "<path:file_name>": "shared/api.js"}
    parts |= {"<study_id>": server.stores.studies.default().id, "<export_id>": exported(server, "default")["id"]}
    parts |= {"<kind>": "prompt", "<setting>": "subject", "<version_hash>": _used_in(job)}
    parts |= {"<session_id>": job["participant_id"], "<replay_id>": _replayed(server).id}
    server.stores.sessions.of_nobody_else(job["participant_id"])
    before = counts(server)
    for rule in _routes(server, "GET"):
        path = rule
        for part, value in parts.items():
            path = path.replace(part, value)
        # Only what has no end is left unread: the tests' server leaves a file open whose reader goes away.
        assert server.get(path, stream=path.endswith("/live")).status_code in (200, 302), path
    assert counts(server) == before


def _used_in(job: dict[str, Any]) -> str:
    return str(next(step["details"]["template_hash"] for step in job["steps"] if "template_hash" in step["details"]))


def _study(server: Server) -> Study:
    return server.stores.studies.create(Study(name="any", conditions=(Condition(id="a", name="A"),)))


def _replayed(server: Server) -> Replay:
    asked = Replay("s", "default", "p", "anna", "{}", at_once=1, total=0)
    return server.stores.replays.create(asked, ["of nobody"])


def test_every_operation_is_listed_with_the_front_ends_pair(server: Server) -> None:
    listed = data_of(server.get("/api/operations"))

    assert {(row["aiStage"], row["buttonText"]): row["name"] for row in listed} == {
        (button.ai_stage, button.text): name for name, button in BUTTONS.items()
    }
    assert {row["representation"] for row in listed} == {"brief", "sketch", "model", "rendering"}
    assert all(row["summary"] for row in listed)


def _broken(_run: Run) -> list[Product]:
    raise ZeroDivisionError("password=inside")


def _with_a_broken_operation(services: Services) -> Services:
    functions = {(APP_ID_STEPIDEATOR, name): _broken for name in BUTTONS}
    return replace(services, jobs=Jobs(services.parts, functions, services.host, services.ledger))


@pytest.fixture
def broken(settings: dict[str, Any]) -> Iterator[Server]:
    """Run a server whose operations meet an error that nobody foresaw."""
    own = {**settings, "MONGO_DB": f"test_{new_id().lower()}", "LOG_LEVEL": "ERROR"}
    with serving(own, _with_a_broken_operation) as server:
        yield server


def test_an_error_that_nobody_foresaw_tells_nothing_of_the_inside(broken: Server) -> None:
    answer = broken.post("/generate", body("brief.create_new"), headers={"X-Request-ID": "find-me-7"})

    message = failure_of(answer, 500, code=3)
    assert message == "internal error; the log has it under request id find-me-7"


def test_a_job_that_met_an_error_that_nobody_foresaw_tells_nothing_of_the_inside(broken: Server) -> None:
    headers = {"X-Request-ID": "find-me-8", "Prefer": "wait=10"}

    answer = broken.post("/api/generations", wanted("brief.create_new"), headers=headers)

    told = {"type": "InternalError", "message": "internal error; the log has it under request id find-me-8"}
    assert (job_in(answer)["state"], job_in(answer)["error"]) == ("failed", told)
    assert "password" not in answer.text


def test_the_log_has_an_error_that_nobody_foresaw_under_its_request(
    broken: Server, caplog: pytest.LogCaptureFixture
) -> None:
    broken.post("/generate", body("brief.create_new"))

    assert "ZeroDivisionError: password=inside" in caplog.text


@pytest.mark.parametrize("asked", ["", "with blanks", "x" * 65, "line\tbreak", "<script>"])
def test_a_request_id_that_is_not_plain_is_replaced(server: Server, asked: str) -> None:
    told = server.get("/ping", headers={"X-Request-ID": asked}).headers["X-Request-ID"]

    assert told != asked
    assert len(told) == 26
