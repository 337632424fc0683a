"""From what a generation made to the front end's `data`."""

from collections.abc import Sequence

from apps.errors import RecordedError
from apps.pictures import PictureDesk
from apps.schemas import ImageFormat
from apps.stepideator.operations import Operation, Shape
from apps.stepideator.schemas import Block
from store.documents import ErrorRecord, GenerationRecord, Output

CANCELED = ErrorRecord(type="JobCanceledError", message="the generation was canceled")


def made_by(record: GenerationRecord) -> Sequence[Output]:
    """Return the results of a generation that has ended, in their order.

    Raises:
        RecordedError: it failed or was canceled, whichever process it ran in.
    """
    if record.state != "succeeded":
        raise RecordedError(record.error or CANCELED, record.request_id)
    return sorted(record.outputs, key=lambda output: output.index)


def legacy_data(
    operation: Operation, outputs: Sequence[Output], desk: PictureDesk, form: ImageFormat
) -> Block | list[Block]:
    """Build the `data` of the answer: one block, or a list of blocks, keys counted from "0"."""
    texts = _block([output.text or "" for output in outputs if not output.image_id])
    images = _block([desk.given_out(output.image_id, form) for output in outputs if output.image_id])
    if operation.shape is Shape.TEXTS:
        return texts
    if operation.shape is Shape.CARD_AND_IMAGES:
        return [texts, images]
    return [images] if operation.shape is Shape.VIEWS else images


def _block(values: Sequence[str]) -> Block:
    return {str(index): value for index, value in enumerate(values)}
