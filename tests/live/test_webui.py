"""The same client against a real Stable Diffusion WebUI: `LIVE_SD_URL=http://gpu1:7860 pytest tests/live`.

It uses whatever checkpoint the server lists first, small sizes and few steps. `LIVE_SD_AUTH` is user:password.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.capabilities import without_hash
from agent.errors import InstanceTimeoutError, MissingOnInstanceError, NothingFoundError, PictureRejectedError
from agent.images import size_of
from agent.payloads import ControlNetUnit, Img2ImgRequest, InpaintRequest, Txt2ImgRequest
from agent.pool import SDInstance, SDInstancePool
from agent.sam import mask_by_text
from agent.sd import call_sdapi, capabilities_of, image2Image, inpaint, paint, post_sdapi, text2Image
from tests.stand_ins import picture, request

URL = os.environ.get("LIVE_SD_URL", "")

pytestmark = [pytest.mark.live, pytest.mark.skipif(not URL, reason="LIVE_SD_URL is not set")]


def _instance(read_timeout_s: float = 600) -> SDInstance:
    return SDInstance(URL, os.environ.get("LIVE_SD_AUTH"), read_timeout_s=read_timeout_s)


@pytest.fixture(scope="module")
def instance() -> SDInstance:
    return _instance()


def _wish(instance: SDInstance, **changes: Any) -> Txt2ImgRequest:
    has = capabilities_of(instance)
    return request(checkpoint=has.checkpoints[0].title, sampler_name="Euler a", **changes)


def test_the_server_lists_what_it_has(instance: SDInstance) -> None:
    has = capabilities_of(instance)
    assert has.checkpoints
    assert has.sampler("Euler a")
    assert "samples_format" in call_sdapi(instance, "/sdapi/v1/options")


def test_words_become_a_picture_as_asked(instance: SDInstance) -> None:
    painted = text2Image(instance, _wish(instance))
    assert painted.not_applied == {}
    assert [image.seed for image in painted.images] == [7]
    assert size_of(painted.images[0].image_bytes) == (64, 64)


def test_a_batch_has_following_seeds(instance: SDInstance) -> None:
    painted = text2Image(instance, _wish(instance, batch_size=2))
    assert [image.seed for image in painted.images] == [7, 8]


@pytest.mark.parametrize("sampler_name", ["DPM++ 2M Karras", "DPM++ 2M", "Euler", "DDIM"])
def test_samplers_are_applied_as_asked(instance: SDInstance, sampler_name: str) -> None:
    assert text2Image(instance, replace(_wish(instance), sampler_name=sampler_name)).not_applied == {}


def test_a_scheduler_is_applied_as_asked(instance: SDInstance) -> None:
    if capabilities_of(instance).schedulers is None:
        pytest.skip("this version has no schedulers")
    assert text2Image(instance, _wish(instance, scheduler="Karras")).not_applied == {}


def test_every_checkpoint_answers_to_its_names(instance: SDInstance) -> None:
    for checkpoint in capabilities_of(instance).checkpoints[:2]:
        for name in (checkpoint.title, checkpoint.model_name):
            wish = replace(_wish(instance, steps=1), checkpoint=name)
            assert text2Image(instance, wish).not_applied.keys() <= {"checkpoint"}


def test_a_size_that_is_rounded_is_told(instance: SDInstance) -> None:
    assert text2Image(instance, _wish(instance, width=68)).not_applied == {"size": {"asked": "68x64", "used": "64x64"}}


def test_unknown_names_are_refused_before_sending(instance: SDInstance) -> None:
    with pytest.raises(MissingOnInstanceError):
        text2Image(instance, replace(_wish(instance), sampler_name="No Such Sampler"))


def test_a_picture_becomes_another(instance: SDInstance) -> None:
    values = vars(_wish(instance, denoising_strength=0.5, steps=4))
    painted = image2Image(instance, Img2ImgRequest(**values, init_images=(picture(64, 64),)))
    assert painted.not_applied == {}


def test_a_mask_is_painted_anew(instance: SDInstance) -> None:
    values = vars(_wish(instance, denoising_strength=0.75, steps=4))
    wish = InpaintRequest(**values, init_images=(picture(64, 64),), mask=picture(64, 64, "L"), inpainting_mask_invert=1)
    assert inpaint(instance, wish).not_applied == {}


def test_controlnet_is_applied(instance: SDInstance) -> None:
    models = capabilities_of(instance).controlnet_models
    if not models:
        pytest.skip("this server has no ControlNet or no model for it")
    unit = ControlNetUnit(module="canny", model=without_hash(models[0]), image=picture(64, 64), processor_res=64)
    unit = replace(unit, threshold_a=100, threshold_b=200)
    painted = text2Image(instance, _wish(instance, controlnet=(unit,)))
    assert painted.not_applied == {}
    assert len(painted.images) == 1


def test_a_mask_by_text_is_found_or_called_missing(instance: SDInstance) -> None:
    models = capabilities_of(instance).sam_models
    if not models:
        pytest.skip("this server has no Segment Anything or no model for it")
    try:
        found = mask_by_text(instance, picture(128, 96), "box", sam_model=models[0])
    except NothingFoundError:
        pytest.skip("it found no box in a drawn box")
    assert size_of(found.mask_bytes) == (128, 96)


def test_a_broken_picture_is_our_fault(instance: SDInstance) -> None:
    with pytest.raises(PictureRejectedError):
        post_sdapi(instance, "/sdapi/v1/img2img", {"init_images": ["not base64 !!!"], "steps": 1})


def test_two_processes_worth_of_threads_share_one_instance(tmp_path: Path) -> None:
    pools = [SDInstancePool([_instance()], 600, tmp_path) for _ in range(2)]
    once = [paint(pool, _wish(pool.instances[0], steps=1)) for pool in pools]
    assert all(one.result.images for one in once)


def test_an_overdue_job_is_interrupted_and_the_instance_idle_afterwards() -> None:
    instance = _instance(read_timeout_s=3)
    capabilities_of(instance)
    with pytest.raises(InstanceTimeoutError) as caught:
        text2Image(instance, _wish(instance, steps=1000, width=256, height=256))
    assert caught.value.interrupted
    instance.read_timeout_s = 600
    assert text2Image(instance, _wish(instance, steps=1)).not_applied == {}
