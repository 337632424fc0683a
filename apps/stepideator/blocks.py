"""From what a generation made to the front end's `data`."""

from collections.abc import Sequence

from apps.pictures import PictureDesk
from apps.schemas import ImageFormat
from apps.stepideator.operations import Operation, Shape
from apps.stepideator.schemas import Block
from store.documents import Output


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
