"""Masks by text: GroundingDINO finds the object that a text names, Segment Anything draws its outline."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.attempts import Ran, run_on_pool
from agent.calls import Call
from agent.errors import (
    BrokenAnswerError,
    InstanceConnectionLostError,
    InstanceTimeoutError,
    NothingFoundError,
    PictureRejectedError,
)
from agent.images import is_blank_mask, resize_mask, size_of
from agent.info import decoded_picture
from agent.instance import SDInstance
from agent.overdue import settle
from agent.pool import SDInstancePool
from agent.sdapi import decoded, send_sdapi
from agent.wire import Answer

SAM_PREDICT = "/sam/sam-predict"
# SAM answers three outlines, from a part of the object to all around it. The study's original took the second.
_CANDIDATE = 1
_ERRORS = 300


@dataclass(frozen=True)
class Segmentation:
    """The object's mask: a greyscale PNG of the input's size, white is the object.

    `candidate` is the position of the outline that was taken. `images.CutOut` cuts the object out by it.
    """

    mask_bytes: bytes
    candidate: int


def mask_by_text(instance: SDInstance, image_bytes: bytes, text: str, *, sam_model: str | None = None) -> Segmentation:
    """Find what `text` names. `sam_model` None takes the extension's default.

    Raises NothingFoundError, MissingOnInstanceError (no extension, no model file) and the other SDError leaves.
    """
    size = _size(image_bytes)
    return _read(_predicted(instance, image_bytes, text, sam_model), size, instance.name)


def _predicted(instance: SDInstance, image_bytes: bytes, text: str, sam_model: str | None) -> Answer:
    settle(instance)
    if instance.holding is not None:
        instance.holding.call.raise_if_canceled()
        instance.holding.sent()
    try:
        return send_sdapi(instance, SAM_PREDICT, _payload(image_bytes, text, sam_model))
    except (InstanceTimeoutError, InstanceConnectionLostError):
        # SAM has no interrupt and blocks the whole WebUI until it is done.
        instance.unsettled = True
        raise


def _read(answer: Answer, size: tuple[int, int], name: str) -> Segmentation:
    masks = _masks(decoded(answer, name, SAM_PREDICT), name)
    # With one box SAM answers three outlines; fewer come from other versions of the extension.
    candidate = min(_CANDIDATE, len(masks) - 1)
    mask = resize_mask(decoded_picture(masks[candidate], name), *size)
    if is_blank_mask(mask):
        raise _nothing(name)
    return Segmentation(mask, candidate)


def segment(
    pool: SDInstancePool,
    image_bytes: bytes,
    text: str,
    *,
    sam_model: str | None = None,
    tries: int = 3,
    timeout: float | None = None,
    call: Call | None = None,
) -> Ran[Segmentation]:
    """Find on an instance of the pool. Raises the last SDError, with all `attempts` in it."""
    size = _size(image_bytes)
    wish = replace(call or Call(), size=None, needs=frozenset({"sam"}))

    def work(instance: SDInstance) -> tuple[Answer, str]:
        answer = _predicted(instance, image_bytes, text, sam_model)
        if answer.status >= _ERRORS:
            decoded(answer, instance.name, SAM_PREDICT)
        return answer, instance.name

    return run_on_pool(
        pool,
        work,
        lambda done: _read(done[0], size, done[1]),
        tries=tries,
        timeout=timeout,
        call=wish,
    )


def _size(image_bytes: bytes) -> tuple[int, int]:
    try:
        return size_of(image_bytes)
    except ValueError as exc:
        raise PictureRejectedError("the picture to cut from cannot be read; send another one") from exc


def _payload(image_bytes: bytes, text: str, sam_model: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "input_image": base64.b64encode(image_bytes).decode("ascii"),
        "dino_enabled": True,
        "dino_text_prompt": text,
        "dino_preview_checkbox": False,
    }
    if sam_model:
        body["sam_model_name"] = sam_model
    return body


def _masks(answer: Any, name: str) -> list[Any]:
    if not isinstance(answer, Mapping):
        raise BrokenAnswerError(f"the WebUI {name} answered {SAM_PREDICT} with something that is no object", name)
    masks = answer.get("masks")
    if not masks:
        raise _nothing(name)
    if not isinstance(masks, list):
        raise BrokenAnswerError(f"the WebUI {name} answered masks that are no list", name)
    return masks


def _nothing(name: str) -> NothingFoundError:
    return NothingFoundError(f"the WebUI {name} finds no such object in the picture; send a clearer picture", name)
