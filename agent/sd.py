"""Pictures by a Stable Diffusion WebUI: txt2img, img2img, inpainting, each with ControlNet.

The functions take a leased instance; `paint` leases one itself and moves on to another where that does no harm.
"""

from __future__ import annotations

import logging
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace

from agent.attempts import Ran, run_on_pool
from agent.calls import Call
from agent.capabilities import Capabilities, bare_checkpoint, missing, without_hash
from agent.errors import (
    InstanceConnectionLostError,
    InstanceTimeoutError,
    MissingOnInstanceError,
    PictureRejectedError,
    SDError,
)
from agent.images import size_of
from agent.info import Facts, NotApplied, Painted, read_answer
from agent.instance import SDInstance
from agent.loading import load_checkpoint
from agent.overdue import cut_short, settle, was_interrupted
from agent.payloads import Img2ImgRequest, InpaintRequest, Txt2ImgRequest, new_task_id, payload
from agent.pool import SDInstancePool
from agent.sd_lists import capabilities_of
from agent.sdapi import call_sdapi, decoded, post_sdapi, send_sdapi
from agent.wire import Answer

__all__ = [
    "PaintedOnce",
    "PaintedSet",
    "call_sdapi",
    "capabilities_of",
    "image2Image",
    "inpaint",
    "paint",
    "post_sdapi",
    "size_of_request",
    "text2Image",
]

_log = logging.getLogger(__name__)

TXT2IMG = "/sdapi/v1/txt2img"
IMG2IMG = "/sdapi/v1/img2img"
_ERRORS = 300
_SHORT = 0.8


@dataclass(frozen=True)
class PaintedSet:
    """The pictures of one call, in the order of their seeds; what was not done as asked; where the time went.

    Seconds: `duration_s` of the whole call, `load_s` of loading the checkpoint before it, `paint_s` in which the WebUI
    worked on it, `network_s` what the way there and back took.
    """

    images: tuple[Painted, ...]
    not_applied: NotApplied
    facts: Facts
    task_id: str
    duration_s: float
    load_s: float = 0.0
    paint_s: float = 0.0
    network_s: float = 0.0


PaintedOnce = Ran[PaintedSet]


@dataclass(frozen=True)
class _Unread:
    """An answer as it came, and what is needed to read it when its instance is already at the next call."""

    answer: Answer
    request: Txt2ImgRequest
    path: str
    has: Capabilities
    instance: str
    task_id: str
    was_interrupted: bool
    load_s: float
    call_s: float


def text2Image(instance: SDInstance, request: Txt2ImgRequest) -> PaintedSet:
    """Paint from words (txt2img). Raises SDError leaves; nothing is sent when the instance lacks a name."""
    return _read(_send(instance, TXT2IMG, request))


def image2Image(instance: SDInstance, request: Img2ImgRequest) -> PaintedSet:
    """Paint from a picture and words (img2img). Raises SDError leaves as `text2Image` does."""
    return _read(_send(instance, IMG2IMG, request))


def inpaint(instance: SDInstance, request: InpaintRequest) -> PaintedSet:
    """Paint a masked part anew (img2img with a mask). Raises SDError leaves as `text2Image` does."""
    return _read(_send(instance, IMG2IMG, request))


def paint(
    pool: SDInstancePool,
    request: Txt2ImgRequest,
    *,
    tries: int = 3,
    timeout: float | None = None,
    call: Call | None = None,
) -> PaintedOnce:
    """Paint any kind of request on an instance of the pool. Raises the last SDError, with all `attempts` in it.

    `call` says for whom; what it asks of the instance is taken from the request.
    """
    path = IMG2IMG if isinstance(request, Img2ImgRequest) else TXT2IMG
    _check_pictures(request)
    needs = frozenset(f"controlnet:{without_hash(unit.model)}" for unit in request.controlnet)
    return run_on_pool(
        pool,
        lambda instance: _send(instance, path, request),
        _read,
        checkpoint=request.checkpoint,
        tries=tries,
        timeout=timeout,
        call=replace(call or Call(), size=size_of_request(request), pictures=request.batch_size, needs=needs),
    )


