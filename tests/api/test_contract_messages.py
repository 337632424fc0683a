"""What is missing is said in the words of the contract, and nothing is begun."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.answers import REFUSED_LEAVES_ALONE, counts, data_of, failure_of
from tests.api.front_end import BRIEF, BUTTONS, CANVAS_OR_TEXTS, MODEL, SKETCH, STAGES, body
from tests.api.server import Server
from tests.stand_ins import picture

pytestmark = pytest.mark.api

LEFT_OUT = object()


@pytest.fixture(scope="module")
def canvas(server: Server) -> str:
    """Upload the drawing that a participant has on the canvas."""
    return server.uploaded(picture(512, 512))


def _refused(server: Server, wanted: dict[str, Any]) -> str:
    """Send a body that must be refused; check that it leaves no record, and return the message."""
    wanted = {key: value for key, value in wanted.items() if value is not LEFT_OUT}
    before = counts(server, REFUSED_LEAVES_ALONE)
    message = failure_of(server.post("/generate", {**wanted, "username": "who was refused"}), 400)
    assert counts(server, REFUSED_LEAVES_ALONE) == before
    return message


@pytest.mark.parametrize("operation", BUTTONS)
@pytest.mark.parametrize("task", [LEFT_OUT, None, "", " \n"], ids=["left out", "null", "empty", "blank"])
def test_a_missing_design_task_is_named(server: Server, operation: str, task: object) -> None:
    assert _refused(server, body(operation, designTask=task)) == "设计任务缺失"


@pytest.mark.parametrize("operation", BUTTONS)
@pytest.mark.parametrize("num", [LEFT_OUT, None, 0, "0", ""], ids=["left out", "null", "0", "digit 0", "empty"])
def test_a_missing_number_is_named(server: Server, operation: str, num: object) -> None:
    assert _refused(server, body(operation, currentNum=num)) == "设计数量缺失"


@pytest.mark.parametrize("texts", [LEFT_OUT, None], ids=["left out", "null"])
def test_extending_without_a_list_of_texts_is_named(server: Server, texts: object) -> None:
    assert _refused(server, body("brief.extend", selectedTexts=texts)) == "用户选择文本缺失"


@pytest.mark.parametrize(
    "records", [LEFT_OUT, None, [], [None], [""]], ids=["left out", "null", "[]", "[null]", "['']"]
)
@pytest.mark.parametrize("operation", ["sketch.extend", "rendering.extend", "rendering.transform"])
def test_a_missing_canvas_is_named(server: Server, operation: str, records: object) -> None:
    wanted = body(operation, selectedCanvasRecords=records, selectedTexts=["only a text"])

    assert _refused(server, wanted) == "参考图像缺失"


@pytest.mark.parametrize("records", [LEFT_OUT, None, [], [None]], ids=["left out", "null", "[]", "[null]"])
@pytest.mark.parametrize("operation", CANVAS_OR_TEXTS)
def test_neither_canvas_nor_texts_is_named(server: Server, operation: str, records: object) -> None:
    assert _refused(server, body(operation, selectedCanvasRecords=records)) == "参考图像或文本缺失"


@pytest.mark.parametrize(
    ("ai_stage", "button"),
    [
        (BRIEF, "转化为摘要"),
        (MODEL, "现有模型参考"),
        (SKETCH, "扩展/增加"),
        (BRIEF, "扩展/添加"),
        (SKETCH, "no such button"),
        ("no such stage", "生成全新草图"),
        ("", ""),
    ],
)
def test_an_unknown_pair_is_named_also_for_the_sketch(server: Server, ai_stage: str, button: str) -> None:
    pair = {"aiStage": ai_stage, "buttonText": button}

    assert _refused(server, body("brief.create_new", selectedButtonInfo=pair)) == "无效的任务类型"


def _works_on_a_canvas(operation: str) -> tuple[str, ...]:
    others = {
        "model.transform": ("草图的环境", "场景与产品渲染图的环境"),
        "rendering.transform": ("草图的环境", "模型图的环境"),
    }
    return others[operation]


@pytest.mark.parametrize("stage", [*STAGES, "准备", "", LEFT_OUT])
@pytest.mark.parametrize("operation", ["model.transform", "rendering.transform"])
def test_a_canvas_from_the_wrong_workspace_is_named(server: Server, canvas: str, operation: str, stage: Any) -> None:
    wanted = body(operation, currentStage=stage, selectedCanvasRecords=[canvas])
    if stage in _works_on_a_canvas(operation):
        assert data_of(server.post("/generate", wanted))
    else:
        assert _refused(server, wanted) == "用户阶段错误"


@pytest.mark.parametrize("stage", [*STAGES, "准备"])
def test_a_white_model_of_texts_can_be_made_in_any_workspace(server: Server, stage: str) -> None:
    wanted = body("model.transform", currentStage=stage, selectedTexts=["折叠机臂"])

    assert data_of(server.post("/generate", wanted))


@pytest.mark.parametrize(
    ("operation", "stage", "module"),
    [
        ("model.transform", "草图的环境", "lineart_standard"),
        ("model.transform", "场景与产品渲染图的环境", "depth"),
        ("rendering.transform", "草图的环境", "lineart_standard"),
        ("rendering.transform", "模型图的环境", "lineart_standard"),
    ],
)
def test_a_canvas_is_followed_by_the_controlnet_unit_of_its_workspace(
    server: Server, canvas: str, operation: str, stage: str, module: str
) -> None:
    answer = server.post("/generate", body(operation, currentStage=stage, selectedCanvasRecords=[canvas]))

    record = server.stores.generations.get(answer.headers["X-Generation-ID"])
    assert record is not None
    [step] = [step for step in record.steps if step.kind == "txt2img"]
    assert [unit["module"] for unit in step.details["controlnet"]] == [module]
    assert step.details["not_applied"] == {}
