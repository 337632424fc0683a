"""What a WebUI answered, compared with what it was asked for.

It changes samplers, checkpoints and sizes without an error, puts a grid before the pictures and ControlNet's maps
after them. `info` (a JSON string) and the pictures themselves tell what really happened; `parameters` only echoes the
request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.capabilities import Capabilities, without_hash
from agent.errors import BrokenAnswerError
from agent.images import declared_size, decoded_png
from agent.payloads import Img2ImgRequest, Txt2ImgRequest

NotApplied = dict[str, dict[str, Any]]

# One "Key: value" of the infotext's last line; a value with commas stands in quotes.
_INFOTEXT_PAIR = re.compile(r'\s*(\w[\w /-]*):\s*("(?:\\.|[^"\\])*"|[^,]*)(?:,|$)')


@dataclass(frozen=True)
class Painted:
    """One picture as PNG, with the seed that made it and its real size in pixels."""

    image_bytes: bytes
    seed: int
    width: int
    height: int


@dataclass(frozen=True)
class Facts:
    """What the WebUI says it used; `random_source` is where the first noise came from (GPU, CPU, NV)."""

    sd_model_name: str | None
    sd_model_hash: str | None
    sampler_name: str | None
    scheduler: str | None
    version: str | None
    random_source: str | None = None


@dataclass(frozen=True)
class Reading:
    """An answer taken apart: the pictures, what was not done as asked, and what was used."""

    images: tuple[Painted, ...]
    not_applied: NotApplied
    facts: Facts


def read_answer(answer: Any, request: Txt2ImgRequest, has: Capabilities, name: str) -> Reading:
    """Take the answer of the instance `name` apart. Raises BrokenAnswerError for anything but whole pictures."""
    info = _info(answer, name)
    encoded = answer.get("images")
    if not isinstance(encoded, list):
        raise BrokenAnswerError(f"the WebUI {name} answered without pictures", name)
    # Before this index stands the grid; after the batch stand ControlNet's detected maps.
    first = _number(info.get("index_of_first_image"))
    wanted = encoded[first : first + request.batch_size]
    if len(wanted) < request.batch_size:
        raise BrokenAnswerError(
            f"the WebUI {name} answered {len(wanted)} of {request.batch_size} pictures; was its job interrupted?",
            name,
        )
    seeds = _seeds(info, request.batch_size, name)
    images = tuple(_painted(text, seed, name) for text, seed in zip(wanted, seeds, strict=True))
    pairs = infotext_pairs(info, first)
    maps = len(encoded) - first - request.batch_size
    not_applied = _differences(request, info, pairs, images, has) | _controlnet(request, pairs, maps, has)
    return Reading(images, not_applied, _facts(info, pairs))


def infotext_pairs(info: Mapping[str, Any], index: int = 0) -> dict[str, str]:
    """Read the "Steps: 20, Sampler: …" line of an infotext; the prompt above it may hold anything."""
    infotexts = info.get("infotexts")
    if not isinstance(infotexts, list) or index >= len(infotexts):
        return {}
    line = str(infotexts[index]).rpartition("\n")[2]
    return {key.strip(): value.strip().strip('"') for key, value in _INFOTEXT_PAIR.findall(line)}


def _info(answer: Any, name: str) -> Mapping[str, Any]:
    try:
        info = json.loads(answer["info"])
    except (TypeError, KeyError, ValueError) as exc:
        raise BrokenAnswerError(f"the WebUI {name} answered without a readable info", name) from exc
    if not isinstance(info, dict):
        raise BrokenAnswerError(f"the WebUI {name} answered an info that is no object", name)
    return info


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _seeds(info: Mapping[str, Any], count: int, name: str) -> list[int]:
    seeds = info.get("all_seeds")
    if not isinstance(seeds, list) or len(seeds) < count or not all(isinstance(seed, int) for seed in seeds):
        raise BrokenAnswerError(f"the WebUI {name} does not say which seeds it used", name)
    return seeds[:count]


def decoded_picture(text: Any, name: str) -> bytes:
    """Decode one base64 picture of an answer into PNG, whatever its format. Raises BrokenAnswerError."""
    try:
        return decoded_png(text)
    except ValueError as exc:
        raise BrokenAnswerError(f"the WebUI {name} answered a picture that cannot be decoded", name) from exc


def _painted(text: Any, seed: int, name: str) -> Painted:
    image_bytes = decoded_picture(text, name)
    return Painted(image_bytes, seed, *declared_size(image_bytes))


def _facts(info: Mapping[str, Any], pairs: Mapping[str, str]) -> Facts:
    return Facts(
        sd_model_name=info.get("sd_model_name"),
        sd_model_hash=info.get("sd_model_hash"),
        sampler_name=info.get("sampler_name"),
        scheduler=pairs.get("Schedule type"),
        version=info.get("version"),
        # Only named where it is not the GPU, which is what the WebUI itself assumes without a word.
        random_source=pairs.get("RNG", "GPU") if pairs else None,
    )


def _differences(
    request: Txt2ImgRequest,
    info: Mapping[str, Any],
    pairs: Mapping[str, str],
    images: tuple[Painted, ...],
    has: Capabilities,
) -> NotApplied:
    found: NotApplied = _names_differ(request, info, pairs, has)
    _compare(found, "steps", request.steps, info.get("steps"))
    _compare(found, "cfg_scale", request.cfg_scale, info.get("cfg_scale"))
    # The pictures themselves are measured: info repeats the size that was asked for, even where it was rounded.
    sizes = {(image.width, image.height) for image in images}
    if sizes != {(request.width, request.height)}:
        used = " ".join(f"{width}x{height}" for width, height in sorted(sizes))
        found["size"] = {"asked": f"{request.width}x{request.height}", "used": used}
    # A negative seed lets the WebUI choose; then whatever it says is right.
    if request.seed >= 0:
        asked = [request.seed + i for i in range(len(images))]
        _compare(found, "seed", asked, [image.seed for image in images])
    if isinstance(request, Img2ImgRequest):
        _compare(found, "denoising_strength", request.denoising_strength, info.get("denoising_strength"))
    return found


def _compare(found: NotApplied, key: str, asked: Any, used: Any) -> None:
    if asked != used:
        found[key] = {"asked": asked, "used": used}


def _names_differ(
    request: Txt2ImgRequest, info: Mapping[str, Any], pairs: Mapping[str, str], has: Capabilities
) -> NotApplied:
    found: NotApplied = {}
    used_model, used_hash = info.get("sd_model_name"), info.get("sd_model_hash")
    checkpoint = has.checkpoint(request.checkpoint)
    if checkpoint is None or not _same_checkpoint(checkpoint.model_name, checkpoint.hash, used_model, used_hash):
        found["checkpoint"] = {"asked": request.checkpoint, "used": used_model or used_hash}
    sampler = has.sampler(request.sampler_name)
    used_sampler, used_scheduler = info.get("sampler_name"), pairs.get("Schedule type")
    if sampler is None or sampler[0].name != used_sampler:
        found["sampler_name"] = {"asked": request.sampler_name, "used": used_sampler}
        return found
    by_name = sampler[1].label if sampler[1] else None
    asked_scheduler = by_name or request.scheduler
    if asked_scheduler and not _same_scheduler(asked_scheduler, used_scheduler, sampler[0].scheduler, has):
        found["scheduler"] = {"asked": asked_scheduler, "used": used_scheduler}
    return found


def _same_checkpoint(model_name: str, model_hash: str | None, used_name: Any, used_hash: Any) -> bool:
    # Our list may be older than the first load of the checkpoint, which is when it gets its hash.
    return bool(used_hash == model_hash if model_hash and used_hash else used_name == model_name)


def _same_scheduler(asked: str, used: str | None, default: str | None, has: Capabilities) -> bool:
    wanted, took = has.scheduler(asked), has.scheduler(used) if used else None
    if wanted is None or took is None:
        return has.schedulers is None or asked.lower() == (used or "").lower()
    # A sampler's own scheduler may be named, or left as "Automatic".
    own = default is not None and "automatic" in (wanted.names | took.names)
    return wanted == took or (own and bool({default} & (wanted.names | took.names)))


def _controlnet(request: Txt2ImgRequest, pairs: Mapping[str, str], maps: int, has: Capabilities) -> NotApplied:
    """A unit that failed is only told from one that worked by its missing map: the infotext names both."""
    found: NotApplied = {}
    for index, unit in enumerate(request.controlnet):
        text = pairs.get(f"ControlNet {index}", "")
        asked = f"{unit.module}, {unit.model}"
        if without_hash(unit.model) not in text or unit.module not in text:
            found[f"controlnet_{index}"] = {"asked": asked, "used": text or None}
        elif has.shows_maps and maps < len(request.controlnet):
            found[f"controlnet_{index}"] = {"asked": asked, "used": "no detected map came back"}
    return found
