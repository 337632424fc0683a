"""The walk of the demo: which button is pressed in which stage, and on what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image, ImageDraw

TASK = "为登山露营者设计一只便携式烧水壶"
TASK_IN_ENGLISH = "Design a portable kettle for mountain campers"
CANVAS_SIZE = (512, 512)
VIEWS = 6

Texts = Mapping[int, list[dict[str, object]]]
Images = Mapping[int, list[Image.Image]]

BRIEF_AI, SKETCH_AI = "设计摘要的辅助生成", "草图的辅助生成"
MODEL_AI, RENDERING_AI = "模型图的辅助生成", "场景与产品渲染图的辅助生成"
BRIEF, SKETCH = "设计摘要的环境", "草图的环境"
MODEL, RENDERING = "模型图的环境", "场景与产品渲染图的环境"


def no_texts(_found: Texts) -> list[str]:
    """Select nothing."""
    return []


def phrase_of(number: int, key: str) -> Callable[[Texts], list[str]]:
    """Select the first phrase under `key` in the first card of an earlier step; LookupError when there is none."""

    def select(found: Texts) -> list[str]:
        value = found[number][0][key]
        return [str(value[0] if isinstance(value, list) else value)]

    return select


@dataclass(frozen=True)
class Step:
    """One press of a button; `on` is the earlier step whose first picture lies on the canvas."""

    number: int
    name: str
    title: str
    ai_stage: str
    button: str
    stage: str
    count: int
    expected: tuple[int, int]
    texts: Callable[[Texts], list[str]] = no_texts
    on: int | None = None
    draws: bool = False


STEPS = (
    Step(1, "brief-create-new", "New design briefs", BRIEF_AI, "生成全新摘要", BRIEF, 2, (2, 0)),
    Step(2, "brief-reference", "An existing product", BRIEF_AI, "现有产品参考", BRIEF, 1, (1, 0),
         phrase_of(1, "使用场景")),
    Step(3, "brief-extend", "Ideas around a text", BRIEF_AI, "扩展/增加", BRIEF, 1, (1, 0), phrase_of(1, "痛点")),
    Step(4, "sketch-create-new", "New sketches", SKETCH_AI, "生成全新草图", SKETCH, 3, (0, 3)),
    Step(5, "sketch-reference", "Advice on form, and sketches of it", SKETCH_AI, "现有产品参考", SKETCH, 2, (1, 2),
         phrase_of(1, "主要功能")),
    Step(6, "sketch-extend", "A sketch taken further", SKETCH_AI, "扩展/添加", SKETCH, 3, (0, 3), on=4, draws=True),
    Step(8, "model-create-new", "New white models", MODEL_AI, "生成全新模型", MODEL, 3, (0, 3)),
    Step(10, "model-transform", "The sketch as a white model", MODEL_AI, "转化为白模图", SKETCH, 3, (0, 3), on=4),
    Step(9, "model-multi-view", "The model from six sides", MODEL_AI, "多角度拓展", MODEL, 1, (0, VIEWS), on=8),
    Step(14, "rendering-transform", "The model as a rendering", RENDERING_AI, "转化为渲染图", MODEL, 3, (0, 3), on=10),
    Step(11, "rendering-create-new", "New scenes", RENDERING_AI, "生成全新场景", RENDERING, 3, (0, 3)),
    Step(12, "rendering-reference", "Product photographs", RENDERING_AI, "现有产品参考", RENDERING, 3, (0, 3)),
    Step(7, "sketch-transform", "A photograph as a sketch", SKETCH_AI, "转换为草图", SKETCH, 3, (0, 3), on=12),
    Step(13, "rendering-extend", "The product in a scene", RENDERING_AI, "扩展至场景", RENDERING, 3, (0, 3), on=12),
)  # fmt: skip
"""In an order in which a designer would work, so that each step finds what it builds on; `number` is the contract's."""


def canvas_of(step: Step, images: Images) -> Image.Image | None:
    """Compose what the front end exports: 512×512 RGBA, white, the picture as background, then the strokes.

    Raises:
        LookupError: the step's picture was never made.
    """
    if step.on is None:
        return None
    canvas = Image.new("RGBA", CANVAS_SIZE, "white")
    canvas.paste(images[step.on][0].resize(CANVAS_SIZE), (0, 0))
    if step.draws:
        _draw_base(canvas)
    return canvas


def _draw_base(canvas: Image.Image) -> None:
    """Draw a heating base under the product with the front end's pen, so that it touches what is drawn there."""
    ink = canvas.convert("L").point(lambda grey: 255 if grey < 110 else 0).crop((0, 0, 512, 480))
    left, _top, right, bottom = ink.getbbox() or (100, 100, 400, 400)
    foot = ink.crop((left, bottom - 40, right, bottom)).getbbox() or (0, 0, right - left, 40)
    left, right = left + foot[0], left + foot[2]
    pen = ImageDraw.Draw(canvas)
    for depth in (0, 34):
        pen.arc((left, bottom - 62 + depth, right, bottom + 6 + depth), 0, 180, fill="black", width=6)
    for x in (left + 3, right - 3):
        pen.line((x, bottom - 28, x, bottom + 6), fill="black", width=6)
