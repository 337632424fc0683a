"""Rules that hold for every route: POST changes, GET only reads, and one shape for what nobody foresaw."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from apps.factory import create_app
from apps.services import Services
from config import APP_ID_STEPIDEATOR
from jobs.run import Run
from jobs.runner import Runner
from jobs.submission import Product
from store.ids import new_id
from tests.api.answers import counts, data_of, failure_of
from tests.api.front_end import BUTTONS, body
from tests.api.server import Server, serving
from tests.stand_ins import picture

pytestmark = pytest.mark.api

BOTH = {"/ping"}
"""The contract wants both methods; it changes nothing."""

POSTS: dict[str, Callable[[], dict[str, Any]]] = {
    "/generate": lambda: body("brief.create_new"),
    "/upload": lambda: {"image": base64.b64encode(picture(64, 48)).decode()},
    "/uploadImage": lambda: {"image": base64.b64encode(picture(48, 64)).decode()},
    "/timeRecord": lambda: {"username": "P", "stageSwitchRecords": {}, "aiStageSwitchRecords": {}},
    "/paint/start": lambda: {"username": new_id()},
    "/paint/save": lambda: {"username": "P", "data": {"designTask": "t"}},
}


def _routes(server: Server, method: str) -> dict[str, set[str]]:
    app = create_app(server.config, server.services)
    rules = {rule.rule: set(rule.methods or ()) - {"HEAD", "OPTIONS"} for rule in app.url_map.iter_rules()}
    return {rule: methods for rule, methods in rules.items() if method in methods}


def test_a_route_is_either_for_reading_or_for_changing(server: Server) -> None:
    reading, changing = _routes(server, "GET"), _routes(server, "POST")

    assert reading.keys() & changing.keys() == BOTH
    assert all(methods <= {"GET", "POST"} for methods in (reading | changing).values())


def test_every_post_changes_what_is_kept(server: Server) -> None:
    assert _routes(server, "POST").keys() - BOTH == POSTS.keys(), "a new POST route needs a line in POSTS"
    for path, wanted in POSTS.items():
        before = counts(server)
        assert server.post(path, wanted()).status_code == 200
        assert counts(server) != before, f"POST {path} changed nothing"


def test_every_get_changes_nothing(server: Server) -> None:
    name = server.uploaded(picture()).rpartition("/")[2]
    before = counts(server)
    for rule in _routes(server, "GET"):
        path = rule.replace("<name>", name).replace("<path:name>", "rapidoc-min.js")
        assert server.get(path).status_code in (200, 302), path
    assert counts(server) == before


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
    return replace(services, runner=Runner(services.parts, functions))


def test_an_error_that_nobody_foresaw_tells_nothing_of_the_inside(settings: dict[str, Any]) -> None:
    own = {**settings, "MONGO_DB": f"test_{new_id().lower()}", "LOG_LEVEL": "ERROR"}
    with serving(own, _with_a_broken_operation) as server:
        answer = server.post("/generate", body("brief.create_new"), headers={"X-Request-ID": "find-me-7"})

    message = failure_of(answer, 500, code=3)
    assert message == "internal error; the log has it under request id find-me-7"


@pytest.mark.parametrize("asked", ["", "with blanks", "x" * 65, "line\tbreak", "<script>"])
def test_a_request_id_that_is_not_plain_is_replaced(server: Server, asked: str) -> None:
    told = server.get("/ping", headers={"X-Request-ID": asked}).headers["X-Request-ID"]

    assert told != asked
    assert len(told) == 26
