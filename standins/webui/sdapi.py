"""/sdapi/v1/*: generations, options, lists, progress."""

import time
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from standins.pictures import codec
from standins.webui import schema
from standins.webui.calls import generate
from standins.webui.catalogue import data
from standins.webui.errors import CrashedError
from standins.webui.instance import Instance


def blueprint(instance: Instance) -> Blueprint:
    """All /sdapi/v1 paths of this instance."""
    api = Blueprint("sdapi", __name__, url_prefix="/sdapi/v1")

    def run(kind: str, fields: schema.Fields) -> Response:
        values = schema.read(schema.body_of(request), fields)
        return jsonify(generate(instance, kind, values, g.fault))

    @api.post("/txt2img")
    def txt2img() -> Response:
        """Pictures from text."""
        return run("txt2img", schema.TXT2IMG)

    @api.post("/img2img")
    def img2img() -> Response:
        """Pictures from a picture."""
        return run("img2img", schema.IMG2IMG)

    _add_options(api, instance)
    _add_lists(api, instance)
    _add_progress(api, instance)
    return api


def _add_options(api: Blueprint, instance: Instance) -> None:
    shelf = instance.shelf

    @api.get("/options")
    def get_options() -> Response:
        """Every option, the loaded checkpoint's hash among them."""
        return jsonify(shelf.as_options())

    @api.post("/options")
    def set_options() -> Response:
        """Set options; a checkpoint is set at once and loaded when the queue lets it."""
        wishes = schema.body_of(request)
        name = wishes.get("sd_model_checkpoint")
        if name is not None and shelf.find(name) is None:
            raise CrashedError("RuntimeError", f"model {name!r} not found")
        for key, value in wishes.items():
            shelf.set(key, value)
        if "sd_model_checkpoint" in wishes:
            with instance.queue.turn():
                shelf.load()
        return jsonify(None)

    @api.post("/refresh-checkpoints")
    def refresh_checkpoints() -> Response:
        """Waits in the queue like a job."""
        with instance.queue.turn():
            return jsonify(None)

    @api.post("/unload-checkpoint")
    @api.post("/reload-checkpoint")
    def touch_checkpoint() -> Response:
        """Answers and changes nothing here."""
        return jsonify({})


def _add_lists(api: Blueprint, instance: Instance) -> None:
    @api.get("/sd-models")
    def sd_models() -> Response:
        """The checkpoints; a title gains its hash when it is loaded first."""
        return jsonify([checkpoint.as_dict() for checkpoint in instance.shelf.checkpoints])

    def add(path: str, answer: Any) -> None:
        api.add_url_rule(path, path.strip("/"), lambda: jsonify(answer), methods=["GET"])

    for name in ("samplers", "schedulers", "upscalers"):
        add(f"/{name}", data("catalogue")[name])
    for name in ("sd-vae", "prompt-styles", "extensions", "hypernetworks", "face-restorers"):
        add(f"/{name}", [])
    settings = instance.settings
    add("/cmd-flags", data("cmd_flags") | {"api_auth": settings.api_auth, "nowebui": settings.nowebui})
    extras = ["controlnet"] * settings.controlnet + ["segment anything"] * settings.sam
    common = ["extra options", "hypertile", *extras, "refiner", "sampler", "seed"]
    add("/scripts", {"txt2img": common, "img2img": common})

    @api.get("/memory")
    def memory() -> Response:
        """Invented figures in the shape of a machine with CUDA."""
        total = 25_276_502_016.0
        ram = {"free": total * 0.8, "used": total * 0.2, "total": total}
        usage = {"current": 2_136_000_000, "peak": 4_272_000_000}
        kinds = dict.fromkeys(("active", "allocated", "reserved", "inactive"), usage)
        return jsonify({"ram": ram, "cuda": {"system": ram, **kinds, "events": {"retries": 0, "oom": 0}}})


def _add_progress(api: Blueprint, instance: Instance) -> None:
    state = instance.state

    @api.get("/progress")
    def progress() -> Response:
        """Of whatever job runs; 0 when idle, never 1 at the end."""
        answer: dict[str, Any] = {"progress": 0.0, "eta_relative": 0.0, "state": state.as_dict()}
        answer |= {"current_image": None, "textinfo": None}
        if state.job_count and state.time_start:
            fraction = 0.01 + state.fraction()
            spent = time.time() - state.time_start
            answer |= {"progress": min(fraction, 1.0), "eta_relative": spent / fraction - spent}
            preview = state.preview
            if preview and request.args.get("skip_current_image", "").lower() not in ("true", "1"):
                answer["current_image"] = codec.encode(preview.resize((preview.width // 4, preview.height // 4)))
        return jsonify(answer)

    @api.post("/interrupt")
    def interrupt() -> Response:
        """End whatever runs now at its next step."""
        state.interrupt()
        instance.controls.gate.nudge()
        return jsonify({})

    @api.post("/skip")
    def skip() -> Response:
        """End the current iteration."""
        state.skip()
        instance.controls.gate.nudge()
        return jsonify(None)
