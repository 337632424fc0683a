"""Cheap looks at an instance: does it answer, what has it loaded, does it paint."""

from __future__ import annotations

from collections.abc import Mapping

from agent.errors import BrokenAnswerError, InstanceServiceError, PictureRejectedError
from agent.info import decoded_picture
from agent.instance import SDInstance
from agent.payloads import new_task_id
from agent.sdapi import ask_sdapi, call_sdapi

_ANSWER_S = 5.0
_PAINT_S = 8.0


def loaded_checkpoint(instance: SDInstance) -> str | None:
    """Ask which checkpoint is loaded; None where the options cannot be read. Raises SDError when it does not answer."""
    try:
        options = call_sdapi(instance, "/sdapi/v1/options", timeout_s=_ANSWER_S)
    except (InstanceServiceError, PictureRejectedError):
        # GET /options fails while any option has a wrong type; that the WebUI lives is proved all the same.
        return None
    name = options.get("sd_model_checkpoint") if isinstance(options, Mapping) else None
    return name if isinstance(name, str) and name else None


def paints(instance: SDInstance) -> None:
    """Have the smallest possible picture painted: an instance that answers questions may still fail at its work.

    Raises SDError when it does not.
    """
    answer = ask_sdapi(
        instance,
        "/sdapi/v1/txt2img",
        {"prompt": "", "steps": 1, "width": 64, "height": 64, "seed": 1, "force_task_id": new_task_id()},
        timeout_s=_PAINT_S,
    )
    images = answer.get("images") if isinstance(answer, Mapping) else None
    if not images:
        raise BrokenAnswerError(f"the WebUI {instance.name} answered a probe without a picture", instance.name)
    decoded_picture(images[0], instance.name)
