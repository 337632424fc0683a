"""What is sent to a WebUI for a picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from agent.images import size_of
from apps.registry import PRESETS, PROMPTS
from jobs.painting import txt2img_request
from settings.book import SettingsBook
from tests.unit.test_docs import ROOT

pytestmark = pytest.mark.unit


def test_a_wide_drawing_goes_whole_into_the_structure() -> None:
    wide = Image.new("RGB", (1600, 400), "white")
    wide.paste("black", (0, 190, 20, 210))
    buffer = io.BytesIO()
    wide.save(buffer, "PNG")
    preset = SettingsBook.load(ROOT / "settings", PROMPTS, PRESETS).preset("rendering_transform")

    [unit] = txt2img_request(preset.render(subject="bar"), 1, buffer.getvalue()).controlnet

    assert size_of(unit.image) == (preset.width, preset.height)
    with Image.open(io.BytesIO(unit.image)) as sent:
        assert sent.convert("L").getpixel((2, 256)) < 128
