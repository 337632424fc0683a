"""The WebUI's paths over one instance of the farm, in the shapes of `standins.webui`."""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bench.farm.instance import Instance
from bench.farm.pictures import mask, picture_ends, text_chunk
from bench.farm.wire import Answer, Handler, Request, answer_json
from standins.webui import controlnet, schema
from standins.webui.catalogue import choose_sampling, data
from standins.webui.errors import CrashedError, RefusedError, WebUIError
from standins.webui.infotext import Report, img2img_extra

Path = Callable[[Instance, Any], Awaitable[Any]]


def handler_of(instance: Instance) -> Handler:
    """Answer the calls to one instance."""

    async def handle(request: Request) -> Answer:
        path = PATHS.get((request.method, request.path))
        if path is None:
            return answer_json({"detail": "Not Found"}, 404)
        try:
            answer = await path(instance, request.json())
        except WebUIError as problem:
            return answer_json(problem.body(), problem.status)
        return answer if isinstance(answer, Answer) else answer_json(answer)

    return handle


async def _txt2img(instance: Instance, body: Any) -> Answer:
    return await _generate(instance, "txt2img", schema.read(body or {}, schema.TXT2IMG))


async def _img2img(instance: Instance, body: Any) -> Answer:
    values = schema.read(body or {}, schema.IMG2IMG)
    if not values["init_images"]:
        raise RefusedError(404, "Init image not found")
    return await _generate(instance, "img2img", values)


async def _generate(instance: Instance, kind: str, values: dict[str, Any]) -> Answer:
    pictures = values["batch_size"] * values["n_iter"]
    checkpoint = instance.find((values["override_settings"] or {}).get("sd_model_checkpoint"))
    task_id = values["force_task_id"] or f"task({kind}-{time.time_ns():x})"
    await instance.paint(kind, checkpoint, task_id, values["seed"], pictures)
    return _painted(_report(instance, kind, values), values)


def _report(instance: Instance, kind: str, values: dict[str, Any]) -> Report:
    sampling = choose_sampling(values["sampler_name"], values["scheduler"])
    extra = img2img_extra(values) if kind == "img2img" else {}
    if sampling.is_mentioned:
        extra["Schedule type"] = sampling.schedule_type
    units = controlnet.read_units(values["alwayson_scripts"])
    extra |= {f"ControlNet {index}": unit.mark() for index, unit in enumerate(units)}
    now = time.strftime("%Y%m%d%H%M%S")
    report = Report(values, sampling, instance.loaded, values["seed"], values["subseed"], now, extra)
    report.infotexts = [report.infotext(index) for index in range(report.count)]
    return report


def _painted(report: Report, values: dict[str, Any]) -> Answer:
    before, after = picture_ends()
    pieces = [b'{"images": [']
    for index, text in enumerate(report.infotexts):
        pieces += [b', "' if index else b'"', before, text_chunk(text), after, b'"']
    echoed = {**values, "init_images": None, "mask": None, "alwayson_scripts": {}}
    rest = json.dumps({"parameters": echoed, "info": report.info()})
    return Answer(200, (*pieces, b"], ", rest[1:].encode()))


async def _segment(instance: Instance, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or "input_image" not in body:
        raise RefusedError(422, "input_image is missing")
    await instance.segment()
    three = [mask()] * 3
    return {"msg": "SAM inference with 1 box done.", "blended_images": three, "masks": three, "masked_images": three}


async def _options(instance: Instance, _body: Any) -> dict[str, Any]:
    loaded = {"sd_model_checkpoint": instance.loaded.title, "sd_checkpoint_hash": instance.loaded.sha256}
    # Without the detected maps an answer is smaller; instances may be set up so.
    return {**data("options"), **loaded, "control_net_no_detectmap": True}


async def _set_options(instance: Instance, body: Any) -> None:
    if not isinstance(body, dict) or "sd_model_checkpoint" not in body:
        return
    checkpoint = instance.find(body["sd_model_checkpoint"])
    if checkpoint is None:
        raise CrashedError("RuntimeError", f"model {body['sd_model_checkpoint']!r} not found")
    await instance.load(checkpoint)


async def _sd_models(instance: Instance, _body: Any) -> list[dict[str, Any]]:
    return [checkpoint.as_dict() for checkpoint in instance.checkpoints]


async def _progress(instance: Instance, _body: Any) -> dict[str, Any]:
    fraction = instance.fraction()
    instance.state.sampling_steps, instance.state.sampling_step = 20, int(20 * fraction)
    left_s = instance.timing.image_s * (1 - fraction) if fraction else 0.0
    answer = {"progress": fraction, "eta_relative": left_s, "state": instance.state.as_dict()}
    return answer | {"current_image": None, "textinfo": None}


async def _task_progress(instance: Instance, body: Any) -> dict[str, Any]:
    task_id, tasks = (body or {}).get("id_task"), instance.tasks
    is_active = task_id == tasks.current
    return {
        "active": is_active, "queued": task_id in tasks.pending, "completed": task_id in tasks.finished,
        "progress": instance.fraction() if is_active else None, "eta": None, "live_preview": None,
        "id_live_preview": -1, "textinfo": None if is_active else "Waiting...",
    }  # fmt: skip


async def _interrupt(instance: Instance, _body: Any) -> dict[str, Any]:
    instance.interrupt()
    return {}


async def _pending(instance: Instance, _body: Any) -> dict[str, Any]:
    tasks = list(instance.tasks.pending)
    return {"size": len(tasks), "tasks": tasks}


def _always(value: Any) -> Path:
    async def answer(_instance: Instance, _body: Any) -> Any:
        return value

    return answer


PATHS: Mapping[tuple[str, str], Path] = {
    ("POST", "/sdapi/v1/txt2img"): _txt2img,
    ("POST", "/sdapi/v1/img2img"): _img2img,
    ("GET", "/sdapi/v1/options"): _options,
    ("POST", "/sdapi/v1/options"): _set_options,
    ("GET", "/sdapi/v1/sd-models"): _sd_models,
    ("GET", "/sdapi/v1/samplers"): _always(data("catalogue")["samplers"]),
    ("GET", "/sdapi/v1/schedulers"): _always(data("catalogue")["schedulers"]),
    ("GET", "/sdapi/v1/progress"): _progress,
    ("POST", "/sdapi/v1/interrupt"): _interrupt,
    ("GET", "/internal/ping"): _always({}),
    ("POST", "/internal/progress"): _task_progress,
    ("GET", "/internal/pending-tasks"): _pending,
    ("GET", "/controlnet/version"): _always({"version": 3}),
    ("GET", "/controlnet/model_list"): _always({"model_list": controlnet.model_titles()}),
    ("GET", "/controlnet/module_list"): _always({"module_list": list(data("catalogue")["controlnet_modules"])}),
    ("GET", "/sam/heartbeat"): _always({"msg": "Success!"}),
    ("GET", "/sam/sam-model"): _always(["sam_vit_h_4b8939.pth"]),
    ("POST", "/sam/sam-predict"): _segment,
}
