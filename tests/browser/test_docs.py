"""The page of the API, for people: complete, right, and working without internet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser

RENDER_MS = 20_000


class Reader:
    """Somebody at /docs; `hosts` are all that the page has asked, `problems` are what its console said."""

    def __init__(self, page: Page, api_url: str) -> None:
        self.page = page
        self.hosts: set[str] = set()
        self.problems: list[str] = []
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.on("console", lambda message: self.problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.goto(f"{api_url}/docs")
        page.locator("[part~='section-operation']").first.wait_for(timeout=RENDER_MS)

    def operation(self, method: str, path: str) -> Locator:
        """The part of the page that is about one operation."""
        anchor = path.replace("{", "-").replace("}", "-")
        return self.page.locator(f"[part~='section-operation'][id='{method}-{anchor}']")


@pytest.fixture(scope="module")
def reader(browser: Browser, api_url: str) -> Iterator[Reader]:
    """Open the page once; the browser finds no host but this machine."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    yield Reader(page, api_url)
    page.close()


@pytest.fixture(scope="module")
def operations(api_url: str) -> dict[tuple[str, str], Any]:
    """What the page has to show, by method and path."""
    paths = requests.get(f"{api_url}/openapi.json", timeout=10).json()["paths"]
    return {(method, path): what for path, methods in paths.items() for method, what in methods.items()}


def test_every_endpoint_is_shown_with_its_answers(reader: Reader, operations: dict[tuple[str, str], Any]) -> None:
    expect(reader.page.locator("[part~='section-operation']")).to_have_count(len(operations))
    for (method, path), what in operations.items():
        shown = reader.operation(method, path)
        expect(shown).to_contain_text(what["summary"])
        expect(shown.locator("[part='label-operation-path']")).to_have_text(path)
        for status in what["responses"]:
            expect(shown.get_by_role("button", name=status, exact=True)).to_have_count(1)


def test_the_examples_are_ours(reader: Reader) -> None:
    expect(reader.operation("post", "/generate").locator("textarea").first).to_have_value(
        re.compile("设计一款农业无人机")
    )


def test_an_operation_can_be_tried_as_it_stands(reader: Reader, tmp_path: Path) -> None:
    generate = reader.operation("post", "/generate")
    with reader.page.expect_response("**/generate") as answer:
        generate.get_by_role("button", name="TRY", exact=True).click()
    assert answer.value.json()["success"]
    expect(generate).to_contain_text(answer.value.json()["data"]["0"])
    reader.page.screenshot(path=tmp_path / "docs.png")


def test_the_page_asks_nobody_but_the_server(reader: Reader, api_url: str) -> None:
    assert reader.hosts == {urlsplit(api_url).netloc}
    assert reader.problems == []
