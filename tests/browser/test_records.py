"""What the page sends beside /generate: files of the user's own, stage times, saved workspaces."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import NewDesigner
from tests.browser.designer import Designer
from tests.browser.drawings import HOUSE
from tests.browser.walk import MODEL, SKETCH, TASK

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_file_of_the_users_own_becomes_the_canvas(designer: Designer, kind: str) -> None:
    buffer = io.BytesIO()
    picture = Image.new("RGB", (300, 200), "white")
    picture.paste((200, 30, 30), (50, 50, 250, 150))
    picture.save(buffer, kind)
    designer.uploads(f"我的 图片/{kind}.{kind.lower()}", buffer.getvalue())
    red, green, blue = designer.canvas().getpixel((256, 256))  # type: ignore[misc]
    assert red > 180 and green < 60 and blue < 60


def test_stage_times_are_taken(designer: Designer) -> None:
    designer.introduces("小明", TASK)
    designer.enters(SKETCH)
    designer.enters(MODEL)
    with designer.page.expect_response("**/timeRecord") as answer:
        designer.page.get_by_role("button", name="提交计时").click()
    expect(designer.page.get_by_text("提交计时成功")).to_be_visible()
    sent = json.loads(answer.value.request.post_data or "")
    assert set(sent["stageSwitchRecords"]) == {"设计摘要的环境", SKETCH, MODEL}
    assert "duration" not in sent["stageSwitchRecords"][MODEL][0]
    assert answer.value.json()["success"]


def test_a_saved_workspace_comes_back_in_another_browser(new_designer: NewDesigner) -> None:
    before = new_designer()
    before.introduces("恢复 小红", TASK)
    before.enters(SKETCH)
    for line in HOUSE.lines:
        before.draws(line)
    before.page.get_by_role("button", name="保存").click()
    expect(before.page.get_by_text("保存数据成功")).to_be_visible()

    after = new_designer()
    after.introduces("恢复 小红", "")
    after.page.get_by_role("button", name="恢复").click()
    expect(after.page.get_by_label("设计任务")).to_have_value(TASK)
    expect(after.page.locator("#stages").get_by_text(SKETCH)).to_have_attribute("aria-pressed", "true")
    assert HOUSE.followed_by(after.canvas()) == 1
