"""From what is not the same in two records to why something else came of it, the strongest reason first."""

from collections.abc import Iterable
from typing import Final

from apps.research.replaying.shapes import Difference, Reason, ReasonCode

CAUSES: Final[tuple[tuple[ReasonCode, tuple[str, ...], str], ...]] = (
    ("seed", ("seed",), "another seed: {old}, now {new}"),
    ("checkpoint", ("checkpoint",), "another checkpoint was asked for: {old}, now {new}"),
    ("model_hash", ("used.sd_model_hash", "used.sd_model_name"), "another model was loaded: {old}, now {new}"),
    ("prompt_version", ("template_hash",), "another version of the prompt {step}: {old}, now {new}"),
    ("directions_version", ("directions_hash",), "another version of the directions: {old}, now {new}"),
    ("views_version", ("views_hash",), "another version of the views: {old}, now {new}"),
    ("preset_version", ("preset_hash",), "another version of the preset {step}: {old}, now {new}"),
    ("chat_anew", ("answer", "chat_model"), "the chat service was asked anew for {step}"),
    ("inputs", ("task", "texts", "num", "stage", "images"), "something else went in ({what})"),
    ("prompt", ("prompt", "negative_prompt", "subject"), "the words of {step} are others"),
    ("sampler", ("sampler_name", "used.sampler_name"), "another sampler: {old}, now {new}"),
    ("scheduler", ("scheduler", "used.scheduler"), "another scheduler: {old}, now {new}"),
    ("not_applied", ("not_applied",), "the WebUI did not apply the same things: {old}, now {new}"),
    ("random_source", ("used.random_source",), "another random source (randn_source): {old}, now {new}"),
    ("batch", ("batch",), "painted in a batch of {old}, now of {new}; a GPU paints a batch otherwise"),
    ("webui_version", ("used.version",), "another version of the WebUI: {old}, now {new}"),
    ("instance", ("instance",), "painted by another instance: {old}, now {new}"),
)
"""The reason that a difference gives, by the names of the facts, strongest first."""
WEAK: Final[frozenset[str]] = frozenset(("instance", "batch", "webui_version"))
"""What changes no picture when all is well, and is a reason only where nothing else is."""
NOISE: Final = Reason(
    code="random_source",
    text="the request was the same in everything: what is left is the instance's own noise, by its GPU, its random "
    "source (randn_source) or its attention (xformers)",
)
UNEXPLAINED: Final = Reason(
    code="unexplained",
    text="request, model and instance were the same; this WebUI does not paint the same twice, or it is another one "
    "behind the same address",
)
SHORT: Final = 80


def reasons_of(found: Iterable[Difference], *, has_pictures: bool) -> list[Reason]:
    """Say what explains another outcome; what is said of several steps is said once."""
    known = list(found)
    reasons = [reason for cause in CAUSES if (reason := _reason(cause, known)) is not None]
    strong = [reason for reason in reasons if reason.code not in WEAK]
    if strong:
        return strong
    if not has_pictures:
        return reasons or [UNEXPLAINED]
    return [*reasons, NOISE] if reasons else [UNEXPLAINED]


def _reason(cause: tuple[ReasonCode, tuple[str, ...], str], found: list[Difference]) -> Reason | None:
    code, names, sentence = cause
    first = next((one for name in names for one in found if one.what == name), None)
    if first is None:
        return None
    shown = {"old": _short(first.old), "new": _short(first.new), "step": first.step or "the inputs"}
    return Reason(code=code, text=sentence.format(what=first.what, **shown))


def _short(value: str | None) -> str:
    text = value or "none"
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"
