"""/internal/*: only there without --nowebui."""

import time
from typing import Any

from flask import Blueprint, Response, jsonify, request

from standins.pictures import codec
from standins.webui import schema
from standins.webui.errors import CrashedError
from standins.webui.instance import Instance

FIELDS: schema.Fields = {"id_task": ("str", None), "id_live_preview": ("int!", -1), "live_preview": ("bool!", True)}


def blueprint(instance: Instance) -> Blueprint:
    """The /internal paths of this instance."""
    internal = Blueprint("internal", __name__, url_prefix="/internal")

    @internal.get("/ping")
    def ping() -> Response:
        """Alive."""
        return jsonify({})

    @internal.get("/pending-tasks")
    def pending_tasks() -> Response:
        """Queued ids, the running one not among them."""
        tasks = list(instance.tasks.pending)
        return jsonify({"size": len(tasks), "tasks": tasks})

    @internal.post("/progress")
    def progress() -> Response:
        """Progress of one id; unknown, pending and finished ones are all 200."""
        return jsonify(_progress(instance, schema.read(schema.body_of(request), FIELDS)))

    return internal


def _progress(instance: Instance, wish: dict[str, Any]) -> dict[str, Any]:
    tasks, task_id = instance.tasks, wish["id_task"]
    pending = list(tasks.pending)
    answer = {
        "active": task_id == tasks.current, "queued": task_id in pending, "completed": task_id in tasks.finished,
        "progress": None, "eta": None, "live_preview": None, "id_live_preview": -1, "textinfo": "Waiting...",
    }  # fmt: skip
    if answer["active"]:
        return answer | _active(instance, wish)
    if answer["queued"]:
        answer["textinfo"] = f"In queue: {pending.index(task_id) + 1}/{len(pending)}"
    return answer


def _active(instance: Instance, wish: dict[str, Any]) -> dict[str, Any]:
    state = instance.state
    if state.time_start is None:
        raise CrashedError("TypeError", "unsupported operand type(s) for -: 'float' and 'NoneType'")
    fraction = min(state.fraction(), 1.0)
    spent = time.time() - state.time_start
    answer: dict[str, Any] = {"progress": fraction, "eta": spent / fraction - spent if fraction else None}
    answer |= {"textinfo": None, "id_live_preview": wish["id_live_preview"]}
    preview = state.preview
    if preview and wish["live_preview"] and state.id_live_preview != wish["id_live_preview"]:
        small = preview.resize((preview.width // 4, preview.height // 4))
        answer["live_preview"] = f"data:image/png;base64,{codec.encode(small)}"
        answer["id_live_preview"] = state.id_live_preview
    return answer
