"""The rows of the steps of a generation, of the links between generations, and the parameters of a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from apps.research.dataset.rows import Record, Row, as_json, who

COPIED: Final = {
    **{name: name for name in ("template", "template_hash", "preset", "preset_hash", "prompt", "negative_prompt")},
    **{name: name for name in ("checkpoint", "scheduler", "cfg_scale", "denoising_strength", "width", "height")},
    **{name: name for name in ("seed", "instance")},
    "sampler": "sampler_name",
    "sampling_steps": "steps",
}
"""Column of `steps`, and where its value stands in the details of a step."""

PAINTED: Final = ("txt2img", "img2img")
"""The kinds of steps that are calls of an image model."""


def step_rows(generation: Record, session: Record) -> Iterator[Row]:
    """Give a row for each step of a generation."""
    for number, step in enumerate(generation.get("steps", ()), start=1):
        details, error = step.get("details", {}), step.get("error") or {}
        yield {
            "row_id": f"{generation['_id']}/{number}",
            "generation_id": generation["_id"],
            "step_id": step.get("id"),
            **who(session),
            "step_number": number,
            "step_kind": step["kind"],
            "step_name": step["name"],
            "started_at": step["started_at"],
            "duration_s": step["duration_s"],
            "waited_s": step["waited_s"],
            **{column: _plain(details.get(name)) for column, name in COPIED.items()},
            **_models(details),
            "step_images": images_of_step(step),
            "not_applied": as_json(details["not_applied"]) if details.get("not_applied") else None,
            "error_type": error.get("type"),
            "error_message": error.get("message"),
        }


def _models(details: Record) -> Row:
    used, replies = details.get("used") or {}, details.get("replies") or []
    return {
        "chat_model": next((reply.get("model") for reply in replies), None),
        "prompt_tokens": _sum(replies, "prompt_tokens"),
        "completion_tokens": _sum(replies, "completion_tokens"),
        "model_name": used.get("sd_model_name"),
        "model_hash": used.get("sd_model_hash"),
        "webui_version": used.get("version"),
    }


def _sum(replies: list[Record], name: str) -> int | None:
    told = [reply[name] for reply in replies if isinstance(reply.get(name), int)]
    return sum(told) if told else None


def _plain(value: Any) -> Any:
    # A detail of a later version may be of another shape than the column; its JSON is better than nothing.
    return as_json(value) if isinstance(value, list | dict) else value


def images_of_step(step: Record) -> list[str]:
    """List the pictures that a step made, by their SHA-256."""
    details = step.get("details", {})
    found = [details.get("image_id"), *(details.get("image_ids") or ()), details.get("mask_id")]
    return [image for image in found if isinstance(image, str)]


def link_rows(generation: Record, session: Record, positions: Mapping[str, int], made: Record) -> Iterator[Row]:
    """Give a row for each parent of a generation.

    `positions` has the place of each generation of the session so far, `made` the pictures of each.
    """
    inputs = set(generation["inputs"]["image_ids"])
    for number, parent in enumerate(generation.get("parents", ()), start=1):
        yield {
            "row_id": f"{generation['_id']}/{number}",
            "generation_id": generation["_id"],
            **who(session),
            "parent_id": parent,
            "from_position": positions.get(parent),
            "to_position": positions[generation["_id"]],
            "via_images": sorted(inputs & set(made.get(parent, ()))),
        }


def output_text(generation: Record, output: Record) -> str:
    """Give the parameters of a result: those of the picture that it is, or that it was cut out of or made from."""
    steps = generation.get("steps", ())
    maker = next((step for step in steps if step.get("id") == output.get("step")), None)
    painted = [step for step in steps if step["kind"] in PAINTED and "prompt" in step.get("details", {})]
    own = [step for step in painted if output.get("image_id") in images_of_step(step)]
    near = [step for step in painted if step["details"].get("index") == output.get("index")]
    found = next(iter([*own, *near, *painted]), None)
    if found is None:
        seed = generation.get("seed")
        text = f"{generation['inputs']['task']}\nOperation: {generation['operation']}, Seed: {seed}"
    else:
        text = infotext(found, output["image_id"]) or ""
    if maker is None or maker["kind"] in PAINTED:
        return text
    return f"{text}, Made by: {_quoted(' '.join([maker['kind'], maker['name']]))}"


def infotext(step: Record, image: str) -> str | None:
    """Give the parameters of a picture as the WebUI writes them into its pictures; None for no picture of its."""
    details = step.get("details", {})
    if step["kind"] not in PAINTED or "prompt" not in details:
        return None
    used, images = details.get("used") or {}, images_of_step(step)
    place = images.index(image) if image in images else 0
    facts = {
        "Steps": details.get("steps"),
        "Sampler": used.get("sampler_name") or details.get("sampler_name"),
        "Schedule type": used.get("scheduler") or details.get("scheduler"),
        "CFG scale": details.get("cfg_scale"),
        "Seed": None if details.get("seed") is None else details["seed"] + place,
        "Size": f"{details.get('width')}x{details.get('height')}",
        "Model hash": used.get("sd_model_hash"),
        "Model": used.get("sd_model_name") or details.get("checkpoint"),
        "Denoising strength": details.get("denoising_strength"),
        "Version": used.get("version"),
    }
    line = ", ".join(f"{name}: {_quoted(value)}" for name, value in facts.items() if value is not None)
    negative = details.get("negative_prompt")
    return "\n".join([details["prompt"], *([f"Negative prompt: {negative}"] if negative else []), line])


def _quoted(value: Any) -> str:
    # What could be taken for the end of a value stands in quotes, as the WebUI has it.
    text = str(value)
    return as_json(text) if any(mark in text for mark in ",\n:") else text
