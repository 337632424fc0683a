"""What the WebUI's request models accept: fields, defaults and pydantic v1's words for what it refuses."""

import json
from collections.abc import Callable
from typing import Any

from flask import Request

from standins.webui.errors import InvalidError

Fields = dict[str, tuple[str, Any]]

GENERATION: Fields = {
    "prompt": ("str", ""), "negative_prompt": ("str", ""), "styles": ("list", None), "seed": ("int", -1),
    "subseed": ("int", -1), "subseed_strength": ("float", 0), "seed_resize_from_h": ("int", -1),
    "seed_resize_from_w": ("int", -1), "sampler_name": ("str", None), "scheduler": ("str", None),
    "batch_size": ("int", 1), "n_iter": ("int", 1), "steps": ("int", 50), "cfg_scale": ("float", 7.0),
    "width": ("int", 512), "height": ("int", 512), "restore_faces": ("bool", None), "tiling": ("bool", None),
    "do_not_save_samples": ("bool", False), "do_not_save_grid": ("bool", False), "eta": ("float", None),
    "denoising_strength": ("float", None), "s_min_uncond": ("float", None), "s_churn": ("float", None),
    "s_tmax": ("float", None), "s_tmin": ("float", None), "s_noise": ("float", None),
    "override_settings": ("dict", None), "override_settings_restore_afterwards": ("bool", True),
    "refiner_checkpoint": ("str", None), "refiner_switch_at": ("float", None),
    "disable_extra_networks": ("bool", False), "firstpass_image": ("str", None), "comments": ("dict", None),
}  # fmt: skip
TAIL: Fields = {
    "force_task_id": ("str", None), "sampler_index": ("str!", "Euler"), "script_name": ("str", None),
    "script_args": ("list!", []), "send_images": ("bool!", True), "save_images": ("bool!", False),
    "alwayson_scripts": ("dict!", {}), "infotext": ("str", None),
}  # fmt: skip
TXT2IMG: Fields = GENERATION | {
    "enable_hr": ("bool", False), "firstphase_width": ("int", 0), "firstphase_height": ("int", 0),
    "hr_scale": ("float", 2.0), "hr_upscaler": ("str", None), "hr_second_pass_steps": ("int", 0),
    "hr_resize_x": ("int", 0), "hr_resize_y": ("int", 0), "hr_checkpoint_name": ("str", None),
    "hr_sampler_name": ("str", None), "hr_scheduler": ("str", None), "hr_prompt": ("str", ""),
    "hr_negative_prompt": ("str", ""),
} | TAIL  # fmt: skip
IMG2IMG: Fields = GENERATION | {
    "denoising_strength": ("float!", 0.75), "init_images": ("list", None), "resize_mode": ("int", 0),
    "image_cfg_scale": ("float", None), "mask": ("str", None), "mask_blur_x": ("int", 4), "mask_blur_y": ("int", 4),
    "mask_blur": ("int", None), "mask_round": ("bool", True), "inpainting_fill": ("int", 0),
    "inpaint_full_res": ("bool", True), "inpaint_full_res_padding": ("int", 0),
    "inpainting_mask_invert": ("int", 0), "initial_noise_multiplier": ("float", None), "latent_mask": ("str", None),
    "include_init_images": ("bool!", False),
} | TAIL  # fmt: skip
"""A kind with ! does not accept null."""


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of a request, or InvalidError as FastAPI words it."""
    if not request.get_data():
        raise InvalidError(["body"], "field required", "value_error.missing")
    if not (request.mimetype == "application/json" or request.mimetype.endswith("+json")):
        raise InvalidError(["body"], "value is not a valid dict", "type_error.dict")
    try:
        body = request.get_json()
    except Exception as exc:
        raise _not_json(request.get_data(as_text=True)) from exc
    if not isinstance(body, dict):
        raise InvalidError(["body"], "value is not a valid dict", "type_error.dict")
    return body


def _not_json(text: str) -> InvalidError:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        where = {"pos": error.pos, "lineno": error.lineno, "colno": error.colno}
        context = {"msg": error.msg, "doc": error.doc, **where}
        return InvalidError(["body", error.pos], str(error), "value_error.jsondecode", context)
    return InvalidError(["body"], "There was an error parsing the body", "value_error.jsondecode")


def read(body: dict[str, Any], fields: Fields) -> dict[str, Any]:
    """All fields with defaults filled in and values coerced; unknown ones are ignored, as the WebUI does."""
    values: dict[str, Any] = {}
    for name, (kind, default) in fields.items():
        values[name] = _value(body[name], kind, name) if name in body else default
    return values


def _value(value: Any, kind: str, name: str) -> Any:
    if value is None:
        if kind.endswith("!"):
            raise InvalidError(["body", name], "none is not an allowed value", "type_error.none.not_allowed")
        return None
    return _COERCERS[kind.rstrip("!")](value, name)


def _str(value: Any, name: str) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise InvalidError(["body", name], "str type expected", "type_error.str")


def _int(value: Any, name: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidError(["body", name], "value is not a valid integer", "type_error.integer") from None


def _float(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidError(["body", name], "value is not a valid float", "type_error.float") from None


def _bool(value: Any, name: str) -> bool:
    words = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}
    if isinstance(value, bool | int | float | str) and str(value).lower() in words:
        return words[str(value).lower()]
    raise InvalidError(["body", name], "value could not be parsed to a boolean", "type_error.bool")


def _list(value: Any, name: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise InvalidError(["body", name], "value is not a valid list", "type_error.list")


def _dict(value: Any, name: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise InvalidError(["body", name], "value is not a valid dict", "type_error.dict")


_COERCERS: dict[str, Callable[[Any, str], Any]] = {
    "str": _str, "int": _int, "float": _float, "bool": _bool, "list": _list, "dict": _dict,
}  # fmt: skip
