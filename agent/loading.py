"""The change to another checkpoint, as a call of its own: so its seconds are known and not taken for painting."""

from __future__ import annotations

import logging
import time

from agent.capabilities import bare_checkpoint
from agent.errors import (
    InstanceConnectionLostError,
    InstanceServiceError,
    InstanceTimeoutError,
    MissingOnInstanceError,
    PictureRejectedError,
)
from agent.instance import SDInstance
from agent.sdapi import post_sdapi

_log = logging.getLogger(__name__)

_OPTIONS = "/sdapi/v1/options"
# Where nobody knew what was loaded, an answer as quick as this means that it was the very one.
_NO_LOAD_S = 0.1


def load_checkpoint(instance: SDInstance, checkpoint: str) -> float:
    """Have the instance load a checkpoint unless it is known to have it; give the seconds that it took.

    The call waits until it is loaded. A WebUI that cannot do it this way is left to load it with the picture, whose
    request names the checkpoint too. Raises SDError when the WebUI does not answer.
    """
    bare = bare_checkpoint(checkpoint)
    if instance.loaded == bare or instance.holding is None:
        return 0.0
    instance.holding.call.raise_if_canceled()
    instance.holding.sent()
    began = time.monotonic()
    try:
        limit_s = min(instance.holding.load_limit_s or instance.read_timeout_s, instance.read_timeout_s)
        post_sdapi(instance, _OPTIONS, {"sd_model_checkpoint": checkpoint}, timeout_s=limit_s)
    except (InstanceServiceError, MissingOnInstanceError, PictureRejectedError) as exc:
        _log.warning("%s loads %s with the picture: %s", instance.name, bare, exc.message)
        instance.loaded = None
        return 0.0
    except (InstanceTimeoutError, InstanceConnectionLostError):
        instance.loaded, instance.unsettled = None, True
        raise
    load_s = time.monotonic() - began
    was_loaded = instance.loaded is None and load_s < _NO_LOAD_S
    instance.loaded = bare
    instance.holding.load_s = 0.0 if was_loaded else load_s
    return instance.holding.load_s
