"""The multi-view capability of a run: one object seen from six sides.

Two ways lead there: a multi-view service (see docs/multiview.md), or, where none is configured, the WebUI by ControlNet
with one prompt for each view. The record of each view says which way it was made.
"""

from typing import Any

from agent.images import CutOut
from agent.multiview import MultiviewClient
from jobs.given import Given
from jobs.painting import Painting
from jobs.parallel import each
from jobs.parts import Parts
from jobs.recorder import Recorder
from jobs.submission import Image


class Views:
    """Makes the views of one run."""

    def __init__(self, parts: Parts, recorder: Recorder, painting: Painting, seed: int, given: Given) -> None:
        self._parts = parts
        self._given = given
        self._recorder = recorder
        self._painting = painting
        self._seed = seed

    def of(self, cut_out: CutOut, subject: str) -> list[Image]:
        """Make one picture for each view named in the settings, in their order, of the object that was cut out."""
        used = self._given.versions.views()
        views = used.as_tuple()
        facts: dict[str, Any] = {"views": [view.name for view in views], "views_hash": used.hash}
        if self._parts.multiview is not None:
            return self._by_service(self._parts.multiview, cut_out.clear_bytes, facts)
        with self._recorder.step("multiview", "controlnet", made_by="controlnet", **facts):
            # Fitted once for all of them.
            structure = self._painting.fitted("model_view", cut_out.white_bytes)

            def one(index: int) -> Image:
                phrase = views[index].phrase
                image = self._painting.paint("model_view", index, structure=structure, subject=subject, view=phrase)
                self._recorder.show(image, index)
                return image

            return each(len(views), one)

    def _by_service(self, service: MultiviewClient, cutout: bytes, facts: dict[str, Any]) -> list[Image]:
        weight = float(len(facts["views"]))
        asked = {"made_by": "service", "seed": self._seed, **facts}
        with self._recorder.step("multiview", "service", weight=weight, **asked) as step:
            self._recorder.begin()
            views = service.views(cutout, facts["views"], seed=self._seed)
            images = [self._painting.keep(view.image_bytes) for view in views]
            step.details["image_ids"] = [image.image_id for image in images]
        return images
