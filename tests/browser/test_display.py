"""The page of these tests shows an answer by the rules of the contract, so that what it shows means something."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Error, Page

from tests.browser.designer import Designer

pytestmark = pytest.mark.browser

IMAGE = "data:image/gif;base64,R0lGODlhAQABAAAAACw=#.png"
RENDER = """async data => {
  const { blocksOf, renderBlock } = await import("./display.js");
  return blocksOf(data).map(block => renderBlock(block)).map(block => block.querySelector("img")
    ? block.querySelectorAll("img").length
    : [...block.querySelectorAll(".card")].map(card => card.textContent));
}"""
SHOW = """async data => (await import("./page.js")).show(data, "草图的辅助生成", 7)"""


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"0": IMAGE, "1": IMAGE}, [2]),
        ([{"0": '{"a": 1}'}, {"0": IMAGE}], [["0:a: 1"], 1]),
        ({"1": '{"b": 2}', "0": '{"a": ["x", 3, {"c": "y"}]}'}, [["0:a:x3c: y", "0:b: 2"]]),
        ({"0": 'Sure: {"a": 1} and {"b": 2}'}, [["0:a: 11:b: 2"]]),
        ({"0": '```json\n{"a": {"b": 1}}\n```'}, [[""]]),
        ({"0": {"a": 1}}, [[""]]),
        ({"0": IMAGE, "1": "text"}, [["", ""]]),
        ({"0": IMAGE.upper()}, [[""]]),
        ("ab", [["", ""]]),
        ([], []),
        ({}, [[]]),
    ],
)
def test_answers_are_shown_by_the_rules(foreign_page: Page, data: Any, shown: list[Any]) -> None:
    assert foreign_page.evaluate(RENDER, data) == shown


@pytest.mark.parametrize("data", [{"0": '{"a": null}'}, {"0": '{"a": [null]}'}, [None]])
def test_a_null_cannot_be_shown(foreign_page: Page, data: Any) -> None:
    with pytest.raises(Error, match="null"):
        foreign_page.evaluate(RENDER, data)


def test_what_cannot_be_shown_takes_the_page_down(designer: Designer) -> None:
    with pytest.raises(Error, match="the page has crashed"):
        designer.page.evaluate(SHOW, {"0": '{"a": null}'})
    assert designer.page.locator("body").inner_html() == ""
