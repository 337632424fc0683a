"""/controlnet/* and /sam/*. As in the real extensions they need no login, stand outside the queue of jobs,
and their heavy calls block every other call to the process."""

import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from standins.webui import controlnet, sam, schema
from standins.webui.catalogue import data
from standins.webui.errors import FAULTS, CrashedError, WebUIError
from standins.webui.instance import Instance

STEPS = 5
"""A call takes the time of so many sampling steps."""


def _blocking(instance: Instance, kind: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run `work` while all other calls wait, and write it into the journal."""
    controls = instance.controls
    entry: dict[str, Any] = {"name": instance.settings.name, "kind": kind, "task_id": None, "queued_at": time.time()}
    entry |= {"checkpoint": None, "load_s": 0.0, "seed": None, "steps": STEPS, "outcome": "failed", "error": ""}
    with instance.event_loop:
        entry["start"] = time.time()
        entry["waited_s"] = entry["start"] - entry["queued_at"]
        controls.counts.add("running", 1)
        try:
            if g.fault and g.fault.kind == "hang":
                controls.faults.hang(g.fault.seconds)
            controls.gate.pass_through()
            if g.fault and g.fault.kind in FAULTS:
                raise CrashedError(*FAULTS[g.fault.kind])
            answer = work()
            time.sleep(max(0.0, entry["start"] + STEPS * controls.timing["step_time"] - time.time()))
            entry["outcome"] = "done"
            return answer
        except WebUIError as problem:
            entry["error"] = str(problem)
            raise
        finally:
            controls.counts.add("running", -1)
            controls.counts.add("served", 1)
            controls.journal.write(entry | {"end": time.time()})


def controlnet_blueprint(instance: Instance) -> Blueprint:
    """sd-webui-controlnet v1.1.455."""
    api = Blueprint("controlnet", __name__, url_prefix="/controlnet")

    @api.get("/version")
    def version() -> Response:
        """The API's version, not the extension's."""
        return jsonify({"version": 3})

    @api.get("/model_list")
    def model_list() -> Response:
        """Models with their hashes, without "None"."""
        return jsonify({"model_list": controlnet.model_titles()})

    @api.get("/module_list")
    def module_list() -> Response:
        """Preprocessors."""
        sliders = [{"name": "Resolution", "value": 512, "min": 64, "max": 2048, "step": 8}]
        names = list(data("catalogue")["controlnet_modules"])
        detail = {name: {"model_free": False, "sliders": sliders} for name in names}
        return jsonify({"module_list": names, "module_detail": detail})

    @api.post("/detect")
    def detect() -> Response:
        """Detected maps, one per input."""
        body = schema.body_of(request)
        schema.read(body, {"controlnet_input_images": ("list", None), "controlnet_processor_res": ("int", 512)})
        images = _blocking(instance, "detect", lambda: {"images": controlnet.detect(body)})
        return jsonify({"info": "Success", **images})

    return api


def sam_blueprint(instance: Instance) -> Blueprint:
    """sd-webui-segment-anything."""
    api = Blueprint("sam", __name__, url_prefix="/sam")

    @api.get("/heartbeat")
    def heartbeat() -> Response:
        """Installed and alive."""
        return jsonify({"msg": "Success!"})

    @api.get("/sam-model")
    def sam_model() -> Response:
        """Model files."""
        return jsonify(list(sam.MODELS))

    @api.post("/sam-predict")
    def sam_predict() -> Response:
        """Masks of the object that the text or the points mean."""
        body = schema.body_of(request)
        return jsonify(_blocking(instance, "sam-predict", lambda: sam.predict(body)))

    return api
