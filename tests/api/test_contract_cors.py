"""A page of another origin may read every answer: successes, errors, pictures, and preflights before them."""

from __future__ import annotations

import pytest

from tests.api.front_end import body
from tests.api.server import Server
from tests.stand_ins import picture

pytestmark = pytest.mark.api

PAGE = "http://127.0.0.1:3000"
JSON_ROUTES = ("/generate", "/timeRecord", "/paint/start", "/paint/save")
UNKNOWN_PICTURE = f"/images/{'0' * 64}.png"

CALLS = [
    ("GET", "/ping", 200),
    ("POST", "/ping", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/docs", 200),
    ("GET", "/api/operations", 200),
    ("GET", "/no/such/path", 404),
    ("GET", UNKNOWN_PICTURE, 404),
    ("GET", "/generate", 405),
    ("POST", "/upload", 400),
    ("POST", "/uploadImage", 400),
    *(("POST", path, 415) for path in JSON_ROUTES),
]


@pytest.mark.parametrize("origin", [None, PAGE], ids=["without Origin", "with Origin"])
@pytest.mark.parametrize(("method", "path", "status"), CALLS)
def test_every_answer_may_be_read_by_any_origin(
    server: Server, method: str, path: str, status: int, origin: str | None
) -> None:
    answer = server.call(method, path, headers={"Origin": origin} if origin else {})

    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("origin", [None, PAGE], ids=["without Origin", "with Origin"])
def test_a_picture_may_be_read_by_any_origin_also_from_the_browsers_cache(server: Server, origin: str | None) -> None:
    url = server.uploaded(picture(60, 40))
    headers = {"Origin": origin} if origin else {}

    first = server.get(url, headers=headers)
    again = server.get(url, headers={**headers, "If-None-Match": first.headers["ETag"]})

    assert [first.status_code, again.status_code] == [200, 304]
    assert [answer.headers["Access-Control-Allow-Origin"] for answer in (first, again)] == ["*", "*"]


@pytest.mark.parametrize("path", JSON_ROUTES)
def test_a_preflight_allows_the_json_post_that_follows(server: Server, path: str) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}

    answer = server.call("OPTIONS", path, headers=asked)

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "content-type" in answer.headers["Access-Control-Allow-Headers"].lower()


def test_a_page_may_read_our_own_headers(server: Server) -> None:
    answer = server.post("/generate", body("brief.create_new"), headers={"Origin": PAGE})

    exposed = {name.strip() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
    assert {"X-Generation-ID", "X-Seed", "X-Request-ID", "Retry-After"} <= exposed


def test_only_the_named_origins_may_call_when_some_are_named(serve: object) -> None:
    server = serve(CORS_ORIGINS=PAGE)  # type: ignore[operator]

    friend = server.get("/ping", headers={"Origin": PAGE})
    stranger = server.get("/ping", headers={"Origin": "http://elsewhere.example"})

    assert friend.headers["Access-Control-Allow-Origin"] == PAGE
    assert "Access-Control-Allow-Origin" not in stranger.headers
