"""Drawings made with the mouse: what is drawn is what the sketch follows, whoever else draws at that moment."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route

from tests.browser.conftest import NewDesigner
from tests.browser.designer import Answer, Designer
from tests.browser.drawings import HOUSE, TOWER, Drawing
from tests.browser.walk import AI_STAGES, SKETCH, TASK

pytestmark = pytest.mark.browser


@pytest.fixture
def house_builder(new_designer: NewDesigner) -> Designer:
    """Seat a user who has drawn a house and has picked 扩展/添加."""
    return draw(new_designer(), "甲", HOUSE)


@pytest.fixture
def tower_builder(new_designer: NewDesigner) -> Designer:
    """Seat another user, who has drawn a tower."""
    return draw(new_designer(), "乙", TOWER)


def draw(designer: Designer, username: str, drawing: Drawing) -> Designer:
    """Do all but 提交."""
    designer.introduces(username, TASK)
    designer.enters(SKETCH)
    for line in drawing.lines:
        designer.draws(line)
    designer.selects_canvas()
    designer.chooses(AI_STAGES[SKETCH], "扩展/添加", 1)
    return designer


def test_the_extended_sketch_follows_the_drawing(house_builder: Designer) -> None:
    assert_follows(house_builder, house_builder.submits(), HOUSE, TOWER)


def test_two_users_at_once_get_each_their_own_drawing(house_builder: Designer, tower_builder: Designer) -> None:
    # Both files are called canvas.png. Both are uploaded before either /generate goes out, the earlier one last.
    held_house, house = held(house_builder)
    held_tower, tower = held(tower_builder)
    held_tower.continue_()
    held_house.continue_()
    assert_follows(house_builder, house, HOUSE, TOWER)
    assert_follows(tower_builder, tower, TOWER, HOUSE)


def held(designer: Designer) -> tuple[Route, Answer]:
    """Press 提交 and stop the /generate that follows the upload, right before it leaves the browser."""
    routes: list[Route] = []
    designer.page.route("**/generate", lambda route: routes.append(route), times=1)
    answer = designer.submits()
    while not routes:
        # Each call lets the browser's messages in; the test's own deadline ends it.
        designer.page.evaluate("new Promise(requestAnimationFrame)")
    return routes[0], answer


def assert_follows(designer: Designer, answer: Answer, own: Drawing, other: Drawing) -> None:
    """Fail unless the picture has the lines of this user's drawing, and not those of the other one."""
    answer.toast("生成成功")
    designer.puts_in_workspace(answer.images.first)
    picture = designer.canvas()
    assert own.followed_by(picture) > 0.9
    assert other.followed_by(picture) < 0.5
