"""All 14 operations answer what the existing front end can show, in number, shape and keys."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tests.api.answers import data_of
from tests.api.front_end import (
    BRIEF_KEYS,
    BUTTONS,
    CANVAS_NEEDED,
    CANVAS_OR_TEXTS,
    EXTENSION_KEYS,
    PRODUCT_KEYS,
    STAGES,
    TEXT_OPERATIONS,
    body,
    cards_in,
    pictures_in,
    shown,
)
from tests.api.server import Server
from tests.stand_ins import picture

pytestmark = pytest.mark.api

PLAIN_IMAGE_OPERATIONS = tuple(
    name for name in BUTTONS if name not in (*TEXT_OPERATIONS, "sketch.reference", "model.multi_view")
)


@pytest.fixture(scope="module")
def canvas(server: Server) -> str:
    """Upload the drawing that a participant has on the canvas."""
    return server.uploaded(picture(512, 512, "RGBA"))


def _check_picture(server: Server, url: str) -> None:
    assert url.startswith(f"{server.url}/images/")
    answer = server.get(url)
    assert answer.headers["Content-Type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as image:
        image.load()
        assert image.size == (512, 512)


def _generated(server: Server, operation: str, **changes: Any) -> Any:
    return data_of(server.post("/generate", body(operation, **changes)))


@pytest.mark.parametrize("operation", TEXT_OPERATIONS)
@pytest.mark.parametrize("num", [1, 2, 3])
def test_a_text_operation_answers_one_block_of_as_many_cards_as_asked_for(
    server: Server, operation: str, num: int
) -> None:
    [block] = shown(_generated(server, operation, currentNum=num, selectedTexts=["续航时间短"]))

    assert len(block.cards) == num
    assert not block.pictures


@pytest.mark.parametrize("num", [1, 2, 3])
def test_sketches_come_in_one_block_of_as_many_pictures_as_asked_for(server: Server, num: int) -> None:
    [block] = shown(_generated(server, "sketch.create_new", currentNum=num))

    assert len(block.pictures) == num


@pytest.mark.parametrize("operation", PLAIN_IMAGE_OPERATIONS)
def test_an_image_operation_answers_one_block_of_absolute_urls_that_give_whole_pngs(
    server: Server, canvas: str, operation: str
) -> None:
    data = _generated(server, operation, currentNum=2, selectedCanvasRecords=[canvas])

    assert isinstance(data, dict)
    [block] = shown(data)
    assert len(block.pictures) == 2
    for url in block.pictures:
        _check_picture(server, url)


def test_a_sketch_after_a_reference_answers_a_list_of_one_card_and_the_pictures(server: Server) -> None:
    data = _generated(server, "sketch.reference", currentNum=2)

    assert isinstance(data, list)
    card, sketches = shown(data)
    assert len(card.cards) == 1
    assert len(sketches.pictures) == 2


def test_the_views_are_a_list_of_one_block_of_six_pictures_whatever_the_number(server: Server, canvas: str) -> None:
    data = _generated(server, "model.multi_view", currentNum=1, selectedCanvasRecords=[canvas])

    assert isinstance(data, list)
    [block] = shown(data)
    assert len(block.pictures) == 6
    for url in block.pictures:
        _check_picture(server, url)


def test_a_brief_has_exactly_the_keys_of_a_brief_and_lists_in_them(server: Server) -> None:
    for card in cards_in(_generated(server, "brief.create_new", currentNum=2)):
        assert set(card) == BRIEF_KEYS
        assert all(isinstance(part, list) and part for part in card.values())


def test_an_existing_product_has_exactly_the_keys_of_a_product(server: Server) -> None:
    for card in cards_in(_generated(server, "brief.reference", currentNum=2)):
        assert set(card) == PRODUCT_KEYS
        assert isinstance(card["产品名"], str)


def test_an_extension_has_some_of_its_keys_and_lists_of_phrases_in_them(server: Server) -> None:
    for card in cards_in(_generated(server, "brief.extend", currentNum=2, selectedTexts=["续航时间短"])):
        assert card
        assert set(card) <= EXTENSION_KEYS
        assert all(isinstance(phrase, str) for phrases in card.values() for phrase in phrases)


def test_the_advice_card_holds_appearance_and_build_in_their_nested_boxes(server: Server) -> None:
    [advice] = cards_in(_generated(server, "sketch.reference"))

    assert set(advice) == {"外观造型", "内部结构"}
    assert set(advice["外观造型"]) == {"形状", "边缘加工", "细节", "使用方式"}
    assert set(advice["内部结构"]) == {"整体布局", "模块布局"}
    assert set(advice["内部结构"]["整体布局"]) == {"建议尺寸", "技术规格"}
    assert "模块1" in advice["内部结构"]["模块布局"]
    for module in advice["内部结构"]["模块布局"].values():
        assert set(module) == {"尺寸", "技术规格"}


@pytest.mark.parametrize("operation", CANVAS_OR_TEXTS)
def test_a_selected_text_opens_an_operation_that_wants_canvas_or_texts(server: Server, operation: str) -> None:
    assert pictures_in(_generated(server, operation, selectedTexts=["折叠机臂"]))


@pytest.mark.parametrize("operation", [name for name in BUTTONS if name not in CANVAS_NEEDED + CANVAS_OR_TEXTS])
def test_a_canvas_that_could_not_be_uploaded_is_no_obstacle_where_none_is_needed(
    server: Server, operation: str
) -> None:
    assert shown(_generated(server, operation, selectedCanvasRecords=[None]))


@pytest.mark.parametrize("stage", [STAGES[0], "准备", ""])
@pytest.mark.parametrize("operation", ["sketch.extend", "sketch.transform", "rendering.extend"])
def test_the_workspace_does_not_matter_where_the_contract_names_none(
    server: Server, canvas: str, operation: str, stage: str
) -> None:
    assert _generated(server, operation, currentStage=stage, selectedCanvasRecords=[canvas])


@pytest.mark.parametrize("num", ["2", 2, 2.0])
def test_a_number_may_come_as_number_or_as_digits(server: Server, num: object) -> None:
    assert len(cards_in(_generated(server, "brief.create_new", currentNum=num))) == 2


def test_extending_without_any_selected_text_is_allowed(server: Server) -> None:
    assert cards_in(_generated(server, "brief.extend", selectedTexts=[]))


def test_a_canvas_may_be_followed_by_further_records_as_data_urls(server: Server, canvas: str) -> None:
    further = "data:image/png;base64," + base64.b64encode(picture(256, 256)).decode()
    assert pictures_in(_generated(server, "sketch.extend", selectedCanvasRecords=[canvas, further]))


@pytest.mark.parametrize("username", ["", "张三", "a/../b", "line\nbreak", "nul\x00inside", " P 07 ", "P" * 256])
def test_any_user_name_that_can_be_typed_is_taken_as_it_is(server: Server, username: str) -> None:
    assert _generated(server, "brief.create_new", username=username)

    participant = server.stores.participants.find(username)
    assert participant is not None
    assert participant.username == username