def size_of_request(request: Txt2ImgRequest) -> float:
    """Give the work for one of its pictures, in megapixel steps: what a picture's time is nearly proportional to."""
    return request.steps * request.width * request.height / 1e6


def _send(instance: SDInstance, path: str, request: Txt2ImgRequest) -> _Unread:
    if instance.holding is None:
        _check_pictures(request)
    # Before the names: an instance that is still busy would answer the questions late or never.
    settle(instance)
    has = _checked(instance, request)
    load_s = load_checkpoint(instance, request.checkpoint)
    task_id = new_task_id()
    body = payload(request, task_id)
    began = time.monotonic()
    try:
        with instance.holding.task(instance, task_id) if instance.holding is not None else nullcontext():
            answer = send_sdapi(instance, path, body)
    except InstanceConnectionLostError as exc:
        raise _lost(instance, task_id, exc) from exc
    except InstanceTimeoutError as exc:
        raise _overdue(instance, task_id, exc) from exc
    call_s = time.monotonic() - began
    if answer.status >= _ERRORS:
        decoded(answer, instance.name, path)
    # Also where it could not be loaded by a call of its own: now the picture has done it.
    instance.loaded = bare_checkpoint(request.checkpoint)
    # A person at the WebUI's own page can cut our job short; the answer is 200 all the same.
    interrupted = _is_suspiciously_short(instance, call_s) and was_interrupted(instance)
    return _Unread(answer, request, path, has, instance.name, task_id, interrupted, load_s, call_s)


def _read(sent: _Unread) -> PaintedSet:
    body = decoded(sent.answer, sent.instance, sent.path)
    reading = read_answer(body, sent.request, sent.has, sent.instance)
    not_applied = reading.not_applied
    if sent.was_interrupted:
        not_applied["steps"] = {"asked": sent.request.steps, "used": "fewer: somebody interrupted the job"}
    if not_applied:
        _log.warning("%s did not apply as asked: %s", sent.instance, ", ".join(not_applied))
    paint_s = min(sent.answer.process_s or sent.call_s, sent.call_s)
    return PaintedSet(
        reading.images,
        not_applied,
        reading.facts,
        sent.task_id,
        duration_s=sent.load_s + sent.call_s,
        load_s=sent.load_s,
        paint_s=paint_s,
        network_s=sent.call_s - paint_s,
    )


def _is_suspiciously_short(instance: SDInstance, call_s: float) -> bool:
    """Tell whether the call may have been cut short; to ask each time would keep the next call waiting."""
    expected_s = instance.holding.expected_s(instance) if instance.holding is not None else None
    return expected_s is None or call_s < _SHORT * expected_s


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


def _lost(instance: SDInstance, task_id: str, exc: InstanceConnectionLostError) -> SDError:
    instance.unsettled, instance.abandoned_task = True, task_id
    hung_after_s = instance.holding.hung_after_s if instance.holding is not None else None
    if hung_after_s is None:
        return exc
    return _overdue(
        instance,
        task_id,
        InstanceTimeoutError(
            f"the WebUI {instance.name} hangs: no sign of life for {hung_after_s:.0f} s, many times what such a picture"
            " takes",
            instance.name,
        ),
    )


def _overdue(instance: SDInstance, task_id: str, exc: InstanceTimeoutError) -> InstanceTimeoutError:
    interrupted = cut_short(instance, task_id)
    settled = not instance.unsettled
    if interrupted:
        outcome = "its job was interrupted"
    else:
        outcome = "no job of ours runs there any more" if settled else "its job could not be interrupted and may run on"
    return InstanceTimeoutError(f"{exc.message}; {outcome}", instance.name, interrupted=interrupted, settled=settled)
