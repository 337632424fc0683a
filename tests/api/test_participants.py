"""What is kept of a participant: saved workspaces, which come back exactly, and the times in each stage."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.ids import new_id
from store.time_records import StageVisits, TimeRecord, Visit
from tests.api.answers import data_of, failure_of
from tests.api.front_end import STAGES
from tests.api.server import Server
from tests.stand_ins import picture

pytestmark = pytest.mark.api

LISTS = ("designBriefSchemes", "sketchSchemes", "modelImageSchemes", "renderingSchemes")


@pytest.fixture
def username() -> str:
    """Give a name under which nobody came yet."""
    return f"参与者 {new_id()}"


def _data_url(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _scheme(background: str = "", **more: Any) -> dict[str, Any]:
    stroke = {
        "drawMode": True,
        "strokeColor": "#000",
        "strokeWidth": 4,
        "paths": [{"x": 1.5, "y": 2}, {"x": -3, "y": 0}],
    }
    text = {"text": '续航\n"quoted" \\ 𝄞', "position": {"x": 10, "y": 20.25}}
    return {"name": "", "paths": [stroke], "texts": [text], "backgroundImageUrl": background, **more}


def _workspace(*schemes: dict[str, Any], stage: str = "草图的环境") -> dict[str, Any]:
    return {"designSchemes": {stage: list(schemes)}, "designTask": "设计一把椅子", "currentStage": stage}


def _saved(server: Server, username: str, workspace: dict[str, Any]) -> None:
    assert data_of(server.post("/paint/save", {"username": username, "data": workspace})) is None


def _started(server: Server, username: str) -> dict[str, Any]:
    started: dict[str, Any] = data_of(server.post("/paint/start", {"username": username}))
    return started


def test_a_new_participant_starts_with_empty_lists_and_the_first_stage(server: Server, username: str) -> None:
    state = _started(server, username)

    assert {name: state[name] for name in LISTS} == dict.fromkeys(LISTS, [])
    assert (state["username"], state["designTask"], state["currentStage"]) == (username, "", "设计摘要的环境")


def test_what_was_saved_comes_back_exactly_under_the_pages_own_names(server: Server, username: str) -> None:
    schemes = {stage: [_scheme(), _scheme(name=stage)] for stage in STAGES}
    _saved(server, username, {"designSchemes": schemes, "designTask": "任务 \x00 𝄞", "currentStage": "模型图的环境"})

    state = _started(server, username)

    assert [state[name] for name in LISTS] == [schemes[stage] for stage in STAGES]
    assert (state["designTask"], state["currentStage"]) == ("任务 \x00 𝄞", "模型图的环境")


@pytest.mark.parametrize(
    "picture_text",
    [
        _data_url(picture(512, 512)),
        _data_url(picture(kind="JPEG"), "jpeg"),
        _data_url(picture(kind="WEBP"), "jpeg"),
        _data_url(b"this is no picture at all" * 20),
        "data:image/png;base64," + "A" * 101,
        "data:image/svg+xml;utf8,<svg/>",
        "data:image/png;sha256," + "0" * 64,
        f"data:image/png;sha256,{hashlib.sha256(picture()).hexdigest()}",
        f"data:image/png;sha256xx,{hashlib.sha256(picture()).hexdigest()}",
    ],
    ids=["png", "jpeg", "another type", "no picture", "odd base64", "svg", "our short form", "a kept one", "escaped"],
)
def test_pictures_in_a_workspace_come_back_letter_by_letter(server: Server, username: str, picture_text: str) -> None:
    server.uploaded(picture())
    workspace = _workspace(_scheme(picture_text, canvasImage=picture_text, canvasSvg="<svg>…</svg>"))
    _saved(server, username, workspace)

    assert _started(server, username)["sketchSchemes"] == workspace["designSchemes"]["草图的环境"]


def test_the_same_drawing_is_kept_once_however_often_it_is_saved(server: Server, username: str) -> None:
    drawing = picture(512, 400)
    _saved(server, username, _workspace(_scheme(_data_url(drawing)), _scheme(_data_url(drawing))))

    state = server.stores.saved_states.load(_started(server, username)["participantId"])

    assert state is not None
    assert len(state.text) < len(_data_url(drawing)) < 100_000


def test_a_start_gives_the_newest_save(server: Server, username: str) -> None:
    for number in range(3):
        _saved(server, username, _workspace(_scheme(name=str(number))))

    assert [scheme["name"] for scheme in _started(server, username)["sketchSchemes"]] == ["2"]


def test_older_saves_stay_in_the_history(server: Server, username: str) -> None:
    for number in range(3):
        _saved(server, username, _workspace(_scheme(name=str(number))))

    now = datetime.now(UTC)
    participant = _started(server, username)["participantId"]
    history = server.stores.saved_states.history(participant, now - timedelta(minutes=5), now + timedelta(minutes=5))
    assert len(history) == 3


def test_two_participants_never_see_each_others_workspaces(server: Server, username: str) -> None:
    _saved(server, username, _workspace(_scheme(name="mine")))

    assert _started(server, f"{username} ")["sketchSchemes"] == []


def test_a_participant_keeps_the_id_over_all_calls(server: Server, username: str) -> None:
    first = _started(server, username)["participantId"]
    _saved(server, username, _workspace())

    assert _started(server, username)["participantId"] == first


def test_a_body_of_many_megabytes_is_saved_and_given_back(server: Server, username: str) -> None:
    strokes = [{"x": number, "y": number / 3} for number in range(120_000)]
    workspace = _workspace(_scheme(paths=[{"drawMode": False, "paths": strokes}]))
    _saved(server, username, workspace)

    assert _started(server, username)["sketchSchemes"] == workspace["designSchemes"]["草图的环境"]


@pytest.mark.parametrize("route", ["/paint/start", "/paint/save"])
@pytest.mark.parametrize("name", ["", "  ", None])
def test_a_workspace_needs_a_user_name(server: Server, route: str, name: str | None) -> None:
    answer = server.post(route, {"username": name, "data": _workspace()})

    assert failure_of(answer, 400) == "User name cannot be empty"


def _times(username: str, duration: int) -> dict[str, Any]:
    start = 1764000000000
    return {
        "username": username,
        "stageSwitchRecords": {
            "草图的环境": [{"startTime": start, "duration": duration}, {"startTime": start + duration}],
        },
        "aiStageSwitchRecords": {"草图的辅助生成": [{"startTime": start}], "模型图的辅助生成": []},
    }


def _kept_times(server: Server, username: str) -> tuple[TimeRecord, ...]:
    participant, now = server.stores.participants.find(username), datetime.now(UTC)
    assert participant is not None
    return server.stores.time_records.latest_per_page_load(
        participant.id, now - timedelta(minutes=5), now + timedelta(minutes=5)
    )


def test_times_are_kept_as_they_were_sent(server: Server, username: str) -> None:
    assert data_of(server.post("/timeRecord", _times(username, 61000))) is None

    [record] = _kept_times(server, username)
    first, running = Visit(1764000000000, 61000), Visit(1764000061000, None)
    assert record.stage_switches == (StageVisits("草图的环境", (first, running)),)
    assert record.ai_stage_switches == (
        StageVisits("草图的辅助生成", (Visit(1764000000000, None),)),
        StageVisits("模型图的辅助生成", ()),
    )


def test_times_of_an_odd_clock_and_further_keys_are_kept_as_they_are(server: Server, username: str) -> None:
    visit = {"startTime": 1764000000000.4, "duration": -3, "page": {"n": 1}}
    wanted = {"username": username, "stageSwitchRecords": {"草图的环境": [visit]}, "aiStageSwitchRecords": None}

    data_of(server.post("/timeRecord", wanted))

    [record] = _kept_times(server, username)
    assert record.stage_switches[0].visits == (Visit(1764000000000, -3, '{"page": {"n": 1}}'),)
    assert record.ai_stage_switches == ()


def test_a_later_report_of_the_same_page_takes_the_earlier_ones_place(server: Server, username: str) -> None:
    for duration in (1000, 2000, 3000):
        data_of(server.post("/timeRecord", _times(username, duration)))

    [record] = _kept_times(server, username)
    assert record.stage_switches[0].visits[0].duration_ms == 3000


@pytest.mark.parametrize("name", ["", "张三/李四\n"])
def test_times_without_any_switch_of_anybody_are_taken(server: Server, name: str) -> None:
    nothing = {"username": name, "stageSwitchRecords": {}, "aiStageSwitchRecords": {}}

    assert data_of(server.post("/timeRecord", nothing)) is None


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_ping_is_answered_with_the_bare_word(server: Server, method: str) -> None:
    answer = server.call(method, "/ping")

    assert (answer.status_code, answer.text) == (200, "pong")
    assert answer.headers["Content-Type"].startswith("text/html")
