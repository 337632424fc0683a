"""A txt2img or img2img job from its turn in the queue to its answer."""

import time
import zlib
from dataclasses import dataclass
from typing import Any

from PIL import Image

from standins import pictures
from standins.pictures import codec
from standins.webui import controlnet
from standins.webui.catalogue import choose_sampling
from standins.webui.errors import FAULTS, CrashedError
from standins.webui.infotext import Report, img2img_extra
from standins.webui.instance import Instance


@dataclass
class Inputs:
    """The decoded pictures of an img2img call; `mask` is white where the picture is to be repainted."""

    init_images: list[Image.Image]
    mask: Image.Image | None = None

    @property
    def init(self) -> Image.Image | None:
        """The picture to start from."""
        return self.init_images[0] if self.init_images else None


class Job:
    """One job. `run` is called by the thread that holds the queue."""

    def __init__(self, instance: Instance, values: dict[str, Any], inputs: Inputs | None, fault: str | None) -> None:
        """`inputs` is None for txt2img."""
        self.instance, self.values, self.inputs, self.fault = instance, values, inputs, fault
        self.images: list[Image.Image] = []
        self.maps: list[Image.Image] = []
        self.load_s = 0.0
        self.report: Report | None = None
        self.was_cut = False
        self.samples_format = "png"

    def run(self) -> None:
        """Load the checkpoint, sample, keep the pictures; WebUIError if anything goes wrong."""
        shelf, overrides = self.instance.shelf, dict(self.values["override_settings"] or {})
        stored = shelf.stored(list(overrides))
        try:
            self.load_s = shelf.apply(overrides)
            _check(self.values)
            self.report = self._report()
            self._sample(self.report)
            self.samples_format = str(shelf.get("samples_format"))
        finally:
            if self.values["override_settings_restore_afterwards"]:
                shelf.restore(stored)

    def _report(self) -> Report:
        values, instance = self.values, self.instance
        sampling = choose_sampling(values["sampler_name"] or values["sampler_index"], values["scheduler"])
        seed, subseed = (
            instance.random_seed() if values[key] in (-1, None) else int(values[key]) for key in ("seed", "subseed")
        )
        extra = img2img_extra(values) if self.inputs is not None else {}
        if sampling.is_mentioned:
            extra["Schedule type"] = sampling.schedule_type
        if (source := str(instance.shelf.get("randn_source"))) != "GPU":
            extra["RNG"] = source
        return Report(values, sampling, instance.shelf.loaded, seed, subseed, instance.state.job_timestamp, extra)

    def _sample(self, report: Report) -> None:
        state, values = self.instance.state, self.values
        size = (values["width"] // 8 * 8, values["height"] // 8 * 8)
        units = controlnet.read_units(values["alwayson_scripts"]) if self.instance.settings.controlnet else []
        report.extra |= {f"ControlNet {index}": unit.mark() for index, unit in enumerate(units)}
        working = controlnet.apply(units, size, self.inputs.init if self.inputs else None)
        state.job_count = values["n_iter"]
        for iteration in range(values["n_iter"]):
            state.skipped = False
            if state.interrupted:
                break
            state.stop.clear()
            if values["n_iter"] > 1:
                state.job = f"Batch {iteration + 1} out of {values['n_iter']}"
            self.load_s += self.instance.shelf.load()  # a POST /options meanwhile changes the model under the job
            self._iterate(report, iteration, size, [structure for _unit, structure in working])
            state.next_job()
        self.maps = [pictures.detected_map(one.module, one.image) for unit, one in working if unit.save_detected_map]

    def _iterate(
        self, report: Report, iteration: int, size: tuple[int, int], structures: list[pictures.Structure]
    ) -> None:
        batch = self.values["batch_size"]
        began = time.monotonic()
        indexes = range(iteration * batch, (iteration + 1) * batch)
        drawn = [self._draw(report, report.seed + index, size, structures) for index in indexes]
        done = self._steps(began, batch, drawn[0])
        for index, image in zip(indexes, drawn, strict=True):
            if done < 1:
                self.was_cut = True
                image = pictures.half_done(image, done, report.seed + index)
            self.images.append(image)
            report.infotexts.append(report.infotext(index))

    def _draw(
        self, report: Report, seed: int, size: tuple[int, int], structures: list[pictures.Structure]
    ) -> Image.Image:
        values, inputs = self.values, self.inputs
        blur = values.get("mask_blur")
        # Other noise makes another picture, also with the same seed.
        seed += zlib.crc32(report.extra["RNG"].encode()) if "RNG" in report.extra else 0
        wish = pictures.Wish(
            prompt=values["prompt"], negative_prompt=values["negative_prompt"], seed=seed,
            checkpoint=report.checkpoint.model_name, size=size, structures=tuple(structures),
            init=inputs.init if inputs else None, denoising_strength=values["denoising_strength"] or 0.0,
            mask=inputs.mask if inputs else None, mask_blur=values.get("mask_blur_x", 4) if blur is None else blur,
            is_plain=self.instance.settings.plain,
        )  # fmt: skip
        return pictures.draw(wish)

    def _steps(self, began: float, batch: int, drawn: Image.Image) -> float:
        """Take the time of the steps; return the done part, below 1 if the job was interrupted or skipped."""
        state, gate = self.instance.state, self.instance.controls.gate
        steps: int = self.values["steps"]
        state.sampling_steps = steps
        for step in range(steps):
            state.sampling_step = step
            gate.pass_through(step, state.stop.is_set)
            if step == 0 and self.fault in FAULTS:
                raise CrashedError(*FAULTS[self.fault])
            due = began + (step + 1) * batch * self.instance.controls.timing["step_time"]
            if state.stop.is_set() or (time.monotonic() < due and state.stop.wait(due - time.monotonic())):
                return step / steps
            if (step + 1) % 10 == 0:
                state.preview, state.id_live_preview = pictures.half_done(drawn, (step + 1) / steps, 0), step + 1
        state.sampling_step = steps
        return 1.0

    def answer(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The three keys of the WebUI's answer: grid first, pictures, detected maps last."""
        assert self.report is not None
        texts, images = list(self.report.infotexts), list(self.images)
        if self.values["save_images"] and len(images) > 1:
            images.insert(0, pictures.grid(images))
            texts.insert(0, texts[0])
            self.report.index_of_first_image = 1
            self.report.infotexts = texts
        kind = self.samples_format
        encoded = [codec.encode(image, text, kind) for image, text in zip(images, texts, strict=True)]
        encoded += [codec.encode(image, None, kind) for image in self.maps]
        shown = encoded if self.values["send_images"] else []
        return {"images": shown, "parameters": parameters, "info": self.report.info()}


def _check(values: dict[str, Any]) -> None:
    """The values that pass the schema and then break the real server's code, with its texts."""
    if values["prompt"] is None:
        raise CrashedError("AssertionError", "")
    if values["steps"] is None:
        raise CrashedError("TypeError", "unsupported operand type(s) for //: 'NoneType' and 'NoneType'")
    if not values["batch_size"] or not values["n_iter"]:
        raise CrashedError("IndexError", "list index out of range")
    if values["steps"] <= 0:
        raise CrashedError("ZeroDivisionError", "integer division or modulo by zero")
    for side in (values["width"], values["height"]):
        if side < 0:
            shape = [4, values["height"] // 8, values["width"] // 8]
            raise CrashedError("RuntimeError", f"Trying to create tensor with negative dimension {side // 8}: {shape}")
        if side < 8:
            text = "Calculated padded input size per channel: (10 x 2). Kernel size: (3 x 3). "
            raise CrashedError("RuntimeError", f"{text}Kernel size can't be greater than actual input size")
