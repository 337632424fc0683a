"""The 14 operations as the front end presses them, and which of their steps must follow each other."""

from collections.abc import Mapping, Sequence

BRIEF_AI, SKETCH_AI = "设计摘要的辅助生成", "草图的辅助生成"
MODEL_AI, RENDERING_AI = "模型图的辅助生成", "场景与产品渲染图的辅助生成"
BRIEF, SKETCH = "设计摘要的环境", "草图的环境"
MODEL, RENDERING = "模型图的环境", "场景与产品渲染图的环境"

BUTTONS: Mapping[str, tuple[str, str, str]] = {
    "brief.create_new": (BRIEF_AI, "生成全新摘要", BRIEF),
    "brief.reference": (BRIEF_AI, "现有产品参考", BRIEF),
    "brief.extend": (BRIEF_AI, "扩展/增加", BRIEF),
    "sketch.create_new": (SKETCH_AI, "生成全新草图", SKETCH),
    "sketch.reference": (SKETCH_AI, "现有产品参考", SKETCH),
    "sketch.extend": (SKETCH_AI, "扩展/添加", SKETCH),
    "sketch.transform": (SKETCH_AI, "转换为草图", RENDERING),
    "model.create_new": (MODEL_AI, "生成全新模型", MODEL),
    "model.multi_view": (MODEL_AI, "多角度拓展", MODEL),
    "model.transform": (MODEL_AI, "转化为白模图", SKETCH),
    "rendering.create_new": (RENDERING_AI, "生成全新场景", RENDERING),
    "rendering.reference": (RENDERING_AI, "现有产品参考", RENDERING),
    "rendering.extend": (RENDERING_AI, "扩展至场景", RENDERING),
    "rendering.transform": (RENDERING_AI, "转化为渲染图", MODEL),
}
"""aiStage, buttonText and currentStage of each operation, as the front end sends them."""

CHAT, PAINT, SAM = ("chat",), ("paint",), ("sam",)

CHAINS: Mapping[str, Sequence[Sequence[str]]] = {
    "brief.create_new": (CHAT,),
    "brief.reference": (CHAT,),
    "brief.extend": (CHAT,),
    # The subject of a new task is asked for first.
    "sketch.create_new": (CHAT, PAINT),
    # The advice (beside the subject), the shape that follows from it, the sketches.
    "sketch.reference": (CHAT, CHAT, PAINT),
    "sketch.extend": (CHAT, PAINT),
    "sketch.transform": (CHAT, SAM, PAINT),
    "model.create_new": (CHAT, PAINT),
    "model.multi_view": (CHAT, SAM, PAINT),
    "model.transform": (CHAT, PAINT),
    # The scene is asked for with the subject in the question.
    "rendering.create_new": (CHAT, CHAT, PAINT),
    "rendering.reference": (CHAT, PAINT, SAM),
    "rendering.extend": (CHAT, ("chat", "sam"), PAINT),
    "rendering.transform": (CHAT, PAINT),
}
"""The steps of each operation that need one another's results, in order; a group may run side by side."""
