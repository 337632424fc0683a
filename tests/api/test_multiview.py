"""The six views by a multi-view service, where one is configured."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.api.answers import data_of, failure_of
from tests.api.front_end import body, pictures_in
from tests.api.records import record_of, records_of, steps_of
from tests.api.server import Server
from tests.stand_ins import picture

pytestmark = pytest.mark.api

Serve = Callable[..., Server]


class ViewService:
    """Answers each view with a picture of its own size, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.left_out = ""

    def __call__(self, request: Request) -> Response:
        """Serve POST /views."""
        wanted = request.get_json()
        self.asked.append(wanted)
        views = [
            {"name": name, "image": base64.b64encode(picture(64 + index, 64)).decode()}
            for index, name in enumerate(wanted["views"])
            if name != self.left_out
        ]
        return Response(json.dumps({"views": views[::-1]}), content_type="application/json")


@pytest.fixture
def views(httpserver: HTTPServer) -> ViewService:
    """Run a multi-view service."""
    service = ViewService()
    httpserver.expect_request("/views", method="POST").respond_with_handler(service)
    return service


def _generate(server: Server) -> Any:
    canvas = server.uploaded(picture(512, 512))
    return server.post("/generate", body("model.multi_view", username="V", seed=8, selectedCanvasRecords=[canvas]))


def test_the_views_come_from_the_service_in_our_order_and_the_record_says_so(
    serve: Serve, httpserver: HTTPServer, views: ViewService
) -> None:
    server = serve(MULTIVIEW_ENDPOINT=httpserver.url_for(""))

    answer = _generate(server)

    pictures = [server.get(url).content for url in pictures_in(data_of(answer))]
    assert pictures == [picture(64 + index, 64) for index in range(6)]
    [asked] = views.asked
    [step] = steps_of(record_of(server, answer), "multiview")
    assert (step.details["made_by"], step.details["views"]) == ("service", asked["views"])
    assert len(step.details["image_ids"]) == 6


def test_the_service_gets_the_object_on_transparent_ground_and_the_seed(
    serve: Serve, httpserver: HTTPServer, views: ViewService
) -> None:
    _generate(serve(MULTIVIEW_ENDPOINT=httpserver.url_for("")))

    [asked] = views.asked
    with Image.open(io.BytesIO(base64.b64decode(asked["image"]))) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (512, 512))
        assert image.getchannel("A").getextrema() == (0, 255)
    assert asked["seed"] == 8


def test_a_service_that_leaves_out_a_view_fails_the_generation(
    serve: Serve, httpserver: HTTPServer, views: ViewService
) -> None:
    views.left_out = "back"
    server = serve(MULTIVIEW_ENDPOINT=httpserver.url_for(""))

    assert "back" in failure_of(_generate(server), 502, code=2)

    [record] = records_of(server, "V")
    assert (record.state, record.outputs) == ("failed", ())
