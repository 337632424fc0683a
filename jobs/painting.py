"""The image capability of a run: pictures by preset, spread over the instances, kept as soon as they are there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeVar

from agent.attempts import Ran
from agent.errors import SDError, SDNotConfiguredError
from agent.images import fit
from agent.payloads import ControlNetUnit, Img2ImgRequest, InpaintRequest, Txt2ImgRequest
from agent.pool import SDInstancePool
from agent.sd import paint, size_of_request
from jobs.given import Given
from jobs.parallel import each
from jobs.parts import Parts
from jobs.patience import patiently
from jobs.recorder import Recorder, Step
from jobs.submission import SEED_LIMIT, Image
from settings.presets import Preset, RenderedPreset

Result = TypeVar("Result")


class Painting:
    """Paints pictures for one run. Picture i has the run's seed + i, so that a run can be repeated."""

    def __init__(self, parts: Parts, recorder: Recorder, seed: int, given: Given) -> None:
        self._parts = parts
        self._recorder = recorder
        self._seed = seed
        self._given = given

    def paint_all(
        self, num: int, preset: str, *, structure: bytes | None = None, first_output: int = 0, **variables: str
    ) -> list[Image]:
        """Paint `num` pictures that are results of the run, at the same time, and show each as soon as it is there.

        Args:
            preset: name of an image preset of the settings.
            structure: picture (encoded) whose lines or depth the preset's ControlNet unit follows.
            first_output: place of the first picture among the results.
        """
        rendered = self._given.versions.preset(preset).render(**variables)
        return self._painted_all(num, rendered, txt2img_request(rendered, self._seed, structure), first_output)

    def paint(self, preset: str, index: int, *, structure: bytes | None = None, **variables: str) -> Image:
        """Paint the picture with this index and keep it."""
        return self._one(preset, index, structure, variables)[0]

    def paint_bytes(self, preset: str, index: int, **variables: str) -> bytes:
        """Paint the picture with this index, keep it, and return it (PNG) for the next step."""
        return self._one(preset, index, None, variables)[1]

    def repaint_around(self, num: int, preset: str, *, canvas: bytes, keep: bytes, **variables: str) -> list[Image]:
        """Paint `num` pictures, as `paint_all` does, in which the masked part of the canvas stays and the rest is new.

        Args:
            canvas: the picture to start from (encoded), as `fitted` made it.
            keep: mask of the same size as the canvas, white where the canvas stays.
        """
        rendered = self._given.versions.preset(preset).render(**variables)
        return self._painted_all(num, rendered, inpaint_request(rendered, self._seed, canvas, keep), 0)

    def fitted(self, preset: str, image_bytes: bytes) -> bytes:
        """Scale a picture into the size that a preset paints, on white, nothing cut off."""
        rendered = self._given.versions.preset(preset)
        return fit(image_bytes, rendered.width, rendered.height)

    def bytes_of(self, image: Image) -> bytes:
        """Fetch a picture that is kept back from the store."""
        content = self._patiently(lambda: self._parts.stores.contents.get(image.image_id))
        if content is None:
            raise LookupError(f"image {image.image_id} is not in the store")
        return content.data

    def keep(self, image_bytes: bytes, width: int | None = None, height: int | None = None) -> Image:
        """Keep a PNG of this run; sizes in pixels, where they are known already."""
        contents = self._parts.stores.contents
        kept = self._patiently(lambda: contents.put(image_bytes, "image/png", width=width, height=height, is_new=True))
        return Image(kept.sha256)

    def pool(self) -> SDInstancePool:
        """Return the pool of WebUIs, or say which setting is missing."""
        if self._parts.pool is None:
            raise SDNotConfiguredError("no Stable Diffusion WebUI is configured; set SD_ENDPOINTS to their base URLs")
        return self._parts.pool

    def _patiently(self, call: Callable[[], Result]) -> Result:
        return patiently(call, self._recorder.raise_if_canceled)

    def _seed_of(self, index: int) -> int:
        return (self._seed + index) % SEED_LIMIT

    def _painted_all(
        self, num: int, rendered: RenderedPreset, request: Txt2ImgRequest, first_output: int
    ) -> list[Image]:
        self._recorder.progress.announce(num)
        sizes = self._sizes(num, rendered, request)
        firsts = [sum(sizes[:position]) for position in range(len(sizes))]

        def one(position: int) -> list[Image]:
            first, size = firsts[position], sizes[position]
            # The request, with its fitted pictures, is made once; only seed and number differ.
            own = replace(request, seed=self._seed_of(first), batch_size=size)
            images = [image for image, _ in self._painted(rendered, own, first)]
            for offset, image in enumerate(images):
                self._recorder.show(image, first_output + first + offset)
            return images

        return [image for images in each(len(sizes), one) for image in images]

    def _sizes(self, num: int, rendered: RenderedPreset, request: Txt2ImgRequest) -> Sequence[int]:
        """Divide the pictures into batches, in their order."""
        pinned = self._given.pins.sizes(rendered.preset.name, num)
        if pinned is not None:
            return pinned
        # The WebUI counts the seeds of a batch up without end, we begin at 0 again.
        if num == 1 or self._seed + num > SEED_LIMIT:
            return (1,) * num
        return self.pool().split(num, request.checkpoint, size_of_request(request))

    def _one(
        self, preset: str, index: int, structure: bytes | None, variables: Mapping[str, str]
    ) -> tuple[Image, bytes]:
        self._recorder.progress.announce(1)
        rendered = self._given.versions.preset(preset).render(**variables)
        [made] = self._painted(rendered, txt2img_request(rendered, self._seed_of(index), structure), index)
        return made

    def _painted(self, rendered: RenderedPreset, request: Txt2ImgRequest, index: int) -> list[tuple[Image, bytes]]:
        """Paint a batch and keep it; each picture as it is kept, and as PNG."""
        kind, size = "img2img" if isinstance(request, Img2ImgRequest) else "txt2img", request.batch_size
        facts = {"index": index, "batch": size, **asked_facts(rendered, request)}
        with self._recorder.step(kind, rendered.preset.name, weight=float(size), **facts) as step:
            painted = on_pool(step, lambda: paint(self.pool(), request, call=self._recorder.call(step)))
            images = [self.keep(one.image_bytes, one.width, one.height) for one in painted.images]
            kept = [image.image_id for image in images]
            step.details |= {
                **({"image_id": kept[0]} if size == 1 else {"image_ids": kept}),
                "task_id": painted.task_id,
                "load_s": round(painted.load_s, 4),
                "paint_s": round(painted.paint_s, 4),
                "network_s": round(painted.network_s, 4),
                "used": asdict(painted.facts),
                "not_applied": painted.not_applied,
            }
        return [(image, one.image_bytes) for image, one in zip(images, painted.images, strict=True)]


