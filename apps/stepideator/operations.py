"""The 14 operations: one table, one lookup.

An operation's name is `<representation>.<what it does>`; its legacy pair is (aiStage, buttonText), exactly as the front
end sends them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from apps.codes import BUSINESS_FAIL
from apps.errors import BusinessException
from apps.stepideator.logic import brief, model, rendering, sketch
from apps.stepideator.messages import OPERATION_UNKNOWN
from jobs.run import OperationFunction

BRIEF, SKETCH = "设计摘要的辅助生成", "草图的辅助生成"
MODEL, RENDERING = "模型图的辅助生成", "场景与产品渲染图的辅助生成"

STAGES: Mapping[str, str] = {
    "设计摘要的环境": "brief",
    "草图的环境": "sketch",
    "模型图的环境": "model",
    "场景与产品渲染图的环境": "rendering",
}
"""currentStage, the workspace that the participant sees, as a representation."""


class Need(StrEnum):
    """What an operation needs besides the task and the number."""

    NOTHING = "nothing"
    TEXTS = "texts"
    CANVAS = "canvas"
    CANVAS_OR_TEXTS = "canvas or texts"


class Shape(StrEnum):
    """How the legacy `data` of an operation is built."""

    TEXTS = "texts"
    IMAGES = "images"
    CARD_AND_IMAGES = "card and images"
    VIEWS = "views"


@dataclass(frozen=True)
class Operation:
    """One row of the table.

    `stages` are the workspaces in which the operation can work on a canvas; empty means any.
    """

    name: str
    ai_stage: str
    button_text: str
    function: OperationFunction
    shape: Shape
    need: Need = Need.NOTHING
    stages: tuple[str, ...] = ()

    @property
    def representation(self) -> str:
        """The form of the concept that it makes: brief, sketch, model or rendering."""
        return self.name.partition(".")[0]

    @property
    def summary(self) -> str:
        """What it does, in one sentence."""
        return (self.function.__doc__ or "").strip().splitlines()[0]


_TABLE = (
    Operation("brief.create_new", BRIEF, "生成全新摘要", brief.create_new, Shape.TEXTS),
    Operation("brief.reference", BRIEF, "现有产品参考", brief.reference, Shape.TEXTS),
    Operation("brief.extend", BRIEF, "扩展/增加", brief.extend, Shape.TEXTS, Need.TEXTS),
    Operation("sketch.create_new", SKETCH, "生成全新草图", sketch.create_new, Shape.IMAGES),
    Operation("sketch.reference", SKETCH, "现有产品参考", sketch.reference, Shape.CARD_AND_IMAGES),
    Operation("sketch.extend", SKETCH, "扩展/添加", sketch.extend, Shape.IMAGES, Need.CANVAS),
    Operation("sketch.transform", SKETCH, "转换为草图", sketch.transform, Shape.IMAGES, Need.CANVAS_OR_TEXTS),
    Operation("model.create_new", MODEL, "生成全新模型", model.create_new, Shape.IMAGES),
    Operation("model.multi_view", MODEL, "多角度拓展", model.multi_view, Shape.VIEWS, Need.CANVAS_OR_TEXTS),
    Operation(
        "model.transform",
        MODEL,
        "转化为白模图",
        model.transform,
        Shape.IMAGES,
        Need.CANVAS_OR_TEXTS,
        ("sketch", "rendering"),
    ),
    Operation("rendering.create_new", RENDERING, "生成全新场景", rendering.create_new, Shape.IMAGES),
    Operation("rendering.reference", RENDERING, "现有产品参考", rendering.reference, Shape.IMAGES),
    Operation("rendering.extend", RENDERING, "扩展至场景", rendering.extend, Shape.IMAGES, Need.CANVAS),
    Operation(
        "rendering.transform",
        RENDERING,
        "转化为渲染图",
        rendering.transform,
        Shape.IMAGES,
        Need.CANVAS,
        ("sketch", "model"),
    ),
)

OPERATIONS: Mapping[tuple[str, str], Operation] = {(row.ai_stage, row.button_text): row for row in _TABLE}
FUNCTIONS: Mapping[str, OperationFunction] = {row.name: row.function for row in _TABLE}


def find_operation(ai_stage: str, button_text: str) -> Operation:
    """Look up the operation behind a button.

    Raises:
        BusinessException: no operation has this pair.
    """
    try:
        return OPERATIONS[ai_stage, button_text]
    except KeyError:
        raise BusinessException(BUSINESS_FAIL, OPERATION_UNKNOWN) from None
