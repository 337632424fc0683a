"""The sketch: line drawings of the product."""

from apps.stepideator.answers import Advice, PicturePrompt
from jobs.parallel import both
from jobs.run import Run
from jobs.submission import Image, Product, Text


def create_new(run: Run) -> list[Image]:
    """Draw new sketches of the task's subject."""
    return run.images.paint_all(run.inputs.num, "sketch_create_new", subject=run.subject())


def reference(run: Run) -> list[Product]:
    """Give advice on shape and build, then draw sketches that follow it: one card, then the sketches."""
    advice, subject = both(
        lambda: run.chat.ask("sketch_advice", Advice, task=run.inputs.task, texts=run.texts), run.subject
    )
    card = run.show(Text(advice), 0)
    shape = run.chat.ask("sketch_shape", PicturePrompt, subject=subject, advice=card.json())
    num, preset = run.inputs.num, "sketch_reference"
    sketches = run.images.paint_all(num, preset, first_output=1, subject=subject, shape=shape.prompt)
    return [card, *sketches]


def extend(run: Run) -> list[Image]:
    """Carry on with the participant's drawing: its lines stay the structure of the sketch."""
    preset = "sketch_extend"
    subject, structure = run.subject_and_canvas(preset)
    return run.images.paint_all(run.inputs.num, preset, structure=structure, subject=subject)


def transform(run: Run) -> list[Image]:
    """Turn the product on the canvas into a line drawing; without a canvas, draw the subject anew."""
    if not run.has_canvas:
        return create_new(run)
    preset = "sketch_transform"
    subject, canvas = run.subject_and_canvas(preset)
    return run.images.paint_all(
        run.inputs.num, preset, structure=run.masks.cut_out(canvas, subject).white_bytes, subject=subject
    )
