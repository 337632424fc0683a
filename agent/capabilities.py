"""What one WebUI has: checkpoints, samplers, schedulers, ControlNet, Segment Anything.

A WebUI does not complain about an unknown sampler, scheduler, checkpoint or ControlNet model: it answers 200 with
another picture. So names are compared with its lists before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from agent.errors import BrokenAnswerError, InstanceServiceError, MissingOnInstanceError, PictureRejectedError
from agent.payloads import Txt2ImgRequest

Get = Callable[[str], Any]

_ENDINGS = (".safetensors", ".ckpt", ".pt")


@dataclass(frozen=True)
class Checkpoint:
    """One entry of /sdapi/v1/sd-models; the hashes are None until the WebUI has first loaded the file."""

    title: str
    model_name: str
    hash: str | None
    sha256: str | None

    def answers_to(self, name: str) -> bool:
        """Tell whether the WebUI would load this one under `name` (part of a title is not enough)."""
        return name in {self.title, without_hash(self.title), self.model_name, self.hash, self.sha256}

    @property
    def bare_names(self) -> set[str]:
        """Every name it answers to, as `bare_checkpoint` writes them."""
        names = (self.title, self.model_name, self.hash, self.sha256)
        return {bare_checkpoint(name) for name in names if name}


@dataclass(frozen=True)
class Sampler:
    """One entry of /sdapi/v1/samplers; `scheduler` is the one it takes when none is asked for."""

    name: str
    scheduler: str | None


@dataclass(frozen=True)
class Scheduler:
    """One entry of /sdapi/v1/schedulers: its label and every other name it answers to, lower case."""

    label: str
    names: frozenset[str]


@dataclass(frozen=True)
class Capabilities:
    """Everything a WebUI lists. None: it has no such list (older version, extension not installed)."""

    checkpoints: tuple[Checkpoint, ...]
    samplers: tuple[Sampler, ...]
    schedulers: tuple[Scheduler, ...] | None
    controlnet_models: tuple[str, ...] | None
    controlnet_modules: tuple[str, ...] | None
    shows_maps: bool
    sam_models: tuple[str, ...] | None

    def checkpoint(self, name: str) -> Checkpoint | None:
        """Find the checkpoint that the WebUI loads under `name`."""
        return next((one for one in self.checkpoints if one.answers_to(name)), None)

    def scheduler(self, name: str) -> Scheduler | None:
        """Find a scheduler by label, name or alias, in any case."""
        return next((one for one in self.schedulers or () if name.lower() in one.names), None)

    def sampler(self, name: str) -> tuple[Sampler, Scheduler | None] | None:
        """Find the sampler behind `name`; "DPM++ 2M Karras" is the sampler "DPM++ 2M" and the scheduler "Karras"."""
        exact = next((one for one in self.samplers if one.name == name), None)
        if exact is not None:
            return exact, None
        for sampler in self.samplers:
            if name.startswith(sampler.name + " ") and (found := self.scheduler(name[len(sampler.name) + 1 :])):
                return sampler, found
        return None


_ADAPTER = TypeAdapter(Capabilities)


def without_hash(name: str) -> str:
    """Cut the " [hash]" that titles and ControlNet models carry."""
    return name.rpartition(" [")[0] if name.endswith("]") and " [" in name else name


def bare_checkpoint(name: str) -> str:
    """Write a checkpoint's name without hash and file ending, so that its title and its model name are one."""
    bare = without_hash(name)
    return next((bare.removesuffix(ending) for ending in _ENDINGS if bare.endswith(ending)), bare)


def as_text(has: Capabilities) -> str:
    """Write the lists so that another process need not ask for them."""
    return _ADAPTER.dump_json(has).decode()


def from_text(text: str) -> Capabilities:
    """Read what `as_text` wrote."""
    return _ADAPTER.validate_json(text)


def read_capabilities(get: Get) -> Capabilities:
    """Ask a WebUI for all its lists through `get(path)`; extensions that are not there are None."""
    controlnet = _optional(get, "/controlnet/model_list")
    return Capabilities(
        checkpoints=tuple(_checkpoint(row) for row in _rows(get("/sdapi/v1/sd-models"))),
        samplers=tuple(_sampler(row) for row in _rows(get("/sdapi/v1/samplers"))),
        schedulers=_schedulers(_optional(get, "/sdapi/v1/schedulers")),
        controlnet_models=_names(controlnet, "model_list"),
        controlnet_modules=_names(_optional(get, "/controlnet/module_list"), "module_list") if controlnet else None,
        shows_maps=_shows_maps(get) if controlnet else False,
        sam_models=_names(_optional(get, "/sam/sam-model"), None),
    )


def missing(request: Txt2ImgRequest, has: Capabilities) -> list[str]:
    """Name in words what the request needs and the WebUI has not."""
    lacks: list[str] = []
    if has.checkpoint(request.checkpoint) is None:
        lacks.append(f"checkpoint {request.checkpoint!r}")
    if has.sampler(request.sampler_name) is None:
        lacks.append(f"sampler {request.sampler_name!r}")
    if request.scheduler and has.schedulers is not None and has.scheduler(request.scheduler) is None:
        lacks.append(f"scheduler {request.scheduler!r}")
    for unit in request.controlnet:
        lacks += _missing_for_unit(unit.module, unit.model, has)
    return lacks


def _missing_for_unit(module: str, model: str, has: Capabilities) -> Iterable[str]:
    if has.controlnet_models is None:
        return ["the extension sd-webui-controlnet"]
    # The WebUI takes a model with or without its hash, and does without ControlNet for any other name.
    lacks = []
    if without_hash(model) not in {without_hash(name) for name in has.controlnet_models}:
        lacks.append(f"ControlNet model {model!r}")
    if has.controlnet_modules is not None and module not in has.controlnet_modules:
        lacks.append(f"ControlNet module {module!r}")
    return lacks


def _optional(get: Get, path: str) -> Any:
    try:
        return get(path)
    except MissingOnInstanceError:
        return None


def _shows_maps(get: Get) -> bool:
    """Whether ControlNet hands out its detected maps. GET /options fails while any option has a wrong type."""
    try:
        options = get("/sdapi/v1/options")
    except (InstanceServiceError, PictureRejectedError):
        return False
    return not (isinstance(options, Mapping) and options.get("control_net_no_detectmap"))


def _rows(answer: Any) -> list[Mapping[str, Any]]:
    if not isinstance(answer, list) or not all(isinstance(row, Mapping) for row in answer):
        raise BrokenAnswerError("a WebUI's list of checkpoints, samplers or schedulers is no list of objects")
    return answer


def _names(answer: Any, key: str | None) -> tuple[str, ...] | None:
    if answer is None:
        return None
    names = answer.get(key) if key is not None and isinstance(answer, Mapping) else answer
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


def _checkpoint(row: Mapping[str, Any]) -> Checkpoint:
    return Checkpoint(str(row.get("title")), str(row.get("model_name")), row.get("hash"), row.get("sha256"))


def _sampler(row: Mapping[str, Any]) -> Sampler:
    options = row.get("options")
    return Sampler(str(row.get("name")), options.get("scheduler") if isinstance(options, Mapping) else None)


def _schedulers(answer: Any) -> tuple[Scheduler, ...] | None:
    if answer is None:
        return None
    return tuple(
        Scheduler(
            str(row.get("label")),
            frozenset(str(name).lower() for name in (row.get("label"), row.get("name"), *(row.get("aliases") or ()))),
        )
        for row in _rows(answer)
    )
