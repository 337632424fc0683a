"""The heavy calls: what happens around a job (checks, queue, task ids, journal)."""

import time
from typing import Any

from standins.faults import Fault
from standins.webui.errors import CrashedError, RefusedError, WebUIError
from standins.webui.generation import Inputs, Job
from standins.webui.inputs import RESIZE_MODES, decode, fit
from standins.webui.instance import Instance

ALWAYS_ON = {"extra options", "hypertile", "refiner", "sampler", "seed", "soft inpainting", "segment anything"}


def generate(instance: Instance, kind: str, values: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
    """Run a txt2img or img2img call; returns the answer or raises WebUIError. The caller's going changes nothing."""
    if kind == "img2img" and values["init_images"] is None:
        raise RefusedError(404, "Init image not found")
    mask = decode(values["mask"]).convert("L") if values.get("mask") else None
    _check_scripts(instance, values)
    task_id = values["force_task_id"] or f"task({kind}-{instance.dice.randrange(36**7):07X})"
    entry = {
        "name": instance.settings.name, "kind": kind, "task_id": task_id, "queued_at": time.time(),
        "steps": values["steps"], "pictures": (values["batch_size"] or 0) * (values["n_iter"] or 0),
    }  # fmt: skip
    instance.tasks.add(task_id)
    counts = instance.controls.counts
    with instance.queue.turn(counts):
        counts.add("running", 1)
        try:
            job = _in_turn(instance, values, mask, fault, entry)
        finally:
            counts.add("running", -1)
            counts.add("served", 1)
    parameters = dict(values)
    if "init_images" in values and not values["include_init_images"]:
        parameters |= {"init_images": None, "mask": None}
    return job.answer(parameters)  # as in the WebUI the pictures are encoded when the next job may already run


def _in_turn(instance: Instance, values: dict[str, Any], mask: Any, fault: Fault | None, entry: dict[str, Any]) -> Job:
    entry |= {"start": time.time(), "outcome": "failed", "load_s": 0.0, "seed": None, "error": ""}
    job: Job | None = None
    try:
        if fault and fault.kind == "hang":
            instance.controls.faults.hang(fault.seconds)
        inputs = _inputs(values, mask) if entry["kind"] == "img2img" else None
        job = Job(instance, values, inputs, fault.kind if fault else None)
        _run(instance, job, entry["task_id"])
        entry["outcome"] = "interrupted" if job.was_cut else "done"
        return job
    except WebUIError as problem:
        entry["error"] = str(problem)
        raise
    finally:
        entry |= {"end": time.time(), "checkpoint": instance.shelf.loaded.model_name}
        entry["waited_s"] = entry["start"] - entry["queued_at"]
        entry["max_queued"] = instance.controls.counts.as_dict()["max_queued"]
        if job:
            entry |= {"load_s": job.load_s, "seed": job.report.seed if job.report else None}
        instance.controls.journal.write(entry)


def _inputs(values: dict[str, Any], mask: Any) -> Inputs:
    """Decode what came in. It fails here, before the task starts: so its id stays pending for ever."""
    images = [decode(text) for text in values["init_images"]]
    if not images:
        text = "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [0]"
        raise CrashedError("RuntimeError", text)
    limit = values["batch_size"] or 0
    if len(images) > max(1, limit):
        raise CrashedError("RuntimeError", f"bad number of images passed: {len(images)}; expecting {limit} or less")
    if mask is not None and values["inpainting_mask_invert"]:
        mask = mask.point(lambda grey: 255 - grey)
    size = (max(8, values["width"] // 8 * 8), max(8, values["height"] // 8 * 8))
    mode = RESIZE_MODES[values["resize_mode"] if values["resize_mode"] in (0, 1) else 2]
    return Inputs([fit(image, size, mode) for image in images], mask and mask.resize(size))


def _run(instance: Instance, job: Job, task_id: str) -> None:
    instance.state.begin("scripts_txt2img" if job.inputs is None else "scripts_img2img")
    try:
        instance.tasks.start(task_id)
        job.run()
        instance.tasks.finish(task_id)
    finally:
        instance.state.end()


def _check_scripts(instance: Instance, values: dict[str, Any]) -> None:
    known = ALWAYS_ON | ({"controlnet"} if instance.settings.controlnet else set())
    if values["script_name"]:
        raise RefusedError(422, f"Script '{values['script_name']}' not found")
    for name in values["alwayson_scripts"]:
        if name.lower() not in known:
            raise RefusedError(422, f"Script '{name}' not found")
