"""What only a browser checks: that a page of another origin may read the answers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Response

from tests.browser.conftest import Seat, Serve
from tests.browser.designer import Designer, assert_visible
from tests.browser.walk import AI_STAGES, SKETCH, TASK

pytestmark = pytest.mark.browser

ASK = """async ([url, method, type, body]) => {
  const headers = type ? { "Content-Type": type } : {};
  const answer = await fetch(url, { method, headers, body: body ?? undefined });
  return [answer.status, (await answer.json()).success, answer.headers.get("X-Request-ID")];
}"""


@pytest.mark.parametrize(
    ("method", "path", "media_type", "body", "status"),
    [
        ("GET", "/nowhere", None, None, 404),
        ("GET", "/images/none.png", None, None, 404),
        ("PUT", "/generate", "application/json", "{}", 405),
        ("POST", "/generate", "application/json", "{", 400),
        ("POST", "/generate", "application/json", "{}", 422),
        ("POST", "/generate", "text/plain", "{}", 415),
        ("POST", "/upload", None, None, 400),
        ("POST", "/uploadImage", "application/json", '{"image": "no picture"}', 422),
    ],
)
def test_a_page_can_read_why_it_was_refused(
    foreign_page: Page, api_url: str, method: str, path: str, media_type: str | None, body: str | None, status: int
) -> None:
    got, success, request_id = foreign_page.evaluate(ASK, [api_url + path, method, media_type, body])
    assert (got, success) == (status, False)
    assert request_id, "the id that the log has is for the page to read"


def test_a_json_call_is_asked_for_first_and_not_again(designer: Designer, api_url: str) -> None:
    ping = """async url => { for (let i = 0; i < 3; i++) await (await fetch(url + "/timeRecord", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: '{"username": ""}' })).json(); }"""
    network = designer.page.context.new_cdp_session(designer.page)
    sent: list[str] = []
    network.send("Network.enable")
    network.on("Network.requestWillBeSent", lambda event: sent.append(event["request"]["method"]))
    designer.page.evaluate(ping, api_url)
    assert sorted(sent) == ["OPTIONS", "POST", "POST", "POST"]


def test_a_page_can_read_that_its_file_is_too_large(foreign_page: Page, api_url: str) -> None:
    send = """async url => {
      const form = new FormData();
      form.append("file", new Blob([new Uint8Array(65 * 2 ** 20)]), "canvas.png");
      return (await (await fetch(url + "/upload", { method: "POST", body: form })).json()).message;
    }"""
    assert "64 MiB" in foreign_page.evaluate(send, api_url)


def test_the_picture_that_img_has_loaded_serves_for_fetch_without_another_request(designer: Designer) -> None:
    by_img, by_fetch = loads_of_a_picture(designer)
    # The very same answer, id and all: the one that was given without an Origin had to allow the other.
    assert by_img.all_headers()["x-request-id"] == by_fetch.all_headers()["x-request-id"]


def test_the_same_holds_where_only_listed_origins_may_call(seat: Seat, serve: Serve, page_url: str) -> None:
    designer = seat(serve(CORS_ORIGINS=f"{page_url},https://design.example"))
    by_img, by_fetch = loads_of_a_picture(designer)
    assert (by_img.status, by_fetch.status) == (200, 200)


def loads_of_a_picture(designer: Designer) -> list[Response]:
    """Make a sketch and put it in the workspace; return how it was loaded: by <img>, without CORS, then by fetch."""
    designer.introduces("小明", TASK)
    designer.chooses(AI_STAGES[SKETCH], "生成全新草图", 1)
    loads: list[Response] = []
    designer.page.on("response", lambda response: loads.append(response) if "/images/" in response.url else None)
    answer = designer.submits()
    answer.toast("生成成功")
    assert_visible(answer.images.first)
    designer.puts_in_workspace(answer.images.first)
    assert "origin" not in loads[0].request.all_headers()
    return loads
