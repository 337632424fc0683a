"""The existing front end, as the contract describes it: what it sends, and how it shows what it gets."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

TASK = "设计一款农业无人机"
BRIEF, SKETCH = "设计摘要的辅助生成", "草图的辅助生成"
MODEL, RENDERING = "模型图的辅助生成", "场景与产品渲染图的辅助生成"
STAGES = ("设计摘要的环境", "草图的环境", "模型图的环境", "场景与产品渲染图的环境")
IMAGE = re.compile(r"\.(jpeg|jpg|gif|png)\Z")

BRIEF_KEYS = {"目标人群", "使用场景", "痛点", "主要功能"}
PRODUCT_KEYS = {"产品名", "目标人群", "使用场景", "痛点", "主要功能", "结构", "外观造型", "现有技术"}
EXTENSION_KEYS = {"目标人群", "使用场景", "痛点", "主要功能", "外观造型", "结构", "现有技术"}


@dataclass(frozen=True)
class Button:
    """A button of the front end, with the name that our records give its operation."""

    name: str
    ai_stage: str
    text: str


BUTTONS = {
    button.name: button
    for button in (
        Button("brief.create_new", BRIEF, "生成全新摘要"),
        Button("brief.reference", BRIEF, "现有产品参考"),
        Button("brief.extend", BRIEF, "扩展/增加"),
        Button("sketch.create_new", SKETCH, "生成全新草图"),
        Button("sketch.reference", SKETCH, "现有产品参考"),
        Button("sketch.extend", SKETCH, "扩展/添加"),
        Button("sketch.transform", SKETCH, "转换为草图"),
        Button("model.create_new", MODEL, "生成全新模型"),
        Button("model.multi_view", MODEL, "多角度拓展"),
        Button("model.transform", MODEL, "转化为白模图"),
        Button("rendering.create_new", RENDERING, "生成全新场景"),
        Button("rendering.reference", RENDERING, "现有产品参考"),
        Button("rendering.extend", RENDERING, "扩展至场景"),
        Button("rendering.transform", RENDERING, "转化为渲染图"),
    )
}
TEXT_OPERATIONS = ("brief.create_new", "brief.reference", "brief.extend")
CANVAS_NEEDED = ("sketch.extend", "rendering.extend", "rendering.transform")
CANVAS_OR_TEXTS = ("sketch.transform", "model.multi_view", "model.transform")


def body(operation: str, **changes: Any) -> dict[str, Any]:
    """Make the eight keys that the front end always sends."""
    button = BUTTONS[operation]
    return {
        "username": "P07",
        "designTask": TASK,
        "currentNum": 1,
        "currentAIStage": button.ai_stage,
        "currentStage": "草图的环境",
        "selectedTexts": [],
        "selectedCanvasRecords": [],
        "selectedButtonInfo": {"buttonText": button.text, "aiStage": button.ai_stage},
        **changes,
    }


@dataclass(frozen=True)
class Block:
    """One result block as the page shows it: pictures, or cards made from texts."""

    pictures: tuple[str, ...] = ()
    cards: tuple[dict[str, Any], ...] = ()


def shown(data: Any) -> list[Block]:
    """Read `data` by the page's rules; fail where the page would crash or show an empty card."""
    return [_block(block) for block in (data if isinstance(data, list) else [data])]


def pictures_in(data: Any) -> list[str]:
    """List the picture URLs of all blocks."""
    return [picture for block in shown(data) for picture in block.pictures]


def cards_in(data: Any) -> list[dict[str, Any]]:
    """List the cards of all blocks."""
    return [card for block in shown(data) for card in block.cards]


def _block(block: Any) -> Block:
    assert isinstance(block, dict), f"a block must be an object: {block!r}"
    assert list(block) == [str(index) for index in range(len(block))], f"keys must count from 0: {list(block)}"
    assert block, "an empty block shows nothing"
    assert all(isinstance(value, str) for value in block.values()), "a value that is no string is an empty card"
    are_images = [bool(IMAGE.search(value)) for value in block.values()]
    if all(are_images):
        assert len(set(block.values())) == len(block), "the page finds a picture by its URL"
        return Block(pictures=tuple(block.values()))
    assert not any(are_images), "one text turns all pictures of its block into cards"
    return Block(cards=tuple(_card(value) for value in block.values()))


def _card(text: str) -> dict[str, Any]:
    card = json.loads(text)
    assert isinstance(card, dict), f"a card is an object: {text}"
    assert not _holds_null(card), f"a null crashes the page: {text}"
    return card


def _holds_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_null(part) for part in value.values())
    return value is None or (isinstance(value, list) and any(_holds_null(part) for part in value))
