"""The multi-view capability of a run: one object seen from six sides.

Two ways lead there: a multi-view service (see docs/multiview.md), or, where none is configured, the WebUI by ControlNet
with one prompt for each view. The record of each view says which way it was made.
"""

from agent.images import on_white
from agent.multiview import MultiviewClient
from jobs.painting import Painting
from jobs.parallel import each
from jobs.parts import Parts
from jobs.recorder import Recorder
from jobs.submission import Image


class Views:
    """Makes the views of one run."""

    def __init__(self, parts: Parts, recorder: Recorder, painting: Painting, seed: int) -> None:
        self._parts = parts
        self._recorder = recorder
        self._painting = painting
        self._seed = seed

    def of(self, cutout: bytes, subject: str) -> list[Image]:
        """Make one picture for each view named in the settings, in their order.

        Args:
            cutout: the object on transparent ground, as PNG.
        """
        views = self._parts.book.views()
        if self._parts.multiview is not None:
            return self._by_service(self._parts.multiview, cutout, [view.name for view in views])
        with self._recorder.step("multiview", "controlnet", made_by="controlnet", views=[v.name for v in views]):
            flat = on_white(cutout)

            def one(index: int) -> Image:
                phrase = views[index].phrase
                return self._painting.paint("model_view", index, structure=flat, subject=subject, view=phrase)

            return each(len(views), one)

    def _by_service(self, service: MultiviewClient, cutout: bytes, names: list[str]) -> list[Image]:
        with self._recorder.step("multiview", "service", made_by="service", views=names, seed=self._seed) as step:
            views = service.views(cutout, names, seed=self._seed)
            images = [self._painting.keep(view.image_bytes) for view in views]
            step.details["image_ids"] = [image.image_id for image in images]
        return images
