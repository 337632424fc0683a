"""/generate refuses what does not fit: it names the field, and nothing is recorded."""

from __future__ import annotations

import base64
import socket
from typing import Any

import pytest

from tests.api.answers import KEPT, counts, failure_of
from tests.api.front_end import body
from tests.api.pictures import UNUSABLE
from tests.api.server import Server
from tests.stand_ins import picture

pytestmark = pytest.mark.api

LEFT_OUT = object()
HUGE = 10**30
UNKNOWN_HASH = "0" * 64


def _refused(server: Server, wanted: dict[str, Any], status: int = 422) -> str:
    before = counts(server)
    sent = {key: value for key, value in wanted.items() if value is not LEFT_OUT}
    message = failure_of(server.post("/generate", sent), status)
    assert counts(server) == before, f"a refused request left something: {KEPT}"
    return message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", 7),
        ("username", None),
        ("username", ["P07"]),
        ("username", {"name": "P07"}),
        ("username", "P" * 257),
        ("designTask", 7),
        ("designTask", ["设计"]),
        ("designTask", {}),
        ("designTask", "长" * 10_001),
        ("currentNum", "two"),
        ("currentNum", "1.5"),
        ("currentNum", "-1"),
        ("currentNum", 1.5),
        ("currentNum", -1),
        ("currentNum", 9),
        ("currentNum", "9" * 5000),
        ("currentNum", HUGE),
        ("currentNum", True),
        ("currentNum", [1]),
        ("currentNum", {}),
        ("currentAIStage", 1),
        ("currentStage", 1),
        ("currentStage", None),
        ("currentStage", "s" * 101),
        ("selectedTexts", "one text"),
        ("selectedTexts", {"0": "text"}),
        ("selectedTexts", [7]),
        ("selectedTexts", [None]),
        ("selectedTexts", ["t" * 10_001]),
        ("selectedTexts", ["t"] * 201),
        ("selectedCanvasRecords", "http://127.0.0.1/images/x.png"),
        ("selectedCanvasRecords", [7]),
        ("selectedCanvasRecords", [{"url": "x"}]),
        ("selectedCanvasRecords", [None] * 9),
        ("selectedButtonInfo", LEFT_OUT),
        ("selectedButtonInfo", None),
        ("selectedButtonInfo", []),
        ("selectedButtonInfo", "生成全新草图"),
        ("selectedButtonInfo", {}),
        ("selectedButtonInfo", {"buttonText": "生成全新草图"}),
        ("selectedButtonInfo", {"buttonText": 1, "aiStage": None}),
        ("selectedButtonInfo", {"buttonText": "b" * 101, "aiStage": "x"}),
        ("seed", -1),
        ("seed", 2**32),
        ("seed", HUGE),
        ("seed", "7"),
        ("seed", 1.5),
        ("seed", True),
        ("imageFormat", "jpeg"),
        ("imageFormat", None),
        ("imageFormat", 1),
    ],
)
def test_a_field_that_does_not_fit_is_named(server: Server, field: str, value: object) -> None:
    message = _refused(server, body("sketch.create_new", **{field: value}))

    assert message.startswith(field)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_a_number_that_json_does_not_know_is_refused(server: Server, number: str) -> None:
    before = counts(server)
    text = '{"designTask": "设计", "selectedButtonInfo": {"aiStage": "草图的辅助生成", "buttonText": "生成全新草图"},'

    answer = server.call(
        "POST",
        "/generate",
        data=f'{text} "currentNum": {number}}}'.encode(),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code in (400, 422)
    failure_of(answer, answer.status_code)
    assert counts(server) == before


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_canvas_that_is_no_usable_picture_is_refused(server: Server, kind: str) -> None:
    record = "data:image/png;base64," + base64.b64encode(UNUSABLE[kind]).decode()

    message = _refused(server, body("sketch.extend", selectedCanvasRecords=[record]))

    assert message.startswith("selectedCanvasRecords.0")


@pytest.mark.parametrize(
    "record",
    [
        "no base64 at all",
        "data:image/png;base64,%%%",
        "data:text/html;base64,PGh0bWw+",
        "data:,",
        "图",
        "A",
        "\x00",
        "//host/images/x",
    ],
)
def test_a_canvas_that_is_neither_url_nor_base64_is_refused(server: Server, record: str) -> None:
    assert _refused(server, body("sketch.extend", selectedCanvasRecords=[record])).startswith("selectedCanvasRecords.0")


def test_a_second_canvas_is_checked_before_the_first_is_kept(server: Server) -> None:
    good = base64.b64encode(picture(123, 45)).decode()

    _refused(server, body("sketch.extend", selectedCanvasRecords=[good, "broken"]))


def test_a_canvas_where_none_is_needed_is_checked_too(server: Server) -> None:
    _refused(server, body("sketch.create_new", selectedCanvasRecords=["broken"]))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/images/{sha256}.png",
        "http://localhost:{port}/images/{known}.png",
        "https://127.0.0.1:{port}/static/canvas.png",
        "HTTP://127.0.0.1:{port}/images/{known}.png",
        "http://{own}@127.0.0.1:{port}/images/{known}.png",
        "http://127.0.0.1:{port}#@{own}/images/{known}.png",
        "http://[::1]:{port}/images/{known}.png",
        "ftp://127.0.0.1:{port}/images/{known}.png",
        "ftp://{own}/images/{known}.png",
        "file:///etc/passwd",
        "file:///images/{known}.png",
        "gopher://127.0.0.1:{port}/",
        "http://169.254.169.254/latest/meta-data",
        "http://elsewhere.example/images/{known}.png",
        "//127.0.0.1:{port}/images/{known}.png",
        "http://[broken/images/{known}.png",
        "http://{own}/images/{sha256}.png",
        "http://{own}/images/../images/{known}.png",
        "http://{own}/static/{known}.png",
        "http://{own}:99999/images/{known}.png",
        "/images/{sha256}.png",
        "/etc/passwd",
    ],
)
def test_a_url_that_this_server_did_not_give_out_is_refused_and_never_fetched(server: Server, url: str) -> None:
    known = server.uploaded(picture(99, 99)).rpartition("/")[2].removesuffix(".png")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0)
        values = {"port": listener.getsockname()[1], "sha256": UNKNOWN_HASH, "known": known, "own": server.url[7:]}

        message = _refused(server, body("sketch.extend", selectedCanvasRecords=[url.format(**values)]))

        assert message.startswith("selectedCanvasRecords.0")
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_saved_text_is_no_canvas(server: Server) -> None:
    ref = server.stores.contents.put_text('{"secret": true}')

    _refused(server, body("sketch.extend", selectedCanvasRecords=[f"{server.url}/images/{ref.sha256}.png"]))
