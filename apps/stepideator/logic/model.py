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
    preset = "model_view"
    if run.has_canvas:
        subject, product = run.subject_and_canvas(preset)
    else:
        subject = run.subject()
        product = run.images.fitted(preset, run.images.paint_bytes("model_create_new", 0, subject=subject))
    return run.views.of(run.masks.cut_out(product, subject), subject)


def transform(run: Run) -> list[Image]:
    """Turn the sketch or rendering on the canvas into a white model; without a canvas, make a new one."""
    if not run.has_canvas:
        return create_new(run)
    preset = PRESET_BY_STAGE[run.inputs.stage]
    subject, structure = run.subject_and_canvas(preset)
    return run.images.paint_all(run.inputs.num, preset, structure=structure, subject=subject)
