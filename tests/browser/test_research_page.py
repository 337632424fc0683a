"""The page's page: lay out a study, watch it, look at it, take it away; nobody else gets in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import Serve
from tests.browser.participant import serious_findings

pytestmark = pytest.mark.browser

SIZES = ({"width": 1280, "height": 860}, {"width": 820, "height": 1100})


@pytest.fixture(scope="module")
def api_url(serve: Serve) -> str:
    """Run a server on which no login is needed."""
    return serve(RESEARCH_LOGIN="false", MONGO_DB="research_page")


def _post(url: str, body: dict[str, Any]) -> Any:
    answer = requests.post(url, json=body, headers={"Prefer": "wait=30"}, timeout=40)
    assert answer.ok, answer.text
    return answer.json()["data"]


def test_a_study_is_laid_out_watched_summed_up_and_taken_away(page: Page, api_url: str, tmp_path: Path) -> None:
    page.goto(f"{api_url}/studio/research")
    expect(page.get_by_text("No login is needed here")).to_be_visible()
    page.get_by_role("button", name="New study").click()
    page.get_by_label("Name").first.fill("Waiting and lamps")
    page.get_by_label("Design task").fill("a desk lamp")
    page.get_by_label("What participants agree to").fill("I take part of my own free will.")
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("When answers are shown").nth(1).select_option("fixed")
    page.get_by_label("seconds").fill("1")
    assert serious_findings(page) == []
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Open for participants").click()
    expect(page.get_by_text("Nobody has joined yet")).to_be_visible()
    key = page.get_by_label("Link for participants").input_value().rpartition("/")[2]

    for _ in range(2):
        joined = _post(f"{api_url}/api/join/{key}", {"consent": True})
        body = {"username": joined["code"], "operation": "sketch.create_new", "task": "a lamp", "num": 2}
        _post(f"{api_url}/api/generations", body)

    expect(page.locator("table.table").first.locator("tbody tr")).to_have_count(2, timeout=20_000)
    expect(page.get_by_text("Waiting times, real and as shown")).to_be_visible(timeout=20_000)
    for size in SIZES:
        page.set_viewport_size(size)
        assert serious_findings(page) == []
    page.set_viewport_size(SIZES[0])
    with page.expect_download() as download:
        page.get_by_role("button", name="Download SVG").first.click()
    svg = Path(tmp_path / "plot.svg")
    download.value.save_as(svg)
    assert svg.read_text("utf-8").startswith("<svg")

    page.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("link", name="Download the data set").click(timeout=60_000)
    download.value.save_as(tmp_path / "study.zip")
    assert (tmp_path / "study.zip").read_bytes()[:2] == b"PK"

    page.locator("table.table").first.locator("tbody a").first.click()
    expect(page.get_by_role("heading", name="Concept tree")).to_be_visible()
    expect(page.locator(".thumbs img").first).to_be_visible()
    page.get_by_role("button", name="How it was made").first.click()
    expect(page.get_by_text("negative_prompt").first).to_be_visible()
    page.keyboard.press("Escape")
    assert serious_findings(page) == []


def test_a_session_is_replayed_and_its_participant_erased(page: Page, api_url: str) -> None:
    study = _post(
        f"{api_url}/api/studies", {"name": "Replay", "conditions": [{"id": "a", "name": "A"}], "consent_text": "yes"}
    )
    _post(f"{api_url}/api/studies/{study['id']}/state", {"state": "open"})
    key = study["join_url"].rpartition("/")[2]
    joined = _post(f"{api_url}/api/join/{key}", {"consent": True})
    _post(
        f"{api_url}/api/generations", {"username": joined["code"], "operation": "sketch.create_new", "task": "a lamp"}
    )

    page.goto(f"{api_url}/studio/research#/session/{joined['session']['id']}")
    page.get_by_role("button", name="Replay").click()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("equal 1")).to_be_visible(timeout=30_000)
    expect(page.locator(".pair img")).to_have_count(2)
    assert serious_findings(page) == []
    page.get_by_role("link", name="Back").click()
    page.get_by_role("button", name="Erase participant").click()
    dialog = page.get_by_role("dialog")
    button = dialog.get_by_role("button", name="Erase participant")
    expect(button).to_be_disabled()
    dialog.get_by_role("textbox").fill(dialog.locator("code").inner_text())
    button.click()
    expect(page.get_by_text("a second look through everything found nothing")).to_be_visible(timeout=40_000)


def test_what_somebody_else_changed_meanwhile_is_shown_and_not_undone(page: Page, api_url: str) -> None:
    conditions = [{"id": name, "name": name.upper()} for name in "abc"]
    study = _post(f"{api_url}/api/studies", {"name": "Shared", "task": "a lamp", "conditions": conditions})
    address = f"{api_url}/api/studies/{study['id']}"
    page.goto(f"{api_url}/studio/research#/study/{study['id']}")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Name").first.fill("Mine")
    theirs = requests.patch(address, json={"revision": study["revision"], "task": "a chair"}, timeout=10)
    assert theirs.ok, theirs.text
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed this study")
    expect(page.get_by_label("Design task")).to_have_value("a chair")
    page.get_by_label("Name").first.fill("Mine")
    page.get_by_role("group", name="Condition B").get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Mine")).to_be_visible()
    expect(page.get_by_role("button", name="Edit")).to_be_visible()
    now = requests.get(address, timeout=10).json()["data"]
    assert (now["name"], now["task"]) == ("Mine", "a chair")
    assert [one["id"] for one in now["conditions"]] == ["a", "c", "b"]


def test_without_a_login_nobody_sees_anything(page: Page, serve: Serve) -> None:
    url = serve(RESEARCH_LOGIN="true")
    page.goto(f"{url}/studio/research")
    expect(page).to_have_url(f"{url}/studio/login", timeout=10_000)
    page.get_by_label("Login").fill("nobody")
    page.get_by_label("Password").fill("nothing")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert serious_findings(page) == []
