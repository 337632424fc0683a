"""Segment Anything's part: a real segmentation of the object in the picture, three candidates of it."""

from typing import Any

from standins.pictures import codec, segment
from standins.webui.errors import CrashedError, InvalidError
from standins.webui.inputs import decode

MODELS = ("sam_vit_h_4b8939.pth",)
NOTHING = "You neither added point prompts nor enabled GroundingDINO. Segmentation cannot be generated."


def predict(body: dict[str, Any]) -> dict[str, Any]:
    """The answer of /sam/sam-predict; nothing found or asked for: only `msg`."""
    if "input_image" not in body:
        raise InvalidError(["body", "input_image"], "field required", "value_error.missing")
    image = decode(body["input_image"]).convert("RGB")
    model = body.get("sam_model_name") or MODELS[0]
    if model not in MODELS:
        raise CrashedError("Exception", f"{model} not found, please download model to models/sam.")
    points = _points(body, "sam_positive_points"), _points(body, "sam_negative_points")
    has_box = bool(body.get("dino_enabled") and str(body.get("dino_text_prompt", "")).strip())
    if not has_box and not points[0]:
        return {"msg": NOTHING}
    masks = segment.candidates(image)
    if not masks:
        return {"msg": NOTHING}
    return {
        "msg": f"SAM inference with {int(has_box)} box, {len(points[0])} positive prompts, "
        f"{len(points[1])} negative prompts done.",
        "blended_images": [codec.encode(segment.blended(image, mask)) for mask in masks],
        "masks": [codec.encode(mask.convert("1", dither=segment.NO_DITHER)) for mask in masks],
        "masked_images": [codec.encode(segment.cut_out(image, mask)) for mask in masks],
    }


def _points(body: dict[str, Any], key: str) -> list[Any]:
    points = body.get(key) or []
    for row, point in enumerate(points):
        for column, value in enumerate(point):
            if not isinstance(value, int | float):
                raise InvalidError(["body", key, row, column], "value is not a valid float", "type_error.float")
    return list(points)
