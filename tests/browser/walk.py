"""From brief to rendering by all 14 buttons: what is pressed, on what, and how much must be seen."""

from __future__ import annotations

from dataclasses import dataclass

BRIEF, SKETCH, MODEL, RENDERING = "设计摘要的环境", "草图的环境", "模型图的环境", "场景与产品渲染图的环境"
AI_STAGES = {
    BRIEF: "设计摘要的辅助生成",
    SKETCH: "草图的辅助生成",
    MODEL: "模型图的辅助生成",
    RENDERING: "场景与产品渲染图的辅助生成",
}
TASK = "设计一款适合小户型的桌面台灯"


@dataclass(frozen=True)
class Step:
    """One press of 提交.

    `workspace` is where the user is; `on_canvas` hands over what lies there. `keeps` puts the first picture into the
    workspace afterwards, which also brings the user to the workspace of the assistant's stage.
    """

    stage: str
    button: str
    number: int
    cards: int = 0
    images: int = 0
    workspace: str = ""
    text: str = ""
    on_canvas: bool = False
    keeps: bool = False
    keys: tuple[str, ...] = ()

    @property
    def ai_stage(self) -> str:
        """The assistant's stage."""
        return AI_STAGES[self.stage]


STEPS = (
    Step(BRIEF, "生成全新摘要", 2, cards=2, keys=("目标人群", "使用场景", "痛点", "主要功能")),
    Step(BRIEF, "现有产品参考", 2, cards=2, text="夜里阅读", keys=("产品名", "外观造型")),
    Step(BRIEF, "扩展/增加", 1, cards=1, text="灯光刺眼", keys=("主要功能",)),
    Step(SKETCH, "生成全新草图", 3, images=3, keeps=True),
    Step(SKETCH, "现有产品参考", 1, cards=1, images=1, keys=("外观造型", "形状", "内部结构", "技术规格")),
    Step(SKETCH, "扩展/添加", 2, images=2, workspace=SKETCH, on_canvas=True),
    Step(MODEL, "转化为白模图", 1, images=1, workspace=SKETCH, on_canvas=True),
    Step(MODEL, "生成全新模型", 1, images=1, keeps=True),
    Step(MODEL, "多角度拓展", 1, images=6, workspace=MODEL, on_canvas=True),
    Step(RENDERING, "转化为渲染图", 2, images=2, workspace=MODEL, on_canvas=True, keeps=True),
    Step(SKETCH, "转换为草图", 1, images=1, workspace=RENDERING, on_canvas=True),
    Step(RENDERING, "生成全新场景", 1, images=1),
    Step(RENDERING, "现有产品参考", 1, images=1),
    Step(RENDERING, "扩展至场景", 1, images=1, workspace=RENDERING, on_canvas=True),
)  # fmt: skip
