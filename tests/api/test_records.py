"""The record of a generation holds all that is needed to understand and to repeat it."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from store.documents import GenerationRecord
from store.ids import new_id
from tests.api.answers import data_of
from tests.api.front_end import BUTTONS, TASK, body, cards_in, pictures_in
from tests.api.records import record_of, steps_of
from tests.api.server import Server
from tests.stand_ins import StandIn, picture

pytestmark = pytest.mark.api


@pytest.fixture
def username() -> str:
    """Give a name under which nobody came yet."""
    return f"参与者 {new_id()}"


def _hash_of(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2].removesuffix(".png")


def _recorded(server: Server, operation: str, **changes: object) -> GenerationRecord:
    return record_of(server, server.post("/generate", body(operation, **changes)))


def test_the_record_names_the_participant_by_id_and_never_by_name(server: Server, username: str) -> None:
    record = _recorded(server, "sketch.reference", username=username)

    participant = server.stores.participants.find(username)
    assert participant is not None
    assert record.participant_id == participant.id
    assert username not in record.model_dump_json()


def test_the_record_holds_what_was_asked_for(server: Server, username: str) -> None:
    canvas = server.uploaded(picture(300, 200))

    record = _recorded(
        server, "model.transform", username=username, currentNum=2, selectedTexts=["一", "二"], seed=5,
        selectedCanvasRecords=[canvas], currentStage="场景与产品渲染图的环境",
    )  # fmt: skip

    assert (record.app_id, record.operation, record.seed) == (1, "model.transform", 5)
    inputs = record.inputs
    assert (inputs.task, inputs.texts, inputs.num, inputs.current_stage) == (TASK, ("一", "二"), 2, "rendering")
    assert inputs.image_ids == (_hash_of(canvas),)
    assert record.origin["button_text"] == BUTTONS["model.transform"].text
    assert record.origin["current_stage"] == "场景与产品渲染图的环境"


def test_the_record_says_how_it_went(server: Server) -> None:
    answer = server.post("/generate", body("brief.create_new"), headers={"X-Request-ID": "from-a-proxy.1"})

    record = record_of(server, answer)
    assert (record.state, record.error, record.request_id) == ("succeeded", None, "from-a-proxy.1")
    assert record.started_at is not None
    assert record.ended_at is not None
    assert record.created_at <= record.started_at <= record.ended_at
    assert record.duration_s == (record.ended_at - record.started_at).total_seconds()


def test_a_text_step_says_what_was_asked_and_what_it_cost(server: Server) -> None:
    record = _recorded(server, "brief.create_new", selectedTexts=["续航"], seed=40)

    [step] = steps_of(record, "chat")
    template = server.services.parts.book.prompt("brief_create_new")
    assert (step.details["template"], step.details["template_hash"]) == (template.name, template.hash)
    message = step.details["prompt"]
    assert TASK in message
    assert "'续航'" in message
    [reply] = step.details["replies"]
    assert reply["model"]
    assert reply["prompt_tokens"] > 0
    assert reply["completion_tokens"] > 0
    assert (reply["finish_reason"], step.details["seed"]) == ("stop", 40)
    assert json.loads(reply["text"]) == json.loads(record.outputs[0].text or "")
    assert step.duration_s > 0


def test_a_picture_step_says_what_is_needed_to_paint_it_again(
    server: Server, running_webuis: tuple[StandIn, StandIn]
) -> None:
    record = _recorded(server, "sketch.create_new", currentNum=2, seed=70)

    preset = server.services.parts.book.preset("sketch_create_new")
    steps = sorted(steps_of(record, "txt2img"), key=lambda step: int(step.details["index"]))
    assert [step.details["seed"] for step in steps] == [70, 71]
    for step in steps:
        facts = step.details
        assert (facts["preset"], facts["preset_hash"]) == (preset.name, preset.hash)
        assert (facts["checkpoint"], facts["used"]["sd_model_name"]) == (preset.checkpoint, preset.checkpoint)
        assert (facts["sampler_name"], facts["steps"], facts["cfg_scale"]) == ("Euler a", 20, preset.cfg_scale)
        assert "drone" in facts["prompt"]
        assert facts["negative_prompt"] == " ".join(preset.negative_prompt.split())
        assert facts["instance"] in {urlsplit(webui.url).netloc for webui in running_webuis}
        assert [attempt["error"] for attempt in facts["attempts"]] == [None]
        assert facts["not_applied"] == {}
        assert step.duration_s > 0


def test_a_picture_step_names_its_controlnet_unit(server: Server) -> None:
    canvas = server.uploaded(picture(512, 512))

    [step] = steps_of(_recorded(server, "sketch.extend", selectedCanvasRecords=[canvas]), "txt2img")

    [unit] = step.details["controlnet"]
    assert (unit["module"], unit["model"]) == ("pidinet_scribble", "control_v11p_sd15_scribble")


def test_a_scene_around_a_product_is_an_img2img_step_after_a_mask(server: Server) -> None:
    canvas = server.uploaded(picture(512, 512))

    record = _recorded(server, "rendering.extend", selectedCanvasRecords=[canvas])

    [sam], [paint] = steps_of(record, "sam"), steps_of(record, "img2img")
    assert server.stores.contents.exists(sam.details["mask_id"])
    assert "drone" in sam.details["text"]
    assert (paint.details["sampler_name"], paint.details["steps"]) == ("DPM++ 2M Karras", 30)


def test_views_by_controlnet_say_so(server: Server) -> None:
    canvas = server.uploaded(picture(512, 512))

    [step] = steps_of(_recorded(server, "model.multi_view", selectedCanvasRecords=[canvas]), "multiview")

    assert step.details["made_by"] == "controlnet"
    assert len(step.details["views"]) == 6


def test_the_outputs_are_the_texts_and_pictures_that_were_answered(server: Server) -> None:
    answer = server.post("/generate", body("sketch.reference", currentNum=2))

    record, data = record_of(server, answer), data_of(answer)
    # They stand in the record as they came; `index` is their place in the answer.
    outputs = sorted(record.outputs, key=lambda output: output.index)
    card, *pictures = outputs
    assert [output.kind for output in outputs] == ["text", "image", "image"]
    assert [json.loads(card.text or "")] == cards_in(data)
    assert [output.image_id for output in pictures] == [_hash_of(url) for url in pictures_in(data)]
    assert {step.details["image_id"] for step in steps_of(record, "txt2img")} == {one.image_id for one in pictures}


def test_a_generation_from_a_picture_has_the_pictures_generation_as_parent(server: Server, username: str) -> None:
    first = server.post("/generate", body("sketch.create_new", username=username))
    [url] = pictures_in(data_of(first))

    second = _recorded(server, "sketch.extend", username=username, selectedCanvasRecords=[url])

    assert second.parents == (first.headers["X-Generation-ID"],)


def test_a_generation_from_a_phrase_has_the_texts_generation_as_parent(server: Server, username: str) -> None:
    first = server.post("/generate", body("brief.create_new", username=username))
    [card] = cards_in(data_of(first))

    second = _recorded(server, "brief.extend", username=username, selectedTexts=[card["痛点"][0]])

    assert second.parents == (first.headers["X-Generation-ID"],)


def test_another_participants_generation_is_no_parent(server: Server, username: str) -> None:
    [url] = pictures_in(data_of(server.post("/generate", body("sketch.create_new", username=username))))

    other = _recorded(server, "sketch.extend", username=f"{username}2", selectedCanvasRecords=[url])

    assert other.parents == ()


@pytest.mark.parametrize("operation", ["sketch.create_new", "brief.create_new", "rendering.create_new"])
def test_the_same_seed_makes_the_same_again(server: Server, operation: str) -> None:
    first, second = (data_of(server.post("/generate", body(operation, currentNum=2, seed=4242))) for _ in range(2))

    assert first == second


def test_a_seed_that_nobody_asked_for_is_chosen_told_and_recorded(server: Server) -> None:
    first, second = (server.post("/generate", body("sketch.create_new")) for _ in range(2))

    assert first.headers["X-Seed"] != second.headers["X-Seed"]
    record = record_of(server, first)
    assert str(record.seed) == first.headers["X-Seed"]
    assert steps_of(record, "txt2img")[0].details["seed"] == record.seed


def test_the_greatest_seed_is_followed_by_the_least(server: Server) -> None:
    record = _recorded(server, "sketch.create_new", currentNum=2, seed=2**32 - 1)

    assert {step.details["seed"] for step in steps_of(record, "txt2img")} == {2**32 - 1, 0}


def test_the_subject_of_a_task_is_asked_for_once_and_then_remembered(server: Server, chat: StandIn) -> None:
    task = f"设计一款电动自行车 {new_id()}"

    for _ in range(2):
        data_of(server.post("/generate", body("sketch.create_new", designTask=task, currentNum=2)))

    assert len(chat.journal()) == 1


def test_the_subject_is_the_tasks_own(server: Server) -> None:
    prompts = {}
    for task in ("设计一把椅子", "设计一盏台灯"):
        [step] = steps_of(_recorded(server, "sketch.create_new", designTask=task, seed=1), "txt2img")
        prompts[task] = step.details["prompt"]

    assert "chair" in prompts["设计一把椅子"]
    assert "lamp" in prompts["设计一盏台灯"]
    assert not any("drone" in prompt for prompt in prompts.values())


def test_several_texts_differ(server: Server) -> None:
    cards = cards_in(data_of(server.post("/generate", body("brief.create_new", currentNum=3, seed=9))))

    assert len({json.dumps(card, sort_keys=True) for card in cards}) == 3
