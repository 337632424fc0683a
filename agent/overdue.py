"""The job whose answer did not come: cut it short if it is ours, and find out when the instance is idle.

/sdapi/v1/interrupt takes no id: it hits whatever runs. So it is sent only while our own task is the active one. Where
the WebUI runs with --nowebui there is no /internal/progress; then the lease that we hold says whose job it is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from agent.errors import InstanceBusyError, MissingOnInstanceError, SDError
from agent.instance import SDInstance
from agent.sdapi import call_sdapi, post_sdapi

_log = logging.getLogger(__name__)

_ANSWER_S = 5.0
_PATIENCE_S = 10.0
_PAUSE_S = 0.1


def cut_short(instance: SDInstance, task_id: str) -> bool:
    """Interrupt the instance if it works on `task_id`, and wait for it to become idle; tell whether it was sent.

    The instance stays `unsettled` when it does not become idle soon. Best effort: never raises.
    """
    instance.unsettled = True
    try:
        interrupted = _is_ours(instance, task_id)
        if interrupted:
            post_sdapi(instance, "/sdapi/v1/interrupt", {}, timeout_s=_ANSWER_S)
        instance.unsettled = not _becomes_idle(instance, _PATIENCE_S if interrupted else 0)
    except SDError as exc:
        _log.warning("nothing is known about the job left on %s: %s", instance.name, exc.message)
        return False
    return interrupted


def settle(instance: SDInstance, patience_s: float = 2.0) -> None:
    """Make sure that nobody's forgotten job runs on an unsettled instance. Raises InstanceBusyError if one does."""
    if not instance.unsettled:
        return
    if not _becomes_idle(instance, patience_s):
        raise InstanceBusyError(
            f"the WebUI {instance.name} still works on an earlier job that nobody waits for; it is left alone",
            instance.name,
        )
    instance.unsettled = False


def _is_ours(instance: SDInstance, task_id: str) -> bool:
    question = {"id_task": task_id, "live_preview": False}
    try:
        progress = post_sdapi(instance, "/internal/progress", question, timeout_s=_ANSWER_S)
    except MissingOnInstanceError:
        return _is_running(instance)
    # A task that raised stays active until the next begins; then nothing runs that we could hit.
    return _flag(progress, "active") and not _flag(progress, "completed") and _is_running(instance)


def _flag(answer: Any, key: str) -> bool:
    return isinstance(answer, Mapping) and answer.get(key) is True


def _is_running(instance: SDInstance) -> bool:
    answer = call_sdapi(instance, "/sdapi/v1/progress?skip_current_image=true", timeout_s=_ANSWER_S)
    state = answer.get("state") if isinstance(answer, Mapping) else None
    # job_count is -1 just after the start, and both fields are empty when idle.
    return isinstance(state, Mapping) and bool(state.get("job") or state.get("job_count"))


def _becomes_idle(instance: SDInstance, patience_s: float) -> bool:
    end = time.monotonic() + patience_s
    while _is_running(instance):
        if time.monotonic() >= end:
            return False
        time.sleep(_PAUSE_S)
    return True
