"""What /api/generations refuses: by name, in a sentence, and without a trace."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from store.ids import new_id
from tests.api.answers import REFUSED_LEAVES_ALONE, counts, failure_of
from tests.api.front_end import BUTTONS, TASK
from tests.api.pictures import UNUSABLE
from tests.api.server import Server
from tests.api.submitting import made, wanted
from tests.stand_ins import picture

pytestmark = pytest.mark.api

PATH = "/api/generations"
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"operation": "sketch"}, "operation"),
    ({"operation": "生成全新草图"}, "operation"),
    ({"operation": None}, "operation"),
    ({"task": ""}, "task"),
    ({"task": " \n"}, "task"),
    ({"task": 7}, "task"),
    ({"task": "x" * 10_001}, "task"),
    ({"num": 0}, "num"),
    ({"num": 9}, "num"),
    ({"num": -1}, "num"),
    ({"num": "2"}, "num"),
    ({"num": 1.5}, "num"),
    ({"num": True}, "num"),
    ({"texts": "轻便"}, "texts"),
    ({"texts": [7]}, "texts"),
    ({"texts": ["x"] * 201}, "texts"),
    ({"images": "x"}, "images"),
    ({"images": [None]}, "images"),
    ({"images": ["x"] * 9}, "images"),
    ({"images": ["http://elsewhere.example/x.png"]}, "images.0"),
    ({"images": ["no picture"]}, "images.0"),
    ({"seed": -1}, "seed"),
    ({"seed": 2**32}, "seed"),
    ({"seed": "7"}, "seed"),
    ({"stage": "sketches"}, "stage"),
    ({"username": 7}, "username"),
    ({"username": "x" * 257}, "username"),
    ({"designTask": TASK}, "designTask"),
    ({"imageFormat": "url"}, "imageFormat"),
    ({"currentNum": 3, "Seed": 7}, "Seed"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG, ids=lambda value: str(value)[:40])
def test_what_does_not_fit_is_refused_by_its_name(server: Server, changes: dict[str, Any], field: str) -> None:
    before = counts(server, REFUSED_LEAVES_ALONE)

    answer = server.post(PATH, wanted(**changes))

    assert field in failure_of(answer, 422)
    assert counts(server, REFUSED_LEAVES_ALONE) == before


@pytest.mark.parametrize("key", ["operation", "task"])
def test_a_key_that_is_missing_is_named(server: Server, key: str) -> None:
    body = wanted()
    del body[key]

    assert f"{key}: " in failure_of(server.post(PATH, body), 422)


def test_an_unknown_operation_is_told_which_there_are(server: Server) -> None:
    message = failure_of(server.post(PATH, wanted("sketch.paint")), 422)

    assert all(name in message for name in BUTTONS)


@pytest.mark.parametrize(
    ("operation", "given", "field"),
    [
        ("brief.extend", {}, "texts"),
        ("sketch.extend", {"texts": ["轻便"]}, "images"),
        ("sketch.transform", {"texts": []}, "images"),
        ("model.multi_view", {}, "images"),
        ("model.transform", {}, "images"),
        ("rendering.extend", {}, "images"),
        ("rendering.transform", {}, "images"),
    ],
)
def test_what_an_operation_needs_is_named(server: Server, operation: str, given: dict[str, Any], field: str) -> None:
    before = counts(server)

    message = failure_of(server.post(PATH, wanted(operation, **given)), 422)

    assert message.startswith(f"{field}: {operation} works on ")
    assert counts(server) == before


def test_a_stage_on_which_an_operation_cannot_work_is_refused(server: Server) -> None:
    body = wanted("model.transform", images=[server.uploaded(picture())], stage="brief")

    assert failure_of(server.post(PATH, body), 422).startswith("stage: model.transform works on")


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_picture_that_is_of_no_use_is_refused(server: Server, kind: str) -> None:
    body = wanted("sketch.extend", images=[base64.b64encode(UNUSABLE[kind]).decode()])

    assert "images.0" in failure_of(server.post(PATH, body), 422)


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", {"Content-Type": "application/json"}, 400),
        (b"{", {"Content-Type": "application/json"}, 400),
        (b"[]", {"Content-Type": "application/json"}, 422),
        (b"null", {"Content-Type": "application/json"}, 422),
        (b'{"operation": "\\ud800"}', {"Content-Type": "application/json"}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {}, 415),
    ],
)
def test_a_body_that_is_none_is_refused(server: Server, content: bytes, headers: dict[str, str], status: int) -> None:
    failure_of(server.call("POST", PATH, data=content, headers=headers), status)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    answer = server.call(method, PATH)

    failure_of(answer, 405)
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": "7"}, "seed"),
        ({"num": 0}, "num"),
        ({"task": ""}, "task"),
        ({"checkpoint": ""}, "checkpoint"),
        ({"prompts": {"subject": "abc"}}, "prompts"),
        ({"prompts": {"no such prompt": "current"}}, "no such prompt"),
        ({"presets": {"sketch_create_new": "0" * 64}}, "0" * 64),
        ({"presets": ["x"]}, "presets"),
        ({"operation": "sketch.extend"}, "operation"),
    ],
)
def test_an_override_that_is_of_no_use_is_refused_by_name(
    server: Server, overrides: dict[str, Any], field: str
) -> None:
    job = made(server)
    before = counts(server, REFUSED_LEAVES_ALONE)

    answer = server.post(f"{PATH}/{job['id']}/rerun", overrides)

    assert field in failure_of(answer, 422)
    assert counts(server, REFUSED_LEAVES_ALONE) == before


def test_an_unknown_generation_cannot_be_run_once_more(server: Server) -> None:
    failure_of(server.call("POST", f"{PATH}/{new_id()}/rerun"), 404)
