"""The page for prompts: a designer changes a text, sees what is wrong, tries it, saves it, and goes back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Serve
from tests.browser.participant import serious_findings
from tests.processes.harness import ROOT

pytestmark = pytest.mark.browser


def test_a_prompt_is_changed_tried_saved_and_taken_back(page: Page, serve: Serve, tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "settings", tmp_path / "settings")
    url = serve(RESEARCH_LOGIN="false", SETTINGS_DIR=str(folder))
    page.goto(f"{url}/studio/prompts")
    expect(page.get_by_text("Choose a file at the left")).to_be_visible()
    page.get_by_role("searchbox").fill("subject")
    page.get_by_role("link", name="subject").click()
    text = page.locator("#source")
    before = text.input_value()
    text.fill(before.replace("$task", "$tasks"))
    expect(page.get_by_text("This cannot be used yet")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    text.fill(before.replace("$task", "$task, in one word"))
    expect(page.get_by_text("This cannot be used yet")).to_be_hidden()
    expect(page.locator("ins").first).to_have_text(", in one word")
    page.get_by_role("button", name="Try beside the current version").click()
    expect(page.get_by_text("Your version")).to_be_visible(timeout=20_000)
    for width in (1280, 820):
        page.set_viewport_size({"width": width, "height": 900})
        assert serious_findings(page) == []
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_label("What you changed, and why").fill("shorter answers")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved; it is in use now.")).to_be_visible()
    assert "in one word" in (folder / "prompts" / "subject.toml").read_text("utf-8")
    expect(page.get_by_text("shorter answers")).to_be_visible()
    page.get_by_role("button", name="Look at this version").click()
    expect(text).to_have_value(before)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("in use", exact=True)).to_be_visible()
