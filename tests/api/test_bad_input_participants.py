"""/timeRecord, /paint/start and /paint/save refuse what does not fit: they name the field, and nothing is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.answers import counts, failure_of
from tests.api.server import Server

pytestmark = pytest.mark.api

HUGE = 10**30
STAGE = "草图的环境"


def _refused(server: Server, path: str, wanted: dict[str, Any], status: int = 422) -> str:
    before = counts(server)
    message = failure_of(server.post(path, {"username": "who was refused", **wanted}), status)
    assert counts(server) == before
    return message


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"username": 7}, "username"),
        ({"username": None}, "username"),
        ({"username": "P" * 257}, "username"),
        ({"stageSwitchRecords": []}, "stageSwitchRecords"),
        ({"stageSwitchRecords": {STAGE: None}}, "stageSwitchRecords"),
        ({"stageSwitchRecords": {STAGE: {}}}, "stageSwitchRecords"),
        ({"stageSwitchRecords": {STAGE: [None]}}, "stageSwitchRecords"),
        ({"stageSwitchRecords": {STAGE: [{}]}}, "startTime"),
        ({"stageSwitchRecords": {STAGE: [{"startTime": "now"}]}}, "startTime"),
        ({"stageSwitchRecords": {STAGE: [{"startTime": None}]}}, "startTime"),
        ({"stageSwitchRecords": {STAGE: [{"startTime": -(2**53)}]}}, "startTime"),
        ({"stageSwitchRecords": {STAGE: [{"startTime": HUGE}]}}, "startTime"),
        ({"stageSwitchRecords": {STAGE: [{"startTime": 1, "duration": "long"}]}}, "duration"),
        ({"stageSwitchRecords": {STAGE: [{"startTime": 1, "duration": HUGE}]}}, "duration"),
        ({"stageSwitchRecords": {"s" * 101: []}}, "stageSwitchRecords"),
        ({"stageSwitchRecords": {STAGE: [{"startTime": 1}] * 10_001}}, "stageSwitchRecords"),
        ({"aiStageSwitchRecords": []}, "aiStageSwitchRecords"),
        ({"aiStageSwitchRecords": {STAGE: [{"startTime": HUGE}]}}, "startTime"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_times_that_do_not_fit_are_refused(server: Server, wanted: dict[str, Any], named: str) -> None:
    assert named in _refused(server, "/timeRecord", wanted)


@pytest.mark.parametrize("username", [7, [], {}, True, "P" * 257])
@pytest.mark.parametrize("path", ["/paint/start", "/paint/save"])
def test_a_user_name_that_does_not_fit_is_refused(server: Server, path: str, username: object) -> None:
    assert "username" in _refused(server, path, {"username": username, "data": {}})


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (None, "data"),
        ([], "data"),
        ("text", "data"),
        ({"designSchemes": None}, "data.designSchemes"),
        ({"designSchemes": []}, "data.designSchemes"),
        ({"designSchemes": {STAGE: None}}, f"data.designSchemes.{STAGE}"),
        ({"designSchemes": {STAGE: {}}}, f"data.designSchemes.{STAGE}"),
        ({"designTask": None}, "data.designTask"),
        ({"designTask": 7}, "data.designTask"),
        ({"designTask": "长" * 10_001}, "data.designTask"),
        ({"currentStage": 7}, "data.currentStage"),
        ({"currentStage": "s" * 101}, "data.currentStage"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_workspace_that_does_not_fit_is_refused(server: Server, data: object, named: str) -> None:
    assert _refused(server, "/paint/save", {"data": data}).startswith(named)


def test_a_save_without_its_workspace_is_refused(server: Server) -> None:
    assert _refused(server, "/paint/save", {}).startswith("data")


@pytest.mark.parametrize(
    "scheme",
    [{"deep": [[[[[[]]]]]]}, {"number": HUGE}, {"number": 1e308}, "text", 7, None, {"": ""}, {"$set": {"a.b": 1}}],
)
def test_schemes_are_kept_whatever_they_hold(server: Server, scheme: object) -> None:
    username = f"schemes {scheme!r}"[:200]
    saved = server.post("/paint/save", {"username": username, "data": {"designSchemes": {STAGE: [scheme]}}})
    assert saved.status_code == 200

    assert server.post("/paint/start", {"username": username}).json()["data"]["sketchSchemes"] == [scheme]
