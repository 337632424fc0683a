"""The rendering: the product as a photograph would show it, and the place where it is used."""

from apps.stepideator.answers import PicturePrompt
from jobs.parallel import both, each
from jobs.run import Run
from jobs.submission import Image


def create_new(run: Run) -> list[Image]:
    """Paint places where the product would be used, without the product."""
    return run.images.paint_all(run.inputs.num, "rendering_create_new", scene=_scene(run))


def reference(run: Run) -> list[Image]:
    """Photograph existing products of this kind, each cut out on white ground."""
    subject = run.subject()

    def one(index: int) -> Image:
        photo = run.images.paint_bytes("rendering_reference", index, subject=subject)
        return run.show(run.images.keep(run.masks.cut_out(photo, subject, index=index).white_bytes), index)

    return each(run.inputs.num, one)


def extend(run: Run) -> list[Image]:
    """Put the product on the canvas into a scene: everything around it is painted anew, the product stays."""
    preset = "rendering_extend"
    subject, canvas = run.subject_and_canvas(preset)
    scene, found = both(lambda: _scene(run), lambda: run.masks.find(canvas, subject))
    return run.images.repaint_around(
        run.inputs.num, preset, canvas=canvas, keep=found.mask_bytes, scene=scene, subject=subject
    )


def transform(run: Run) -> list[Image]:
    """Turn the sketch or white model on the canvas into a rendering that follows its lines."""
    preset = "rendering_transform"
    subject, structure = run.subject_and_canvas(preset)
    return run.images.paint_all(run.inputs.num, preset, structure=structure, subject=subject)


def _scene(run: Run) -> str:
    [scene] = run.chat.ask_each(1, "scene", PicturePrompt, kind="scene", task=run.inputs.task, subject=run.subject())
    return scene.prompt
