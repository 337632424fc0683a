"""When something goes wrong behind the server, the page says so and goes on."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.designer import Designer
from tests.browser.walk import AI_STAGES, SKETCH, TASK
from tests.stand_ins import StandIn

pytestmark = pytest.mark.browser

FAILED = "生成失败，请稍后再试"
# The browser itself reports each answer that is not 2xx; a CORS error would read differently.
REFUSED = r"^console: Failed to load resource: the server responded with a status of 5\d\d"


@pytest.mark.parametrize("kind", ["error_500", "reset", "broken_base64"])
def test_a_failing_image_service_shows_the_toast_and_the_page_goes_on(
    designer: Designer, webuis: list[StandIn], kind: str
) -> None:
    designer.introduces("小明", TASK)
    designer.chooses(AI_STAGES[SKETCH], "生成全新草图", 1)
    for webui in webuis:
        webui.plan(kind, forever=True)
    with designer.expecting_problems(REFUSED):
        answer = designer.submits()
        answer.toast(FAILED)
    expect(answer.blocks).to_have_count(0)

    for webui in webuis:
        webui.reset()
    again = designer.submits()
    again.toast("生成成功")
    expect(again.images).to_have_count(1)


def test_a_missing_design_task_shows_the_toast(designer: Designer) -> None:
    designer.introduces("小明", "")
    designer.chooses(AI_STAGES[SKETCH], "生成全新草图", 1)
    with designer.expecting_problems(r"^console: Failed to load resource: .* status of 400"):
        designer.submits().toast(FAILED)


def test_a_slow_answer_does_not_hold_up_another(designer: Designer, webuis: list[StandIn]) -> None:
    designer.introduces("小明", TASK)
    for webui in webuis:
        webui.close_gate()
    designer.chooses(AI_STAGES[SKETCH], "生成全新草图", 1)
    slow = designer.submits()
    designer.chooses("设计摘要的辅助生成", "生成全新摘要", 1)
    quick = designer.submits()
    quick.toast("生成成功")
    expect(slow.blocks).to_have_count(0)
    for webui in webuis:
        webui.open_gate()
    slow.toast("生成成功")
    # It goes to the assistant's stage that was current when it was submitted.
    expect(designer.page.locator(f"[data-ai='{AI_STAGES[SKETCH]}'] img")).to_have_count(1)
