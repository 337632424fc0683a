"""From a preset of the settings to a request to the WebUI, and to what the record says of it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from agent.errors import SDNotConfiguredError
from agent.images import fit, size_of
from agent.payloads import InpaintRequest
from apps.registry import PRESETS, PROMPTS
from jobs.painting import Painting, asked_facts, inpaint_request, txt2img_request
from jobs.parts import Parts
from settings.book import SettingsBook
from settings.presets import RenderedPreset
from tests.stand_ins import picture

pytestmark = pytest.mark.unit

SETTINGS = Path(__file__).parent.parent.parent / "settings"
SKETCH = picture(64, 64)
MASK = picture(64, 64, "L")


@pytest.fixture(scope="module")
def book() -> SettingsBook:
    """Read the settings of the project."""
    return SettingsBook.load(SETTINGS, PROMPTS, PRESETS)


def _inpainting(book: SettingsBook) -> tuple[RenderedPreset, InpaintRequest]:
    rendered = book.preset("rendering_extend").render(scene="a field", subject="drone")
    return rendered, inpaint_request(rendered, 9, SKETCH, MASK)


def test_a_preset_becomes_a_request_word_for_word(book: SettingsBook) -> None:
    preset = book.preset("sketch_create_new")
    rendered = preset.render(subject="garden chair")

    request = txt2img_request(rendered, 2**32 - 1, None)

    assert "garden chair" in request.prompt
    assert (request.checkpoint, request.sampler_name, request.steps) == (
        preset.checkpoint,
        preset.sampler_name,
        preset.steps,
    )
    assert (request.width, request.height, request.cfg_scale, request.seed) == (512, 512, preset.cfg_scale, 2**32 - 1)
    assert request.controlnet == ()


def test_the_structure_goes_into_the_presets_controlnet_unit(book: SettingsBook) -> None:
    rendered = book.preset("sketch_extend").render(subject="chair")

    [unit] = txt2img_request(rendered, 1, SKETCH).controlnet

    assert unit.image == fit(SKETCH, 512, 512)
    assert unit.model == "control_v11p_sd15_scribble"


def test_a_wide_drawing_goes_whole_into_the_structure(book: SettingsBook) -> None:
    wide = Image.new("RGB", (1600, 400), "white")
    wide.paste("black", (0, 190, 20, 210))
    buffer = io.BytesIO()
    wide.save(buffer, "PNG")
    preset = book.preset("rendering_transform")

    [unit] = txt2img_request(preset.render(subject="bar"), 1, buffer.getvalue()).controlnet

    assert size_of(unit.image) == (preset.width, preset.height)
    with Image.open(io.BytesIO(unit.image)) as sent:
        darkness = sent.convert("L").getpixel((2, 256))
    assert isinstance(darkness, int)
    assert darkness < 128


def test_a_preset_with_a_unit_but_without_structure_asks_for_none(book: SettingsBook) -> None:
    rendered = book.preset("sketch_extend").render(subject="chair")

    assert txt2img_request(rendered, 1, None).controlnet == ()


def test_inpainting_keeps_what_the_mask_shows_white(book: SettingsBook) -> None:
    _, request = _inpainting(book)

    assert (request.init_images, request.mask) == ((SKETCH,), MASK)
    assert request.inpainting_mask_invert == 1
    assert [unit.module for unit in request.controlnet] == ["inpaint_only"]


def test_a_preset_without_inpainting_cannot_inpaint(book: SettingsBook) -> None:
    rendered = book.preset("sketch_create_new").render(subject="chair")

    with pytest.raises(ValueError, match="sketch_create_new"):
        inpaint_request(rendered, 1, SKETCH, MASK)


def test_the_record_holds_everything_that_was_asked_but_no_picture(book: SettingsBook) -> None:
    rendered, request = _inpainting(book)

    facts = asked_facts(rendered, request)

    assert facts["preset_hash"] == rendered.preset.hash
    assert (facts["seed"], facts["prompt"], facts["denoising_strength"]) == (9, request.prompt, 0.75)
    assert [unit["weight"] for unit in facts["controlnet"]] == [1.0]
    assert not any(isinstance(value, bytes) for value in (*facts.values(), *facts["controlnet"][0].values()))


def test_without_a_webui_the_setting_to_make_is_named(book: SettingsBook) -> None:
    parts = Parts(None, book, chat=None, pool=None, multiview=None)  # type: ignore[arg-type]

    with pytest.raises(SDNotConfiguredError, match="SD_ENDPOINTS"):
        Painting(parts, None, 1, None).pool()  # type: ignore[arg-type]
