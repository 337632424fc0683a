"""The existing front end's page, as the contract describes it, against the real server in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from apps.stepideator.operations import OPERATIONS
from tests.browser.designer import Answer, Designer, assert_visible
from tests.browser.walk import STEPS, TASK, Step

pytestmark = pytest.mark.browser


def test_the_walk_presses_each_of_the_14_buttons() -> None:
    assert {(step.ai_stage, step.button) for step in STEPS} == set(OPERATIONS)


def test_a_participant_goes_from_brief_to_rendering_and_sees_every_text_and_picture(designer: Designer) -> None:
    designer.introduces("小明 07/a", TASK)
    for step in STEPS:
        answer = take(designer, step)
        answer.toast("生成成功")
        assert_shown(answer, step)
        if step.keeps:
            designer.puts_in_workspace(answer.images.first)


def take(designer: Designer, step: Step) -> Answer:
    """Do what a step says, up to 提交."""
    if step.workspace:
        designer.enters(step.workspace)
    if step.text:
        designer.writes_and_selects(step.text)
    if step.on_canvas:
        designer.selects_canvas()
    designer.chooses(step.ai_stage, step.button, step.number)
    return designer.submits()


def assert_shown(answer: Answer, step: Step) -> None:
    """Fail unless the page shows all that the step gives, and all of it has content."""
    expect(answer.cards).to_have_count(step.cards)
    expect(answer.images).to_have_count(step.images)
    for card in answer.cards.all():
        assert_filled(card, step.keys)
    for image in answer.images.all():
        assert_visible(image)
    assert len(set(answer.urls())) == step.images, "the page finds a picture by its URL, so each needs its own"


def assert_filled(card: Locator, keys: tuple[str, ...]) -> None:
    """Fail unless a card is labelled, shows these keys, and has values without an empty one among them."""
    assert card.inner_text().startswith("0:")
    assert {f"{key}:" for key in keys} <= set(card.locator(".key").all_inner_texts())
    values = [value.strip() for value in card.locator("li, .value").all_inner_texts()]
    assert len(values) >= len(keys) and all(values)
