"""Bodies that are no JSON, no object or no picture: one answer for all routes, and nothing is recorded."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from store.ids import new_id
from tests.api.answers import counts, failure_of
from tests.api.front_end import body
from tests.api.pictures import UNUSABLE
from tests.api.server import Server, serving
from tests.stand_ins import picture

pytestmark = pytest.mark.api

JSON_ROUTES = ("/generate", "/timeRecord", "/paint/start", "/paint/save")
UPLOAD_ROUTES = ("/upload", "/uploadImage")
JSON = "application/json"


@pytest.fixture(scope="module")
def small_server(settings: dict[str, Any]) -> Iterator[Server]:
    """Run a server that takes one mebibyte at most."""
    with serving({**settings, "MONGO_DB": f"test_{new_id().lower()}", "MAX_UPLOAD_MB": 1}) as running:
        yield running


def _refused(server: Server, path: str, status: int, **more: Any) -> str:
    before = counts(server)
    message = failure_of(server.call("POST", path, **more), status)
    assert counts(server) == before
    return message


@pytest.mark.parametrize(
    ("content", "status", "word"),
    [
        (b"", 400, "No data provided"),
        (b"  \n", 400, "No data provided"),
        (b"{", 400, "JSON"),
        (b'{"username": "P07",}', 400, "JSON"),
        (b"{'username': 'P07'}", 400, "JSON"),
        (b'{"username": "P07"} more', 400, "JSON"),
        (b'{"username": "\\ud800"}', 400, "JSON"),
        (b'{"username": "\xff\xfe"}', 400, "JSON"),
        ('{"username": "P07"}'.encode("utf-16"), 400, "JSON"),
        (b'{"username": ' + b"[" * 100_000, 400, "JSON"),
        (b"[]", 422, "body"),
        (b'[{"username": "P07"}]', 422, "body"),
        (b'"P07"', 422, "body"),
        (b"7", 422, "body"),
        (b"null", 422, "body"),
        (b"true", 422, "body"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else str(value),
)
@pytest.mark.parametrize("path", JSON_ROUTES)
def test_a_body_that_is_no_json_object_is_refused(
    server: Server, path: str, content: bytes, status: int, word: str
) -> None:
    assert word in _refused(server, path, status, data=content, headers={"Content-Type": JSON})


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense", ""]
)
@pytest.mark.parametrize("path", JSON_ROUTES)
def test_a_body_that_is_not_declared_as_json_is_refused(server: Server, path: str, media_type: str) -> None:
    message = _refused(server, path, 415, data=b'{"username": "P07"}', headers={"Content-Type": media_type})

    assert "application/json" in message


@pytest.mark.parametrize("path", JSON_ROUTES)
def test_json_may_name_its_charset(server: Server, path: str) -> None:
    wanted = body("brief.create_new") | {"data": {}}

    answer = server.post(path, wanted, headers={"Content-Type": "application/json; charset=utf-8"})

    assert answer.status_code == 200


@pytest.mark.parametrize("kind", UNUSABLE)
@pytest.mark.parametrize("path", UPLOAD_ROUTES)
def test_a_file_that_is_no_usable_picture_is_refused(server: Server, path: str, kind: str) -> None:
    files = {"file": ("canvas.png", UNUSABLE[kind], "image/png")}

    assert _refused(server, path, 422, files=files).startswith("file: ")


@pytest.mark.parametrize("kind", UNUSABLE)
@pytest.mark.parametrize("path", UPLOAD_ROUTES)
def test_base64_of_no_usable_picture_is_refused(server: Server, path: str, kind: str) -> None:
    image = base64.b64encode(UNUSABLE[kind]).decode()

    assert _refused(server, path, 422, json={"image": image}).startswith("image: ")


@pytest.mark.parametrize(
    ("wanted", "status", "word"),
    [
        ({}, 422, "image"),
        ({"image": None}, 422, "image"),
        ({"image": 7}, 422, "image"),
        ({"image": "%%%"}, 422, "image"),
        ({"image": "http://elsewhere.example/x.png"}, 422, "image"),
        ({"image": "file:///etc/passwd"}, 422, "image"),
        ({"picture": "x", "image": "x"}, 422, "picture"),
        ([], 422, "body"),
        (None, 400, "No data provided"),
    ],
)
@pytest.mark.parametrize("path", UPLOAD_ROUTES)
def test_an_upload_by_json_that_does_not_fit_is_refused(
    server: Server, path: str, wanted: object, status: int, word: str
) -> None:
    assert word in _refused(server, path, status, json=wanted, headers={"Content-Type": JSON})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"data": picture(), "headers": {"Content-Type": "image/png"}},
        {"files": {"picture": ("canvas.png", picture())}},
        {"data": {"file": "no file, but a field"}},
        {"data": b"--x\r\nbroken", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"data": b"broken", "headers": {"Content-Type": "multipart/form-data"}},
    ],
    ids=["nothing", "bare picture", "another part", "a field", "broken form", "no boundary"],
)
@pytest.mark.parametrize("path", UPLOAD_ROUTES)
def test_an_upload_without_its_file_is_refused(server: Server, path: str, more: dict[str, Any]) -> None:
    assert "file" in _refused(server, path, 400, **more)


@pytest.mark.parametrize("path", [*JSON_ROUTES, *UPLOAD_ROUTES])
def test_a_body_that_is_too_large_is_refused_with_the_limit(small_server: Server, path: str) -> None:
    large = {"username": "P07", "image": "A" * 2**20}

    assert "1 MiB" in _refused(small_server, path, 413, json=large)


@pytest.mark.parametrize("path", UPLOAD_ROUTES)
def test_a_file_that_is_too_large_is_refused_with_the_limit(small_server: Server, path: str) -> None:
    files = {"file": ("canvas.png", b"\0" * (2**20 + 1), "image/png")}

    assert "1 MiB" in _refused(small_server, path, 413, files=files)


def test_a_body_of_unknown_length_is_refused_at_the_limit(small_server: Server) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"image": "'
        for _ in range(40):
            yield b"A" * 2**16
        yield b'"}'

    assert "1 MiB" in _refused(small_server, "/upload", 413, data=pieces(), headers={"Content-Type": JSON})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing/here", 404), ("POST", "/", 405), ("DELETE", "/generate", 405), ("GET", "/upload", 405)],
)
def test_a_wrong_path_or_method_has_the_same_envelope(server: Server, method: str, path: str, status: int) -> None:
    failure_of(server.call(method, path), status)


def test_a_wrong_method_is_told_the_right_one(server: Server) -> None:
    assert "POST" in server.get("/generate").headers["Allow"]


def test_another_image_limit_counts(serve: Callable[..., Server]) -> None:
    server = serve(MAX_IMAGE_MEGAPIXELS=0.01)

    assert "0.01 megapixels" in failure_of(server.send("/upload", picture(101, 100)), 422)
    assert server.send("/upload", picture(100, 100)).status_code == 200
