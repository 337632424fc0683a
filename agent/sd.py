"""Pictures by a Stable Diffusion WebUI: txt2img, img2img, inpainting, each with ControlNet.

The functions take a leased instance; `paint` leases one itself and moves on to another where that does no harm.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from agent.attempts import Ran, run_on_pool
from agent.capabilities import Capabilities, missing, read_capabilities
from agent.errors import (
    InstanceConnectionLostError,
    InstanceTimeoutError,
    InstanceUnreachableError,
    MissingOnInstanceError,
    PictureRejectedError,
)
from agent.images import size_of
from agent.info import Facts, NotApplied, Painted, read_answer
from agent.instance import SDInstance
from agent.overdue import cut_short, settle, was_interrupted
from agent.payloads import Img2ImgRequest, InpaintRequest, Txt2ImgRequest, new_task_id, payload
from agent.pool import SDInstancePool
from agent.sdapi import call_sdapi, post_sdapi

__all__ = [
    "PaintedOnce",
    "PaintedSet",
    "call_sdapi",
    "capabilities_of",
    "image2Image",
    "inpaint",
    "paint",
    "post_sdapi",
    "text2Image",
]

_log = logging.getLogger(__name__)

TXT2IMG = "/sdapi/v1/txt2img"
IMG2IMG = "/sdapi/v1/img2img"


@dataclass(frozen=True)
class PaintedSet:
    """The pictures of one call, in the order of their seeds; what was not done as asked; how long the call took."""

    images: tuple[Painted, ...]
    not_applied: NotApplied
    facts: Facts
    task_id: str
    duration_s: float


PaintedOnce = Ran[PaintedSet]


def text2Image(instance: SDInstance, request: Txt2ImgRequest) -> PaintedSet:
    """Paint from words (txt2img). Raises SDError leaves; nothing is sent when the instance lacks a name."""
    return _generate(instance, TXT2IMG, request)


def image2Image(instance: SDInstance, request: Img2ImgRequest) -> PaintedSet:
    """Paint from a picture and words (img2img). Raises SDError leaves as `text2Image` does."""
    return _generate(instance, IMG2IMG, request)


def inpaint(instance: SDInstance, request: InpaintRequest) -> PaintedSet:
    """Paint a masked part anew (img2img with a mask). Raises SDError leaves as `text2Image` does."""
    return _generate(instance, IMG2IMG, request)


def paint(
    pool: SDInstancePool, request: Txt2ImgRequest, *, tries: int = 3, timeout: float | None = None
) -> PaintedOnce:
    """Paint any kind of request on an instance of the pool. Raises the last SDError, with all `attempts` in it."""
    path = IMG2IMG if isinstance(request, Img2ImgRequest) else TXT2IMG
    return run_on_pool(
        pool,
        lambda instance: _generate(instance, path, request),
        checkpoint=request.checkpoint,
        tries=tries,
        timeout=timeout,
    )


def capabilities_of(instance: SDInstance, *, anew: bool = False) -> Capabilities:
    """Look up what the instance has; asked of it once, and again when `anew`."""
    if instance.capabilities is None or anew:
        try:
            instance.capabilities = read_capabilities(lambda path: call_sdapi(instance, path))
        except InstanceTimeoutError as exc:
            raise InstanceUnreachableError(
                f"the WebUI {instance.name} does not answer even a question; is it overloaded or frozen?", instance.name
            ) from exc
    return instance.capabilities


def _generate(instance: SDInstance, path: str, request: Txt2ImgRequest) -> PaintedSet:
    _check_pictures(request)
    # Before the names: an instance that is still busy would answer the questions late or never.
    settle(instance)
    has = _checked(instance, request)
    task_id = new_task_id()
    began = time.monotonic()
    try:
        answer = post_sdapi(instance, path, payload(request, task_id))
    except InstanceConnectionLostError:
        instance.unsettled = True
        raise
    except InstanceTimeoutError as exc:
        raise _overdue(instance, task_id, exc) from exc
    reading = read_answer(answer, request, has, instance.name)
    not_applied = reading.not_applied
    # A person at the WebUI's own page can cut our job short; the answer is 200 all the same.
    if was_interrupted(instance):
        not_applied["steps"] = {"asked": request.steps, "used": "fewer: somebody interrupted the job"}
    if not_applied:
        _log.warning("%s did not apply as asked: %s", instance.name, ", ".join(not_applied))
    return PaintedSet(reading.images, not_applied, reading.facts, task_id, time.monotonic() - began)


def _checked(instance: SDInstance, request: Txt2ImgRequest) -> Capabilities:
    """Make sure that the instance has every name, looking again before saying no: a file may be new."""
    known = instance.capabilities is not None
    has = capabilities_of(instance)
    lacks = missing(request, has)
    if lacks and known:
        has = capabilities_of(instance, anew=True)
        lacks = missing(request, has)
    if lacks:
        raise MissingOnInstanceError(
            f"the WebUI {instance.name} lacks {', '.join(lacks)}; install it there or change the preset",
            instance.name,
        )
    return has


def _check_pictures(request: Txt2ImgRequest) -> None:
    """Refuse a broken input here: the WebUI ignores a broken ControlNet picture and paints without it."""
    pictures = [unit.image for unit in request.controlnet]
    if isinstance(request, Img2ImgRequest):
        pictures += request.init_images
    if isinstance(request, InpaintRequest):
        pictures.append(request.mask)
    try:
        for picture in pictures:
            size_of(picture)
    except ValueError as exc:
        raise PictureRejectedError("an input picture cannot be read as a picture; send another one") from exc


def _overdue(instance: SDInstance, task_id: str, exc: InstanceTimeoutError) -> InstanceTimeoutError:
    interrupted = cut_short(instance, task_id)
    settled = not instance.unsettled
    if interrupted:
        outcome = "its job was interrupted"
    else:
        outcome = "no job of ours runs there any more" if settled else "its job could not be interrupted and may run on"
    return InstanceTimeoutError(f"{exc.message}; {outcome}", instance.name, interrupted=interrupted, settled=settled)
