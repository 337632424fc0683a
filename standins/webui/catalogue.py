"""The lists that the WebUI tells about itself, and how it chooses from them."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@cache
def data(name: str) -> Any:
    """A JSON file of `data/`, recorded from a real WebUI v1.10.1. Not to be changed by the caller."""
    return json.loads(resources.files(__package__).joinpath("data", f"{name}.json").read_text("utf-8"))


@dataclass(frozen=True)
class Sampling:
    """A sampler as the job uses it; `schedule_type` is what the infotext says."""

    sampler_name: str
    schedule_type: str
    is_mentioned: bool


def choose_sampling(sampler_name: str | None, scheduler: str | None) -> Sampling:
    """Resolve the names as the WebUI does: an unknown sampler silently becomes the first of the list."""
    samplers = {sampler["name"]: sampler for sampler in data("catalogue")["samplers"]}
    schedulers = data("catalogue")["schedulers"]
    name, found = sampler_name or next(iter(samplers)), _scheduler(schedulers, scheduler)
    for entry in schedulers:
        for label in (entry["label"], entry["name"], *(entry["aliases"] or [])):
            if name.endswith(f" {label}"):
                name, found = name[: -len(label) - 1], entry
                break
    sampler = samplers.get(name) or next(iter(samplers.values()))
    if found["name"] == "automatic":
        own = sampler["options"].get("scheduler")
        found = _scheduler(schedulers, own)
    return Sampling(sampler["name"], found["label"], found["name"] != "automatic")


def _scheduler(schedulers: list[dict[str, Any]], name: str | None) -> dict[str, Any]:
    for entry in schedulers:
        if name in (entry["label"], entry["name"]):
            return entry
    return schedulers[0]
