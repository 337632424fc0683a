"""One run of an operation: its inputs and the capabilities it may use."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from jobs.chatting import Chatting
from jobs.given import Given
from jobs.masking import Masking
from jobs.painting import Painting
from jobs.parallel import both
from jobs.parts import Parts
from jobs.recorder import Recorder
from jobs.submission import Image, Inputs, Product, Text
from jobs.views import Views

Made = TypeVar("Made", Image, Text)


class Run:
    """What an operation gets: the inputs, and `chat`, `images`, `masks`, `views`, each of whose steps is recorded."""

    def __init__(self, inputs: Inputs, parts: Parts, recorder: Recorder, given: Given) -> None:
        self.inputs = inputs
        self._recorder = recorder
        self.chat = Chatting(parts, recorder, inputs.seed, given)
        self.images = Painting(parts, recorder, inputs.seed, given)
        self.masks = Masking(parts, recorder, self.images)
        self.views = Views(parts, recorder, self.images, inputs.seed, given)

    @property
    def has_canvas(self) -> bool:
        """Whether the participant gave a picture to work on."""
        return bool(self.inputs.image_ids)

    def canvas(self, preset: str) -> bytes:
        """Fetch the picture to work on, and fit it into the size that a preset paints: an RGB PNG, on white ground."""
        return self.images.fitted(preset, self.images.bytes_of(Image(self.inputs.image_ids[0])))

    @property
    def texts(self) -> str:
        """The selected texts as prompts hold them: each in single quotes, joined by commas; empty without any."""
        return ", ".join(f"'{text}'" for text in self.inputs.texts)

    def show(self, product: Made, index: int) -> Made:
        """Let everybody see a result before the others are made, and give it back; `index` is its place among them."""
        self._recorder.show(product, index)
        return product

    def subject_and_canvas(self, preset: str) -> tuple[str, bytes]:
        """Name the subject, and meanwhile fetch and fit the canvas."""
        # The question goes first, in this thread: it is what takes long.
        canvas, subject = both(lambda: self.canvas(preset), self.subject)
        return subject, canvas

    def subject(self) -> str:
        """The main object of the design task, as a short English noun."""
        return self.chat.subject(self.inputs.task)


OperationFunction = Callable[[Run], Sequence[Product]]
"""What an operation is: it makes products with what its run offers."""
