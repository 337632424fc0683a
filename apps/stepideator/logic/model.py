"""The white model: the form alone, in white clay."""

from jobs.run import Run
from jobs.submission import Image

PRESET_BY_STAGE = {"sketch": "model_from_sketch", "rendering": "model_from_rendering"}
"""A sketch is followed by its lines, a rendering by its depth."""


def create_new(run: Run) -> list[Image]:
    """Make new white models of the task's subject."""
    return run.images.paint_all(run.inputs.num, "model_create_new", subject=run.subject())


def multi_view(run: Run) -> list[Image]:
    """Show the product on the canvas from six sides; without a canvas, a new white model is the product."""
    subject = run.subject()
    source = run.canvas if run.has_canvas else _new_model(run, subject)
    product = run.images.fitted("model_view", source)
    return run.views.of(run.masks.find(product, subject).cutout_bytes, subject)


def transform(run: Run) -> list[Image]:
    """Turn the sketch or rendering on the canvas into a white model; without a canvas, make a new one."""
    if not run.has_canvas:
        return create_new(run)
    preset = PRESET_BY_STAGE[run.inputs.stage]
    return run.images.paint_all(run.inputs.num, preset, structure=run.canvas, subject=run.subject())


def _new_model(run: Run, subject: str) -> bytes:
    return run.images.bytes_of(run.images.paint("model_create_new", 0, subject=subject))
