"""The client of the multi-view protocol in docs/multiview.md."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from agent.errors import (
    MultiviewError,
    MultiviewNotConfiguredError,
    MultiviewRejectedError,
    MultiviewServiceError,
    MultiviewTimeoutError,
    MultiviewUnreachableError,
)
from agent.images import PNG_MAGIC
from agent.multiview import MultiviewClient
from tests.stand_ins import picture

NAMES = ("front", "back")


@pytest.fixture
def client(httpserver: HTTPServer) -> Iterator[MultiviewClient]:
    multiview = MultiviewClient(httpserver.url_for("/mv/"), connect_timeout_s=1, read_timeout_s=0.5)
    yield multiview
    multiview.close()


def _view(name: str, image: bytes) -> dict[str, str]:
    return {"name": name, "image": base64.b64encode(image).decode()}


def test_views_come_in_the_order_they_were_asked_for_as_png(httpserver: HTTPServer, client: MultiviewClient) -> None:
    rows = [_view("back", picture(kind="JPEG")), _view("top", picture()), _view("front", picture())]
    httpserver.expect_request("/mv/views", method="POST").respond_with_json({"views": rows})
    views = client.views(picture(mode="RGBA"), NAMES, seed=5)
    assert [view.name for view in views] == ["front", "back"]
    assert all(view.image_bytes.startswith(PNG_MAGIC) for view in views)
    sent = httpserver.log[0][0].get_json()
    assert (sent["views"], sent["seed"]) == (["front", "back"], 5)
    assert base64.b64decode(sent["image"]) == picture(mode="RGBA")


def test_a_picture_may_have_a_data_prefix_and_line_breaks(httpserver: HTTPServer, client: MultiviewClient) -> None:
    encoded = "data:image/png;base64,\n" + base64.encodebytes(picture()).decode()
    rows = [{"name": name, "image": encoded} for name in NAMES]
    httpserver.expect_request("/mv/views").respond_with_json({"views": rows})
    assert [view.image_bytes for view in client.views(picture(), NAMES, seed=1)] == [picture()] * 2


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "no"}, MultiviewRejectedError),
        (404, {}, MultiviewRejectedError),
        (500, {}, MultiviewServiceError),
        (302, {}, MultiviewServiceError),
        (200, [], MultiviewServiceError),
        (200, {"views": ["x"]}, MultiviewServiceError),
        (200, {"views": [_view("front", picture())]}, MultiviewServiceError),
        (200, {"views": [_view("front", picture()), _view("back", b"x")]}, MultiviewServiceError),
        (200, {"views": [_view("front", picture()), {"name": "back"}]}, MultiviewServiceError),
        (200, {"views": [{"name": ["a"]}]}, MultiviewServiceError),
        (200, {"views": [_view("front", picture()), _view("back", picture(64, 7))]}, MultiviewServiceError),
    ],
)
def test_every_bad_answer_is_translated(
    httpserver: HTTPServer, client: MultiviewClient, status: int, body: Any, kind: type[MultiviewError]
) -> None:
    httpserver.expect_request("/mv/views").respond_with_json(body, status=status)
    with pytest.raises(kind):
        client.views(picture(), NAMES, seed=1)
    assert len(httpserver.log) == 1


def test_an_answer_that_is_no_json_is_a_fault_of_the_service(httpserver: HTTPServer, client: MultiviewClient) -> None:
    httpserver.expect_request("/mv/views").respond_with_data("<html>")
    with pytest.raises(MultiviewServiceError):
        client.views(picture(), NAMES, seed=1)


@pytest.mark.parametrize(
    ("endpoint", "kind"),
    [
        ("", MultiviewNotConfiguredError),
        ("gpu1:9000", MultiviewNotConfiguredError),
        ("gpu1", MultiviewNotConfiguredError),
        ("http://", MultiviewNotConfiguredError),
        ("http://127.0.0.1:9", MultiviewUnreachableError),
    ],
)
def test_a_service_that_is_not_there_is_called_so(endpoint: str, kind: type[MultiviewError]) -> None:
    client = MultiviewClient(endpoint, connect_timeout_s=1)
    with pytest.raises(kind):
        client.views(picture(), NAMES, seed=1)


def test_no_answer_in_time_is_a_timeout(httpserver: HTTPServer, client: MultiviewClient) -> None:
    gate = threading.Event()

    def hang(_request: Any) -> Any:
        gate.wait(5)
        raise ConnectionError

    httpserver.expect_request("/mv/views").respond_with_handler(hang)
    with pytest.raises(MultiviewTimeoutError):
        client.views(picture(), NAMES, seed=1)
    gate.set()