def txt2img_request(rendered: RenderedPreset, seed: int, structure: bytes | None) -> Txt2ImgRequest:
    """Turn a rendered preset into a request, with the structure picture in its ControlNet unit."""
    return Txt2ImgRequest(
        **_common(rendered, seed),
        denoising_strength=rendered.preset.denoising_strength,
        controlnet=_units(rendered.preset, structure),
    )


def inpaint_request(rendered: RenderedPreset, seed: int, canvas: bytes, keep: bytes) -> InpaintRequest:
    """Turn a rendered inpainting preset into a request; canvas and mask have the preset's size."""
    preset = rendered.preset
    if preset.inpaint is None or preset.denoising_strength is None:
        raise ValueError(f"preset {preset.name} has no [inpaint] part or no denoising_strength")
    return InpaintRequest(
        **_common(rendered, seed),
        init_images=(canvas,),
        denoising_strength=preset.denoising_strength,
        mask=keep,
        **preset.inpaint.model_dump(),
        controlnet=_units(preset, canvas),
    )


def asked_facts(rendered: RenderedPreset, request: Txt2ImgRequest) -> dict[str, Any]:
    """List what was asked of the WebUI, for the record: everything but the pictures themselves."""
    return {
        "preset": rendered.preset.name,
        "preset_hash": rendered.preset.hash,
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "checkpoint": request.checkpoint,
        "sampler_name": request.sampler_name,
        "scheduler": request.scheduler,
        "steps": request.steps,
        "cfg_scale": request.cfg_scale,
        "width": request.width,
        "height": request.height,
        "seed": request.seed,
        "denoising_strength": request.denoising_strength,
        "controlnet": [_unit_facts(unit) for unit in request.controlnet],
    }


def _common(rendered: RenderedPreset, seed: int) -> dict[str, Any]:
    preset = rendered.preset
    return {
        "prompt": rendered.prompt,
        "negative_prompt": rendered.negative_prompt,
        "checkpoint": preset.checkpoint,
        "sampler_name": preset.sampler_name,
        "scheduler": preset.scheduler,
        "steps": preset.steps,
        "cfg_scale": preset.cfg_scale,
        "width": preset.width,
        "height": preset.height,
        "seed": seed,
    }


def _units(preset: Preset, structure: bytes | None) -> tuple[ControlNetUnit, ...]:
    if preset.controlnet is None or structure is None:
        return ()
    # Whole, on white: ControlNet would cut off what does not have the picture's proportions.
    whole = fit(structure, preset.width, preset.height)
    return (ControlNetUnit(image=whole, **preset.controlnet.model_dump()),)


def _unit_facts(unit: ControlNetUnit) -> dict[str, Any]:
    return {name: value for name, value in asdict(unit).items() if name != "image"}


def on_pool(step: Step, call: Callable[[], Ran[Result]]) -> Result:
    """Do work on the pool and note in the step where it was done, after how long a wait, and what was tried before."""
    try:
        ran = call()
    except SDError as exc:
        step.details["attempts"] = [asdict(attempt) for attempt in exc.attempts]
        raise
    step.waited_s = ran.waited_s
    step.details |= {
        "instance": ran.instance,
        "reason": ran.reason,
        "attempts": [asdict(attempt) for attempt in ran.attempts],
    }
    return ran.result
