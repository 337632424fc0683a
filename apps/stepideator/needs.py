"""The prompts and presets of `settings/` that this app uses, with the variables it gives them."""

from pydantic import BaseModel

from apps.stepideator.answers import Advice, Brief, ExistingProduct, Extension, PicturePrompt
from jobs.chatting import Subject
from settings.needs import PresetNeed, PromptNeed


def _keys(form: type[BaseModel]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in form.model_fields.items())


def _prompt(name: str, form: type[BaseModel], variables: str, direction: str = "") -> PromptNeed:
    return PromptNeed(name, frozenset(variables.split()), answer_keys=_keys(form), direction=direction)


def _preset(name: str, variables: str, optional: str = "", **parts: bool) -> PresetNeed:
    return PresetNeed(name, frozenset(variables.split()), frozenset(optional.split()), **parts)


PROMPTS = (
    _prompt("subject", Subject, "task"),
    _prompt("brief_create_new", Brief, "task texts direction", "brief"),
    _prompt("brief_reference", ExistingProduct, "task texts direction", "reference"),
    _prompt("brief_extend", Extension, "task texts direction", "extend"),
    _prompt("sketch_advice", Advice, "task texts"),
    _prompt("sketch_shape", PicturePrompt, "subject advice"),
    _prompt("scene", PicturePrompt, "task subject direction", "scene"),
    PromptNeed("ask_again", frozenset({"reason"})),
    PromptNeed("ask_different", frozenset({"others"})),
)

PRESETS = (
    _preset("sketch_create_new", "subject"),
    _preset("sketch_reference", "subject shape"),
    _preset("sketch_extend", "subject", controlnet=True),
    _preset("sketch_transform", "subject", controlnet=True),
    _preset("model_create_new", "subject"),
    _preset("model_from_sketch", "subject", controlnet=True),
    _preset("model_from_rendering", "subject", controlnet=True),
    _preset("model_view", "subject view", controlnet=True, views=True),
    _preset("rendering_create_new", "scene"),
    _preset("rendering_reference", "subject"),
    _preset("rendering_extend", "scene", "subject", controlnet=True, inpaint=True),
    _preset("rendering_transform", "subject", controlnet=True),
)
