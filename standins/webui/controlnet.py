"""ControlNet's part of a generation: its units, their checks, their marks, their detected maps."""

import hashlib
import logging
from dataclasses import dataclass
from typing import Any

from PIL import Image

from standins.pictures import codec
from standins.pictures.structure import Structure, detected_map
from standins.webui.catalogue import data
from standins.webui.errors import CrashedError, RefusedError
from standins.webui.inputs import RESIZE_MODES, decode, fit
from standins.webui.instance import CONTROLNET_MODELS

logger = logging.getLogger(__name__)
MAX_UNITS = 3
CONTROL_MODES = ("Balanced", "My prompt is more important", "ControlNet is more important")
_WRONG_CONTROL_MODE = (
    "control_mode\n  value is not a valid enumeration member; permitted: 'Balanced', 'My prompt is more important', "
    "'ControlNet is more important' (type=type_error.enum; enum_values=[<ControlMode.BALANCED: 'Balanced'>, "
    "<ControlMode.PROMPT: 'My prompt is more important'>, <ControlMode.CONTROL: 'ControlNet is more important'>])"
)


def model_titles() -> list[str]:
    """The models as /controlnet/model_list shows them: name [hash8]."""
    return [f"{name} [{hashlib.sha256(name.encode()).hexdigest()[:8]}]" for name in CONTROLNET_MODELS]


@dataclass(frozen=True)
class Unit:
    """One enabled unit with its defaults filled in; `image` is what came in, not yet decoded."""

    module: str
    model: str
    weight: float
    image: str | None
    resize_mode: str
    control_mode: str
    processor_res: int
    thresholds: tuple[float, float]
    guidance: tuple[float, float]
    pixel_perfect: bool
    save_detected_map: bool

    @property
    def has_known_model(self) -> bool:
        """With its hash or without."""
        return any(self.model in (title, title.split(" [")[0]) for title in model_titles())

    def mark(self) -> str:
        """What the infotext says of it, whether it worked or not."""
        low, high = self.thresholds
        return (
            f"Module: {self.module}, Model: {self.model}, Weight: {self.weight}, Resize Mode: {self.resize_mode}, "
            f"Processor Res: {self.processor_res}, Threshold A: {low:g}, Threshold B: {high:g}, "
            f"Guidance Start: {self.guidance[0]}, Guidance End: {self.guidance[1]}, "
            f"Pixel Perfect: {self.pixel_perfect}, Control Mode: {self.control_mode}"
        )


def units_of(alwayson_scripts: dict[str, Any]) -> list[dict[str, Any]]:
    """The units' dicts, the key in any case; a fourth one is dropped silently."""
    for key, script in alwayson_scripts.items():
        if key.lower() == "controlnet":
            return [unit for unit in script.get("args", [])[:MAX_UNITS] if isinstance(unit, dict)]
    return []


def read_units(alwayson_scripts: dict[str, Any]) -> list[Unit]:
    """The enabled units; CrashedError ValidationError as the extension raises it inside the job."""
    return [_read(unit) for unit in units_of(alwayson_scripts) if unit.get("enabled")]


def _read(unit: dict[str, Any]) -> Unit:
    _check(unit)
    module = str(unit.get("module", "none"))
    default = (100.0, 200.0) if module == "canny" else (0.5, 0.5)
    low, high = (float(unit.get(key) or -1) for key in ("threshold_a", "threshold_b"))
    image = unit.get("image") or unit.get("input_image")
    return Unit(
        module=module, model=str(unit.get("model") or "None"), weight=float(unit.get("weight", 1.0)),
        image=str(image.get("image")) if isinstance(image, dict) else image,
        resize_mode=str(unit.get("resize_mode", RESIZE_MODES[1])),
        control_mode=str(unit.get("control_mode", CONTROL_MODES[0])),
        processor_res=int(unit.get("processor_res", 512)),
        thresholds=(low if low >= 0 else default[0], high if high >= 0 else default[1]),
        guidance=(float(unit.get("guidance_start", 0.0)), float(unit.get("guidance_end", 1.0))),
        pixel_perfect=bool(unit.get("pixel_perfect", False)),
        save_detected_map=bool(unit.get("save_detected_map", True)),
    )  # fmt: skip


def _check(unit: dict[str, Any]) -> None:
    complaints = []
    module = unit.get("module", "none")
    if module not in data("catalogue")["controlnet_modules"] and "invert" not in str(module):
        complaints.append(f"module\n  module({module}) not found in supported modules. (type=value_error)")
    if float(unit.get("weight", 1.0)) > 2:
        limit = "ensure this value is less than or equal to 2.0 (type=value_error.number.not_le; limit_value=2.0)"
        complaints.append(f"weight\n  {limit}")
    if unit.get("resize_mode", RESIZE_MODES[1]) not in RESIZE_MODES:
        complaints.append("resize_mode\n   (type=assertion_error)")
    if unit.get("control_mode", CONTROL_MODES[0]) not in CONTROL_MODES:
        complaints.append(_WRONG_CONTROL_MODE)
    if complaints:
        many = f"{len(complaints)} validation error{'s' if len(complaints) > 1 else ''} for ControlNetUnit"
        raise CrashedError("ValidationError", "\n".join([many, *complaints]))


def apply(units: list[Unit], size: tuple[int, int], init: Image.Image | None) -> list[tuple[Unit, Structure]]:
    """The units that work, with what they see; the others are left out in silence, as in the real extension."""
    working = []
    for unit in units:
        image = _image_of(unit, init)
        if image is None or not unit.has_known_model:
            logger.info("ControlNet unit dropped: model %s, image %s", unit.model, "yes" if image else "no")
            continue
        fitted = fit(image, size, unit.resize_mode)
        working.append((unit, Structure(image=fitted, module=unit.module, model=unit.model, weight=unit.weight)))
    return working


def _image_of(unit: Unit, init: Image.Image | None) -> Image.Image | None:
    if not unit.image:
        return init
    try:
        return codec.decode(unit.image)
    except ValueError:
        return None


def detect(body: dict[str, Any]) -> list[str]:
    """The detected maps of /controlnet/detect as base64; the resolution is the SHORT side."""
    module = str(body.get("controlnet_module", "none"))
    if module not in data("catalogue")["controlnet_modules"]:
        raise RefusedError(422, "Module not available")
    if module == "clip_vision":
        raise RefusedError(422, "Module not supported")
    if not body.get("controlnet_input_images"):
        raise RefusedError(422, "No image selected")
    resolution = int(body.get("controlnet_processor_res", 512))
    images = [decode(text) for text in body["controlnet_input_images"]]
    return [codec.encode(detected_map(module, _scaled(image, module, resolution))) for image in images]


def _scaled(image: Image.Image, module: str, resolution: int) -> Image.Image:
    if module == "none":
        return image
    scale = resolution / min(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)))
