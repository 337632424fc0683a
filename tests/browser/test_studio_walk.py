"""A participant at our own page, from a name to a rendering, and back again the next day."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import NewParticipant, Serve
from tests.browser.participant import ANSWER_MS, TASK, Participant, has_ended, is_loaded
from tests.embedded import free_port
from tests.processes.harness import until
from tests.stand_ins import StandIn

pytestmark = pytest.mark.browser


def test_from_a_name_to_a_rendering_and_back_the_next_day(participant: Participant, webuis: list[StandIn]) -> None:
    page = participant.page
    participant.comes("Walk 1")
    participant.sets_the_task()

    brief = participant.asks("brief.create_new")
    has_ended(brief)
    sentence = brief.locator(".sentence").first
    words = sentence.inner_text()
    sentence.click()
    expect(sentence).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("region", name="To work on")).to_contain_text(words)

    sketch = participant.asks("sketch.transform")
    has_ended(sketch)
    expect(sketch.locator(".tile img")).to_have_count(2)
    is_loaded(sketch.locator(".tile img").first)

    for webui in webuis:
        webui.close_gate()
    dropped = participant.asks("rendering.create_new")
    expect(dropped.get_by_role("progressbar")).to_have_count(2)
    dropped.get_by_role("button", name="Cancel").click()
    has_ended(dropped, "canceled")
    for webui in webuis:
        webui.open_gate()

    sketch.locator(".tile-choose").first.click()
    rendering = participant.asks("rendering.transform")
    has_ended(rendering)
    assert_its_origin_is_told(participant, words)

    page.reload()
    participant.is_in()
    expect(page.get_by_role("textbox", name="Design task")).to_have_value(TASK)
    expect(participant.column("rendering").locator("[data-generation]")).to_have_count(2, timeout=ANSWER_MS)
    expect(participant.column("sketch").locator(".tile-choose[aria-pressed=true]")).to_have_count(1)


def assert_its_origin_is_told(participant: Participant, words: str) -> None:
    """Fail unless the tree shows where the rendering comes from, and a click leads back along it."""
    page = participant.page
    participant.view("Tree")
    node = page.get_by_role(
        "button", name=re.compile("^Rendering: Turn into a rendering, 2 pictures, from Turn into a")
    )
    node.click()
    dialog = page.get_by_role("dialog", name="Turn into a rendering")
    expect(dialog.locator(".used-texts")).to_contain_text(words)
    dialog.get_by_text("How it was made").click()
    expect(dialog.get_by_text("Checkpoint")).to_be_visible(timeout=ANSWER_MS)
    dialog.get_by_role("button", name="Turn into a sketch Sketch").click()
    expect(page.get_by_role("dialog", name="Turn into a sketch")).to_be_visible()
    page.keyboard.press("Escape")
    participant.view("Board")


def test_an_operation_that_needs_something_says_what(participant: Participant) -> None:
    participant.comes("Needs")
    extend = participant.operation("brief.extend")
    expect(extend).to_have_attribute("aria-disabled", "true")
    expect(extend).to_have_accessible_description("Choose a text first")
    expect(extend.get_by_text("Choose a text first")).to_be_visible()
    expect(participant.operation("brief.create_new")).to_have_accessible_description("Write the design task first")

    participant.sets_the_task()
    expect(participant.operation("brief.create_new")).to_have_attribute("aria-disabled", "false")
    model = participant.asks("model.create_new")
    has_ended(model)
    model.locator(".tile-choose").first.click()
    turn = participant.operation("model.transform")
    expect(turn).to_have_accessible_description("Works on a sketch or rendering, not on a model")


def test_several_generations_are_under_way_at_once(participant: Participant, webuis: list[StandIn]) -> None:
    participant.comes("Several")
    participant.sets_the_task()
    for webui in webuis:
        webui.close_gate()
    names = [
        "sketch.create_new",
        "model.create_new",
        "rendering.create_new",
        "rendering.reference",
        "sketch.create_new",
    ]
    held = [participant.asks(name) for name in names]
    has_ended(participant.asks("brief.create_new"))
    for generation in held:
        expect(generation).to_have_attribute("aria-busy", "true")
    expect(participant.page.get_by_text(re.compile("in the queue")).first).to_be_visible(timeout=ANSWER_MS)
    for webui in webuis:
        webui.open_gate()
    for generation in held:
        has_ended(generation)


def test_a_failure_is_told_in_a_sentence_of_the_participants_language(
    serve: Serve, new_participant: NewParticipant
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/v1"
    participant = new_participant(base_url=serve(OPENAI_BASE_URL=nobody, CHAT_MAX_RETRIES="0"))
    participant.comes("Failure")
    participant.sets_the_task()
    brief = participant.asks("brief.create_new")
    has_ended(brief, "failed")
    expect(brief).to_contain_text("The language model did not answer. Try again in a moment.")
    expect(participant.page.locator("[data-announcer]")).to_contain_text("New briefs failed. The language model")
    participant.page.get_by_role("button", name="切换为中文").click()
    expect(brief).to_contain_text("语言模型没有回应，请稍后重试。")
    expect(participant.page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert participant.serious_findings() == []


def test_what_failed_can_be_tried_again(participant: Participant, webuis: list[StandIn]) -> None:
    participant.comes("Retry")
    participant.sets_the_task()
    for webui in webuis:
        webui.plan("out_of_memory", forever=True)
    sketch = participant.asks("sketch.create_new")
    has_ended(sketch, "failed")
    for webui in webuis:
        webui.reset()
    newest = participant.column("sketch").locator("[data-generation]").first

    def is_made() -> bool:
        # Until the pool has looked at the WebUIs again it says at once that none is there.
        shown = str(newest.get_attribute("data-generation"))
        newest.get_by_role("button", name="Try again").click()
        expect(newest).not_to_have_attribute("data-generation", shown, timeout=ANSWER_MS)
        expect(newest).to_have_attribute("aria-busy", "false", timeout=ANSWER_MS)
        return newest.get_attribute("data-state") == "succeeded"

    until(is_made, "the picture", timeout_s=60)


def test_again_gives_the_same_picture_and_a_variation_another(participant: Participant) -> None:
    participant.comes("Again")
    participant.sets_the_task()
    participant.page.get_by_role("button", name="Fewer proposals").click()
    first = participant.asks("sketch.create_new")
    has_ended(first)
    column = participant.column("sketch").locator("[data-generation]")
    addresses = [str(first.locator(".tile img").get_attribute("src"))]
    for count, what in ((2, "Again"), (3, "Variation")):
        first.get_by_role("button", name=re.compile(f"^{what}:")).click()
        expect(column).to_have_count(count, timeout=ANSWER_MS)
        has_ended(column.first)
        addresses.append(str(column.first.locator(".tile img").get_attribute("src")))
    assert addresses[0] == addresses[1] != addresses[2]


def test_a_picture_can_be_downloaded(participant: Participant) -> None:
    participant.comes("Download")
    participant.sets_the_task()
    sketch = participant.asks("sketch.create_new")
    has_ended(sketch)
    sketch.locator(".tile").first.hover()
    sketch.get_by_role("button", name=re.compile("Look closer")).first.click()
    with participant.page.expect_download() as download:
        participant.page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.startswith("sketch-create_new-")


def test_all_of_it_works_by_keyboard(participant: Participant) -> None:
    page = participant.page
    page.goto(f"{participant.base_url}/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    tab_to(participant, "Your name")
    page.keyboard.type("Keyboard")
    page.keyboard.press("Enter")
    participant.is_in()
    expect(page.get_by_role("textbox", name="Design task")).to_be_focused()
    page.keyboard.type("desk lamp")
    page.keyboard.press("Enter")
    tab_to(participant, "New sketches")
    page.keyboard.press("Enter")
    sketch = participant.column("sketch").locator("[data-generation]").first
    has_ended(sketch)
    expect(page.locator("[data-announcer]")).to_have_text("New sketches is done.")
    tab_to(participant, "New sketches, picture 1. Use as input")
    page.keyboard.press("Space")
    tab_to(participant, "Look closer: New sketches, picture 1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Look closer: New sketches, picture 1")).to_be_focused()
    tab_to(participant, "Turn into a rendering")
    page.keyboard.press("Enter")
    has_ended(participant.column("rendering").locator("[data-generation]").first)


def tab_to(participant: Participant, name: str) -> None:
    """Press Tab until something of this name (the beginning of it) has the focus."""
    for _ in range(150):
        participant.page.keyboard.press("Tab")
        focused = participant.page.evaluate(
            "() => { const one = document.activeElement;"
            " return one.getAttribute('aria-label') || one.labels?.[0]?.innerText || one.innerText || '' }"
        )
        if focused.strip().startswith(name):
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


def test_on_a_tablet_one_column_is_shown_behind_tabs(new_participant: NewParticipant) -> None:
    participant = new_participant(820, 1180, has_touch=True)
    participant.comes("Tablet")
    participant.sets_the_task()
    expect(participant.page.get_by_role("tabpanel")).to_have_count(1)
    participant.page.get_by_role("tab", name="Sketch").tap()
    sketch = participant.asks("sketch.create_new")
    has_ended(sketch)
    assert participant.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    participant.page.get_by_role("tab", name="Sketch").press("ArrowRight")
    expect(participant.page.get_by_role("tab", name="Model")).to_be_focused()


def test_a_name_without_letters_is_refused_by_the_page(participant: Participant) -> None:
    participant.page.goto(f"{participant.base_url}/")
    participant.page.get_by_role("button", name="Start", exact=True).click()
    expect(participant.page.get_by_role("alert")).to_have_text("Please enter a name.")


def test_while_the_server_is_gone_the_page_says_so(participant: Participant) -> None:
    participant.comes("Offline")
    participant.sets_the_task()
    participant.page.route("**/api/generations", lambda route: route.abort())
    with participant.expecting_problems(r"Failed to load resource"):
        participant.operation("sketch.create_new").click()
        toast = participant.page.get_by_role("region", name="Notifications")
        expect(toast).to_contain_text("The server cannot be reached", timeout=ANSWER_MS)


def test_a_submission_whose_answer_was_lost_is_not_made_twice(participant: Participant) -> None:
    participant.comes("Lost answer")
    participant.sets_the_task()
    lost: list[int] = []

    def lose_the_first(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    participant.page.route("**/api/generations", lose_the_first)
    with participant.expecting_problems(r"Failed to load resource"):
        has_ended(participant.asks("brief.create_new"))
    participant.page.reload()
    participant.is_in()
    assert lost == [202]
    expect(participant.column("brief").locator("[data-generation]")).to_have_count(1)
