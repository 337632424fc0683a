"""The masking capability of a run: Segment Anything finds the subject in a picture by its name."""

from agent.attempts import Ran
from agent.images import CutOut, on_white
from agent.sam import Segmentation, segment
from jobs.painting import Painting, on_pool
from jobs.parallel import both
from jobs.parts import Parts
from jobs.recorder import Recorder, Step


class Masking:
    """Finds the named object in pictures for one run."""

    def __init__(self, parts: Parts, recorder: Recorder, painting: Painting) -> None:
        self._parts = parts
        self._recorder = recorder
        self._painting = painting

    def find(self, image_bytes: bytes, subject: str, *, index: int = 0) -> Segmentation:
        """Find the subject in a picture.

        Raises:
            NothingFoundError: the picture shows no such object.
        """
        with self._recorder.step("sam", "sam-predict", index=index, text=subject) as step:
            found = on_pool(step, lambda: self._segmented(image_bytes, subject, step))
            step.details |= {
                "candidate": found.candidate,
                "mask_id": self._painting.keep(found.mask_bytes).image_id,
            }
        return found

    def cut_out(self, image_bytes: bytes, subject: str, *, index: int = 0) -> CutOut:
        """Find the subject in a picture and cut it out; raises as `find` does."""
        # The picture is decoded while Segment Anything works on it.
        picture, found = both(lambda: on_white(image_bytes), lambda: self.find(image_bytes, subject, index=index))
        return CutOut(picture, found.mask_bytes)

    def _segmented(self, image_bytes: bytes, subject: str, step: Step) -> Ran[Segmentation]:
        model, call = self._parts.sam_model or None, self._recorder.call(step)
        return segment(self._painting.pool(), image_bytes, subject, sam_model=model, call=call)
