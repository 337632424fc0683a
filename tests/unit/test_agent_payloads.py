"""What goes to a WebUI."""

from __future__ import annotations

import base64

from agent.payloads import ControlNetUnit, Img2ImgRequest, InpaintRequest, new_task_id, payload
from tests.stand_ins import CHECKPOINT, picture, request


def test_the_checkpoint_is_named_in_the_call_and_not_restored_after_it() -> None:
    body = payload(request(), "id-1")
    assert body["override_settings"] == {"sd_model_checkpoint": CHECKPOINT}
    assert body["override_settings_restore_afterwards"] is False


def test_the_pictures_come_back_and_are_not_kept_there() -> None:
    body = payload(request(), "id-1")
    assert (body["send_images"], body["save_images"], body["n_iter"]) == (True, False, 1)


def test_each_call_has_an_id_of_its_own() -> None:
    assert new_task_id() != new_task_id()
    assert payload(request(), "id-1")["force_task_id"] == "id-1"


def test_what_was_not_asked_for_is_not_sent() -> None:
    assert payload(request(), "i").keys().isdisjoint({"scheduler", "denoising_strength", "alwayson_scripts", "mask"})


def test_a_scheduler_is_sent_when_asked_for() -> None:
    assert payload(request(scheduler="Karras"), "i")["scheduler"] == "Karras"


def test_positions_become_the_words_that_controlnet_wants() -> None:
    unit = ControlNetUnit(module="canny", model="m", image=b"x", resize_mode=1, control_mode=2)
    args = payload(request(controlnet=(unit,)), "i")["alwayson_scripts"]["controlnet"]["args"]
    assert args[0]["resize_mode"] == "Crop and Resize"
    assert args[0]["control_mode"] == "ControlNet is more important"
    assert base64.b64decode(args[0]["image"]) == b"x"
    assert args[0]["enabled"] is True


def test_img2img_sends_its_picture_without_a_prefix() -> None:
    body = payload(Img2ImgRequest(**vars(request(denoising_strength=0.6)), init_images=(picture(),)), "i")
    assert base64.b64decode(body["init_images"][0], validate=True) == picture()
    assert body["denoising_strength"] == 0.6


def test_inpainting_sends_its_mask_and_how_to_use_it() -> None:
    body = payload(
        InpaintRequest(
            **vars(request(denoising_strength=0.75)),
            init_images=(picture(),),
            mask=picture(mode="L"),
            inpainting_mask_invert=1,
            inpainting_fill=2,
        ),
        "i",
    )
    assert base64.b64decode(body["mask"]) == picture(mode="L")
    assert (body["inpainting_mask_invert"], body["inpainting_fill"], body["inpaint_full_res"]) == (1, 2, False)
