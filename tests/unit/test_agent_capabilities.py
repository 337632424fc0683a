"""What a WebUI has, from the shapes that a real one answered."""

from __future__ import annotations

from typing import Any

import pytest

from agent.capabilities import Capabilities, missing, read_capabilities, without_hash
from agent.errors import BrokenAnswerError, InstanceServiceError, MissingOnInstanceError, PictureRejectedError
from agent.payloads import ControlNetUnit
from tests.stand_ins import request

LISTS: dict[str, Any] = {
    "/sdapi/v1/sd-models": [
        {
            "title": "sub/a.safetensors [d547a3c308]",
            "model_name": "sub_a",
            "hash": "d547a3c308",
            "sha256": "d547a3c3084c",
        },
        {"title": "b.safetensors", "model_name": "b", "hash": None, "sha256": None},
    ],
    "/sdapi/v1/samplers": [
        {"name": "DPM++ 2M", "aliases": ["k_dpmpp_2m"], "options": {"scheduler": "karras"}},
        {"name": "DPM++ 2M SDE", "aliases": [], "options": {}},
        {"name": "PLMS", "aliases": ["plms"], "options": None},
    ],
    "/sdapi/v1/schedulers": [
        {"name": "karras", "label": "Karras", "aliases": None},
        {"name": "sgm_uniform", "label": "SGM Uniform", "aliases": ["SGMUniform"]},
    ],
    "/controlnet/model_list": {"model_list": ["control_v11p_sd15_canny [71a34b64]"]},
    "/controlnet/module_list": {"module_list": ["none", "canny"], "module_detail": {}},
    "/sdapi/v1/options": {"samples_format": "png"},
    "/sam/sam-model": ["sam_vit_b.pth"],
}


def _has(**changes: Any) -> Capabilities:
    lists = LISTS | {path: changes[path] for path in changes}

    def get(path: str) -> Any:
        if isinstance(lists[path], Exception):
            raise lists[path]
        return lists[path]

    return read_capabilities(get)


@pytest.mark.parametrize(
    "name", ["sub/a.safetensors [d547a3c308]", "sub/a.safetensors", "sub_a", "d547a3c308", "d547a3c3084c"]
)
def test_a_checkpoint_answers_to_each_of_its_names(name: str) -> None:
    found = _has().checkpoint(name)
    assert found and found.model_name == "sub_a"


@pytest.mark.parametrize("name", ["a", "sub", "d547", "B", "None", ""])
def test_a_part_of_a_name_is_no_name(name: str) -> None:
    assert _has().checkpoint(name) is None


def test_a_scheduler_at_the_end_of_a_samplers_name_is_understood() -> None:
    found = _has().sampler("DPM++ 2M Karras")
    assert found and found[0].name == "DPM++ 2M"
    assert found[1] and found[1].label == "Karras"


def test_a_longer_sampler_is_not_taken_for_a_shorter_one() -> None:
    found = _has().sampler("DPM++ 2M SDE SGMUniform")
    assert found and found[0].name == "DPM++ 2M SDE"


@pytest.mark.parametrize("name", ["k_dpmpp_2m", "dpm++ 2m", "DPM++ 2M No Such", "Karras", ""])
def test_what_the_webui_would_silently_replace_is_not_known(name: str) -> None:
    assert _has().sampler(name) is None


def test_everything_that_is_missing_is_named() -> None:
    unit = ControlNetUnit(module="depth", model="no", image=b"")
    wish = request(checkpoint="x", sampler_name="y", scheduler="z", controlnet=(unit,))
    assert missing(wish, _has()) == [
        "checkpoint 'x'", "sampler 'y'", "scheduler 'z'", "ControlNet model 'no'", "ControlNet module 'depth'"
    ]  # fmt: skip


@pytest.mark.parametrize("model", ["control_v11p_sd15_canny", "control_v11p_sd15_canny [71a34b64]"])
def test_a_controlnet_model_needs_no_hash(model: str) -> None:
    unit = ControlNetUnit(module="canny", model=model, image=b"")
    assert missing(request(checkpoint="b", sampler_name="PLMS", controlnet=(unit,)), _has()) == []


def test_without_extensions_the_rest_is_known() -> None:
    absent = MissingOnInstanceError("404")
    has = _has(**{path: absent for path in LISTS if not path.startswith("/sdapi")}, **{"/sdapi/v1/schedulers": absent})
    assert (has.controlnet_models, has.controlnet_modules, has.sam_models, has.schedulers) == (None, None, None, None)
    assert has.checkpoint("b")
    unit = ControlNetUnit(module="canny", model="m", image=b"")
    wish = request(checkpoint="b", sampler_name="PLMS", scheduler="Karras", controlnet=(unit,))
    assert missing(wish, has) == ["the extension sd-webui-controlnet"]


@pytest.mark.parametrize(
    ("options", "shows"),
    [
        ({}, True),
        ({"control_net_no_detectmap": False}, True),
        ({"control_net_no_detectmap": True}, False),
        (InstanceServiceError("500"), False),
        (PictureRejectedError("500 ValidationError"), False),
    ],
)
def test_whether_maps_are_shown_comes_from_the_options(options: Any, shows: bool) -> None:
    assert _has(**{"/sdapi/v1/options": options}).shows_maps is shows


@pytest.mark.parametrize("answer", [{}, "x", ["x"], None])
def test_a_list_that_is_none_is_a_broken_answer(answer: Any) -> None:
    with pytest.raises(BrokenAnswerError):
        _has(**{"/sdapi/v1/sd-models": answer})


@pytest.mark.parametrize(("name", "bare"), [("a [12]", "a"), ("a", "a"), ("a [x] b", "a [x] b"), ("[a]", "[a]")])
def test_a_hash_is_cut_only_from_the_end(name: str, bare: str) -> None:
    assert without_hash(name) == bare
