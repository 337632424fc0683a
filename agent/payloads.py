"""What we ask a WebUI for, as values; and the JSON that its API takes.

Pictures are bytes here and become base64 only in the payload. Names are the API's own.
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ControlNetUnit:
    """One entry of `alwayson_scripts.controlnet.args`; `image` is the picture that guides.

    `model` may be given with or without its hash (`control_v11p_sd15_lineart [43d4be0d]`).
    Numbers for `resize_mode` and `control_mode` are the WebUI's positions, as presets know them.
    """

    module: str
    model: str
    image: bytes
    weight: float = 1.0
    resize_mode: int | str = 1
    control_mode: int | str = 0
    guidance_start: float = 0.0
    guidance_end: float = 1.0
    processor_res: int = 512
    threshold_a: float = -1
    threshold_b: float = -1
    pixel_perfect: bool = False


@dataclass(frozen=True, kw_only=True)
class Txt2ImgRequest:
    """Pictures from words. `scheduler` None leaves it to the sampler; picture i of the batch has `seed` + i."""

    prompt: str
    checkpoint: str
    sampler_name: str
    steps: int
    cfg_scale: float
    width: int
    height: int
    seed: int
    negative_prompt: str = ""
    scheduler: str | None = None
    batch_size: int = 1
    denoising_strength: float | None = None
    controlnet: tuple[ControlNetUnit, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Img2ImgRequest(Txt2ImgRequest):
    """Pictures from a picture and words; `init_images` are encoded pictures (PNG, JPEG…)."""

    init_images: tuple[bytes, ...]
    denoising_strength: float | None = 0.75
    resize_mode: int = 0


@dataclass(frozen=True, kw_only=True)
class InpaintRequest(Img2ImgRequest):
    """Repaint the white part of `mask`, or all but it when `inpainting_mask_invert` is 1."""

    mask: bytes
    inpainting_fill: int = 1
    inpainting_mask_invert: int = 0
    inpaint_full_res: bool = False
    inpaint_full_res_padding: int = 32
    mask_blur: int = 4


RESIZE_MODES = ("Just Resize", "Crop and Resize", "Resize and Fill")
CONTROL_MODES = ("Balanced", "My prompt is more important", "ControlNet is more important")


def new_task_id() -> str:
    """Make an id that no other call to any WebUI has."""
    return f"stepideator-{uuid.uuid4().hex}"


def payload(request: Txt2ImgRequest, task_id: str) -> dict[str, Any]:
    """Write the request as the body of /sdapi/v1/txt2img or, for the two img2img kinds, of /sdapi/v1/img2img."""
    body: dict[str, Any] = {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "sampler_name": request.sampler_name,
        "steps": request.steps,
        "cfg_scale": request.cfg_scale,
        "width": request.width,
        "height": request.height,
        "seed": request.seed,
        "batch_size": request.batch_size,
        "n_iter": 1,
        "send_images": True,
        "save_images": False,
        "force_task_id": task_id,
        # Restoring would load the former checkpoint again after every call; here each call names its own.
        "override_settings": {"sd_model_checkpoint": request.checkpoint},
        "override_settings_restore_afterwards": False,
    }
    # What is left out is the instance's own default; null would be refused or, worse, crash the job.
    if request.scheduler is not None:
        body["scheduler"] = request.scheduler
    if request.denoising_strength is not None:
        body["denoising_strength"] = request.denoising_strength
    if request.controlnet:
        body["alwayson_scripts"] = {"controlnet": {"args": [_unit(unit) for unit in request.controlnet]}}
    if isinstance(request, Img2ImgRequest):
        body |= _img2img_fields(request)
    if isinstance(request, InpaintRequest):
        body |= _inpaint_fields(request)
    return body


def _unit(unit: ControlNetUnit) -> dict[str, Any]:
    return {
        "enabled": True,
        "module": unit.module,
        "model": unit.model,
        "weight": unit.weight,
        "image": _base64(unit.image),
        "resize_mode": _word(unit.resize_mode, RESIZE_MODES),
        "control_mode": _word(unit.control_mode, CONTROL_MODES),
        "guidance_start": unit.guidance_start,
        "guidance_end": unit.guidance_end,
        "processor_res": unit.processor_res,
        "threshold_a": unit.threshold_a,
        "threshold_b": unit.threshold_b,
        "pixel_perfect": unit.pixel_perfect,
        # The map costs a few kilobytes and is the only sign that ControlNet really ran; info.py drops it.
        "save_detected_map": True,
    }


def _word(value: int | str, words: tuple[str, ...]) -> str:
    """Turn a position into its word: the measured ControlNet version refuses numbers for these two fields."""
    return words[value] if isinstance(value, int) else value


def _img2img_fields(request: Img2ImgRequest) -> dict[str, Any]:
    return {
        "init_images": [_base64(image) for image in request.init_images],
        "resize_mode": request.resize_mode,
        "include_init_images": False,
    }


def _inpaint_fields(request: InpaintRequest) -> dict[str, Any]:
    return {
        "mask": _base64(request.mask),
        "inpainting_fill": request.inpainting_fill,
        "inpainting_mask_invert": request.inpainting_mask_invert,
        "inpaint_full_res": request.inpaint_full_res,
        "inpaint_full_res_padding": request.inpaint_full_res_padding,
        "mask_blur": request.mask_blur,
    }


def _base64(image: bytes) -> str:
    return base64.b64encode(image).decode("ascii")
