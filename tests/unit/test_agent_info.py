"""Answers of a WebUI, taken apart. The shapes are those that a real one answered."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from agent.capabilities import Capabilities, Checkpoint, Sampler, Scheduler
from agent.errors import BrokenAnswerError
from agent.images import PNG_MAGIC
from agent.info import Reading, infotext_pairs, read_answer
from agent.payloads import ControlNetUnit
from tests.stand_ins import CHECKPOINT, picture, request

HAS = Capabilities(
    checkpoints=(
        Checkpoint(f"{CHECKPOINT}.safetensors [abc]", CHECKPOINT, "abc", None),
        Checkpoint("b", "b", None, None),
    ),
    samplers=(Sampler("DPM++ 2M", "karras"), Sampler("Euler a", None)),
    schedulers=(
        Scheduler("Automatic", frozenset({"automatic"})),
        Scheduler("Karras", frozenset({"karras"})),
        Scheduler("Uniform", frozenset({"uniform"})),
    ),
    controlnet_models=("lineart [1234abcd]",),
    controlnet_modules=("lineart_standard",),
    shows_maps=True,
    sam_models=None,
)
UNIT = ControlNetUnit(module="lineart_standard", model="lineart", image=picture())


def _text(line: str = "", **changes: str) -> str:
    pairs = {"Steps": "2", "Sampler": "Euler a", "Schedule type": "Automatic", "CFG scale": "7.0"} | changes
    return "a chair, Steps: 99\n" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + line


def _answer(images: list[bytes] | None = None, text: str | None = None, **info: Any) -> dict[str, Any]:
    pictures = [picture(64, 64)] if images is None else images
    count = len(pictures)
    values: dict[str, Any] = {
        "all_seeds": list(range(7, 7 + count)), "steps": 2, "cfg_scale": 7.0, "sampler_name": "Euler a",
        "sd_model_name": CHECKPOINT, "sd_model_hash": "abc", "index_of_first_image": 0,
        "infotexts": [text or _text()] * count, "denoising_strength": None, "version": "v1.10.1",
    }  # fmt: skip
    return {"images": [base64.b64encode(one).decode() for one in pictures], "info": json.dumps(values | info)}


def _read(answer: dict[str, Any], **changes: Any) -> Reading:
    return read_answer(answer, request(**changes), HAS, "gpu1")


def test_an_answer_as_asked_has_nothing_to_remark() -> None:
    reading = _read(_answer())
    assert reading.not_applied == {}
    assert (reading.images[0].seed, reading.images[0].width, reading.images[0].height) == (7, 64, 64)
    assert reading.facts.sd_model_hash == "abc"


def test_the_grid_before_and_the_maps_after_the_pictures_are_dropped() -> None:
    grid, one, two, detected = picture(8, 8), picture(64, 64), picture(64, 64, "L"), picture(16, 16)
    answer = _answer([grid, one, two, detected], index_of_first_image=1, all_seeds=[7, 8])
    assert [image.image_bytes for image in _read(answer, batch_size=2).images] == [one, two]


def test_a_jpeg_in_the_answer_becomes_a_png() -> None:
    assert _read(_answer([picture(64, 64, kind="JPEG")])).images[0].image_bytes.startswith(PNG_MAGIC)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_answer([]), "0 of 1 pictures"),
        (_answer([b"no picture"]), "cannot be decoded"),
        ({"images": ["%%%"], "info": _answer()["info"]}, "cannot be decoded"),
        ({"images": _answer()["images"]}, "without a readable info"),
        ({"images": _answer()["images"], "info": "{"}, "without a readable info"),
        ({"images": _answer()["images"], "info": "[]"}, "no object"),
        ({"images": None, "info": _answer()["info"]}, "without pictures"),
        (_answer(all_seeds=[]), "which seeds"),
        ([], "without a readable info"),
    ],
)
def test_a_broken_answer_is_called_so(answer: Any, words: str) -> None:
    with pytest.raises(BrokenAnswerError, match=words):
        _read(answer)


@pytest.mark.parametrize(
    ("info", "asked", "key"),
    [
        ({"steps": 3}, {}, "steps"),
        ({"cfg_scale": 5.0}, {}, "cfg_scale"),
        ({"sampler_name": "DPM++ 2M"}, {}, "sampler_name"),
        ({"sd_model_name": "b", "sd_model_hash": "def"}, {}, "checkpoint"),
        ({"sd_model_name": "c", "sd_model_hash": "def"}, {"checkpoint": "b"}, "checkpoint"),
        ({"all_seeds": [8]}, {}, "seed"),
        ({}, {"width": 72}, "size"),
    ],
)
def test_what_was_not_done_as_asked_is_named(info: dict[str, Any], asked: dict[str, Any], key: str) -> None:
    assert list(_read(_answer(**info), **asked).not_applied) == [key]


def test_a_checkpoint_that_got_its_hash_by_this_load_is_the_one_asked_for() -> None:
    assert _read(_answer(sd_model_name="b", sd_model_hash="new"), checkpoint="b").not_applied == {}


@pytest.mark.parametrize("asked", [{"sampler_name": "DPM++ 2M Karras"}, {"sampler_name": "DPM++ 2M"}])
@pytest.mark.parametrize("used", ["Karras", "Automatic"])
def test_a_sampler_with_its_scheduler_in_the_name_is_the_same_sampler(asked: dict[str, Any], used: str) -> None:
    answer = _answer(sampler_name="DPM++ 2M", text=_text(Sampler="DPM++ 2M", **{"Schedule type": used}))
    assert _read(answer, **asked).not_applied == {}


def test_another_scheduler_is_named() -> None:
    answer = _answer(text=_text(**{"Schedule type": "Automatic"}))
    found = _read(answer, scheduler="Uniform").not_applied
    assert found == {"scheduler": {"asked": "Uniform", "used": "Automatic"}}


def test_a_random_seed_is_never_a_difference() -> None:
    assert _read(_answer(all_seeds=[123]), seed=-1).not_applied == {}


def test_controlnet_was_there_if_the_infotext_names_it_and_its_map_came() -> None:
    text = _text(', ControlNet 0: "Module: lineart_standard, Model: lineart [1234abcd], Weight: 1.0", Version: v1')
    assert _read(_answer([picture(64, 64), picture(8, 8)], text=text), controlnet=(UNIT,)).not_applied == {}


def test_controlnet_without_its_map_was_not_applied() -> None:
    text = _text(', ControlNet 0: "Module: lineart_standard, Model: lineart [1234abcd], Weight: 1.0"')
    found = _read(_answer(text=text), controlnet=(UNIT,)).not_applied
    assert found["controlnet_0"]["used"] == "no detected map came back"


def test_controlnet_that_the_infotext_does_not_name_was_not_applied() -> None:
    found = _read(_answer([picture(64, 64), picture(8, 8)]), controlnet=(UNIT,)).not_applied
    assert found["controlnet_0"] == {"asked": "lineart_standard, lineart", "used": None}


def test_a_prompt_cannot_pass_for_the_parameters() -> None:
    pairs = infotext_pairs({"infotexts": ["chair\nSteps: 1, Schedule type: Uniform\nNegative prompt: x\n" + _text()]})
    assert pairs["Steps"] == "2"
    assert pairs["Schedule type"] == "Automatic"
