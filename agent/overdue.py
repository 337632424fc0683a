"""The job whose answer did not come: cut it short if it is ours, and find out when the instance is idle.

/sdapi/v1/interrupt takes no id: it hits whatever runs. So it is sent only while our own task is the active one. Where
the WebUI runs with --nowebui there is no /internal/progress; then the lease that we hold says whose job it is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from agent.errors import InstanceBusyError, InstanceTimeoutError, MissingOnInstanceError, SDError
from agent.instance import SDInstance
from agent.sdapi import ask_sdapi, call_sdapi

_log = logging.getLogger(__name__)

# Short: whoever waits for the picture waits for this too, before it is made elsewhere.
_ANSWER_S = 2.0
_PATIENCE_S = 3.0
_PAUSE_S = 0.1


def cut_short(instance: SDInstance, task_id: str) -> bool:
    """Interrupt the instance if it works on `task_id`, and wait for it to become idle; tell whether it was sent.

    The instance stays `unsettled` when it does not become idle soon. Best effort: never raises.
    """
    # Said first: if anything below fails, the next user of the instance is warned.
    instance.unsettled, instance.abandoned_task = True, task_id
    try:
        interrupted = interrupt(instance, task_id)
        if _becomes_idle(instance, _PATIENCE_S if interrupted else 0):
            _forget(instance)
    except SDError as exc:
        _log.warning("nothing is known about the job left on %s: %s", instance.name, exc.message)
        return False
    return interrupted


def interrupt(instance: SDInstance, task_id: str) -> bool:
    """Interrupt the instance if it works on `task_id` and on nothing else; tell whether it did. Raises SDError."""
    is_ours = _is_ours(instance, task_id)
    if is_ours:
        ask_sdapi(instance, "/sdapi/v1/interrupt", {}, timeout_s=_ANSWER_S)
    return is_ours


def progress_of(instance: SDInstance, task_id: str) -> float | None:
    """Ask how far exactly this task is, 0..1; None while it has not begun. Raises SDError."""
    answer = _progress_of(instance, task_id)
    if answer is None:
        # --nowebui cannot tell tasks apart; under a lease the one that runs is ours.
        answer = call_sdapi(instance, "/sdapi/v1/progress?skip_current_image=true", timeout_s=_ANSWER_S)
    elif not _flag(answer, "active"):
        return None
    progress = answer.get("progress") if isinstance(answer, Mapping) else None
    return min(max(float(progress), 0.0), 1.0) if isinstance(progress, int | float) else None


def settle(instance: SDInstance, patience_s: float = 2.0) -> None:
    """Make sure that nobody's forgotten job runs on an unsettled instance. Raises InstanceBusyError if one does."""
    if not instance.unsettled:
        return
    try:
        # Whoever left it there, another process included, wrote down which task it is.
        if instance.abandoned_task is not None and interrupt(instance, instance.abandoned_task):
            _log.info("interrupted a job on %s that nobody waits for", instance.name)
        is_idle = _becomes_idle(instance, patience_s)
    except InstanceTimeoutError:
        # Segment Anything blocks the whole WebUI, questions included.
        is_idle = False
    if not is_idle:
        raise InstanceBusyError(
            f"the WebUI {instance.name} still works on an earlier job that nobody waits for; it is left alone",
            instance.name,
        )
    _forget(instance)


def was_interrupted(instance: SDInstance) -> bool:
    """Tell whether the instance's last job was cut short; its answer does not say so. Unknown counts as no."""
    try:
        return _flag(_state(instance), "interrupted")
    except SDError:
        return False


def _forget(instance: SDInstance) -> None:
    instance.unsettled, instance.abandoned_task = False, None


def _is_ours(instance: SDInstance, task_id: str) -> bool:
    progress = _progress_of(instance, task_id)
    if progress is None:
        return _is_running(instance)
    # A task that raised stays active until the next begins; then nothing runs that we could hit.
    return _flag(progress, "active") and not _flag(progress, "completed") and _is_running(instance)


def _progress_of(instance: SDInstance, task_id: str) -> Any:
    """Ask for exactly this task; None where the WebUI cannot tell tasks apart (--nowebui)."""
    question = {"id_task": task_id, "live_preview": False}
    try:
        return ask_sdapi(instance, "/internal/progress", question, timeout_s=_ANSWER_S)
    except MissingOnInstanceError:
        return None


def _flag(answer: Any, key: str) -> bool:
    return isinstance(answer, Mapping) and answer.get(key) is True


def _state(instance: SDInstance) -> Mapping[str, Any]:
    answer = call_sdapi(instance, "/sdapi/v1/progress?skip_current_image=true", timeout_s=_ANSWER_S)
    state = answer.get("state") if isinstance(answer, Mapping) else None
    return state if isinstance(state, Mapping) else {}


def _is_running(instance: SDInstance) -> bool:
    state = _state(instance)
    # job_count is -1 just after the start, and both fields are empty when idle.
    return bool(state.get("job") or state.get("job_count"))


def _is_waiting(instance: SDInstance) -> bool:
    """Tell whether the job that we left stands in the WebUI's own queue: it will run, and nothing can stop it."""
    task_id = instance.abandoned_task
    return task_id is not None and _flag(_progress_of(instance, task_id), "queued")


def _becomes_idle(instance: SDInstance, patience_s: float) -> bool:
    end = time.monotonic() + patience_s
    while _is_running(instance) or _is_waiting(instance):
        if time.monotonic() >= end:
            return False
        time.sleep(_PAUSE_S)
    return True
