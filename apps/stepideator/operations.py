"""The 14 operations: one table, one lookup.

An operation's name is `<representation>.<what it does>`; its legacy pair is (aiStage, buttonText), exactly as the front
end sends them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
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

    `stages` are the workspaces in which the operation can work on a canvas; empty means any. `presets` are the image
    presets that it uses without a canvas, `canvas_presets` those with one, by the stage that the canvas comes from
    ("" stands for any).
    """

    name: str
    ai_stage: str
    button_text: str
    function: OperationFunction
    shape: Shape
    need: Need = Need.NOTHING
    stages: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    canvas_presets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def representation(self) -> str:
        """The form of the concept that it makes: brief, sketch, model or rendering."""
        return self.name.partition(".")[0]

    @property
    def all_presets(self) -> tuple[str, ...]:
        """Every image preset that some run of it uses, each once."""
        several = (self.presets, *self.canvas_presets.values())
        return tuple(dict.fromkeys(preset for presets in several for preset in presets))

    @property
    def summary(self) -> str:
        """What it does, in one sentence."""
        return (self.function.__doc__ or "").strip().splitlines()[0]

    def presets_for(self, *, has_canvas: bool, stage: str = "") -> tuple[str, ...]:
        """Name the image presets that one run uses; empty for an operation that only chats."""
        if not has_canvas or not self.canvas_presets:
            return self.presets
        return self.canvas_presets.get(stage) or self.canvas_presets.get("", ())


_TABLE = (
    Operation("brief.create_new", BRIEF, "生成全新摘要", brief.create_new, Shape.TEXTS),
    Operation("brief.reference", BRIEF, "现有产品参考", brief.reference, Shape.TEXTS),
    Operation("brief.extend", BRIEF, "扩展/增加", brief.extend, Shape.TEXTS, Need.TEXTS),
    Operation(
        "sketch.create_new",
        SKETCH,
        "生成全新草图",
        sketch.create_new,
        Shape.IMAGES,
        presets=("sketch_create_new",),
    ),
    Operation(
        "sketch.reference",
        SKETCH,
        "现有产品参考",
        sketch.reference,
        Shape.CARD_AND_IMAGES,
        presets=("sketch_reference",),
    ),
    Operation(
        "sketch.extend",
        SKETCH,
        "扩展/添加",
        sketch.extend,
        Shape.IMAGES,
        Need.CANVAS,
        canvas_presets={"": ("sketch_extend",)},
    ),
    Operation(
        "sketch.transform",
        SKETCH,
        "转换为草图",
        sketch.transform,
        Shape.IMAGES,
        Need.CANVAS_OR_TEXTS,
        presets=("sketch_create_new",),
        canvas_presets={"": ("sketch_transform",)},
    ),
    Operation(
        "model.create_new",
        MODEL,
        "生成全新模型",
        model.create_new,
        Shape.IMAGES,
        presets=("model_create_new",),
    ),
    Operation(
        "model.multi_view",
        MODEL,
        "多角度拓展",
        model.multi_view,
        Shape.VIEWS,
        Need.CANVAS_OR_TEXTS,
        presets=("model_create_new", "model_view"),
        canvas_presets={"": ("model_view",)},
    ),
    Operation(
        "model.transform",
        MODEL,
        "转化为白模图",
        model.transform,
        Shape.IMAGES,
        Need.CANVAS_OR_TEXTS,
        ("sketch", "rendering"),
        presets=("model_create_new",),
        canvas_presets={stage: (preset,) for stage, preset in model.PRESET_BY_STAGE.items()},
    ),
    Operation(
        "rendering.create_new",
        RENDERING,
        "生成全新场景",
        rendering.create_new,
        Shape.IMAGES,
        presets=("rendering_create_new",),
    ),
    Operation(
        "rendering.reference",
        RENDERING,
        "现有产品参考",
        rendering.reference,
        Shape.IMAGES,
        presets=("rendering_reference",),
    ),
    Operation(
        "rendering.extend",
        RENDERING,
        "扩展至场景",
        rendering.extend,
        Shape.IMAGES,
        Need.CANVAS,
        canvas_presets={"": ("rendering_extend",)},
    ),
    Operation(
        "rendering.transform",
        RENDERING,
        "转化为渲染图",
        rendering.transform,
        Shape.IMAGES,
        Need.CANVAS,
        ("sketch", "model"),
        canvas_presets={"": ("rendering_transform",)},
    ),
)

OPERATIONS: Mapping[tuple[str, str], Operation] = {(row.ai_stage, row.button_text): row for row in _TABLE}
BY_NAME: Mapping[str, Operation] = {row.name: row for row in _TABLE}
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
