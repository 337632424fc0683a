"""From the front end's request to a submission, and from what was made to the front end's `data`."""

from collections.abc import Sequence

from apps.codes import BUSINESS_FAIL
from apps.errors import BusinessException
from apps.logs import current_request_id
from apps.pictures import PictureDesk
from apps.schemas import ImageFormat
from apps.stepideator import messages
from apps.stepideator.operations import STAGES, Need, Operation, Shape
from apps.stepideator.schemas import Block, GenerateRequest
from config import APP_ID_STEPIDEATOR
from jobs.submission import Inputs, Product, Submission, Text, chosen_seed
from store.participants import Participants


def submission_of(
    body: GenerateRequest, operation: Operation, desk: PictureDesk, participants: Participants
) -> Submission:
    """Check what the operation needs and turn the request into a submission.

    Everything is checked before anything is kept, so a refused request leaves no trace.

    Raises:
        BusinessException: something is missing, with the words of the contract; or a picture is unusable.
    """
    task, num = _task_and_num(body)
    canvases = {i: value for i, value in enumerate(body.selected_canvas_records or ()) if value}
    stage = STAGES.get(body.current_stage, "")
    _check_needs(operation, body.selected_texts, bool(canvases), stage)
    pictures = [desk.read(f"selectedCanvasRecords.{i}", value) for i, value in canvases.items()]
    inputs = Inputs(
        task=task,
        num=num,
        seed=chosen_seed(body.seed),
        texts=tuple(body.selected_texts or ()),
        image_ids=tuple(desk.keep(picture) for picture in pictures),
        stage=stage,
    )
    return Submission(
        app_id=APP_ID_STEPIDEATOR,
        operation=operation.name,
        participant_id=participants.find_or_create(body.username).id,
        inputs=inputs,
        origin={
            "ai_stage": operation.ai_stage,
            "button_text": operation.button_text,
            "current_stage": body.current_stage,
            "current_ai_stage": body.current_ai_stage,
        },
        request_id=current_request_id(),
    )


def legacy_data(
    operation: Operation, products: Sequence[Product], desk: PictureDesk, form: ImageFormat
) -> Block | list[Block]:
    """Build the `data` of the answer: one block, or a list of blocks, keys counted from "0"."""
    texts = _block([product.json() for product in products if isinstance(product, Text)])
    images = _block([desk.given_out(p.image_id, form) for p in products if not isinstance(p, Text)])
    if operation.shape is Shape.TEXTS:
        return texts
    if operation.shape is Shape.CARD_AND_IMAGES:
        return [texts, images]
    return [images] if operation.shape is Shape.VIEWS else images


def _block(values: Sequence[str]) -> Block:
    return {str(index): value for index, value in enumerate(values)}


def _task_and_num(body: GenerateRequest) -> tuple[str, int]:
    task = (body.design_task or "").strip()
    if not task:
        raise BusinessException(BUSINESS_FAIL, messages.TASK_MISSING)
    if not body.current_num:
        raise BusinessException(BUSINESS_FAIL, messages.NUM_MISSING)
    return task, body.current_num


def _check_needs(operation: Operation, texts: Sequence[str] | None, has_canvas: bool, stage: str) -> None:
    missing = {
        Need.TEXTS: (texts is None, messages.TEXTS_MISSING),
        Need.CANVAS: (not has_canvas, messages.CANVAS_MISSING),
        Need.CANVAS_OR_TEXTS: (not has_canvas and not texts, messages.CANVAS_OR_TEXTS_MISSING),
        Need.NOTHING: (False, ""),
    }
    is_missing, message = missing[operation.need]
    if is_missing:
        raise BusinessException(BUSINESS_FAIL, message)
    if operation.stages and has_canvas and stage not in operation.stages:
        raise BusinessException(BUSINESS_FAIL, messages.STAGE_WRONG)
