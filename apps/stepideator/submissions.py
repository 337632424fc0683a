"""From a request to a submission."""

from collections.abc import Sequence
from dataclasses import replace

from apps.codes import BUSINESS_FAIL
from apps.errors import BusinessException, InvalidInputError, NotEndedError
from apps.logs import current_request_id
from apps.services import Services
from apps.stepideator import messages
from apps.stepideator.generation_schemas import NewGeneration, RerunRequest
from apps.stepideator.operations import BY_NAME, STAGES, Need, Operation
from apps.stepideator.schemas import GenerateRequest
from config import APP_ID_STEPIDEATOR
from jobs.parts import Parts
from jobs.rerun import rerun_of
from jobs.submission import Inputs, Submission, chosen_seed
from store.documents import ENDED, GenerationRecord
from store.stores import Stores


def submission_of(body: GenerateRequest, operation: Operation, parts: Services) -> Submission:
    """Check what the operation needs and turn the request into a submission.

    Everything is checked before anything is kept, so a refused request leaves no trace.

    Raises:
        NotAllowedError: the participant's study does not offer this; as in `Participation.ruled`.
        BusinessException: something is missing, with the words of the contract; or a picture is unusable.
    """
    task, num = _task_and_num(body)
    canvases = {i: value for i, value in enumerate(body.selected_canvas_records or ()) if value}
    stage = STAGES.get(body.current_stage, "")
    _check_needs(operation, body.selected_texts, bool(canvases), stage)
    desk = parts.pictures
    pictures = [desk.read(f"selectedCanvasRecords.{i}", value) for i, value in canvases.items()]
    participant_id = _permitted(parts, body.username, operation, num)
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
        participant_id=participant_id,
        inputs=inputs,
        origin={
            "ai_stage": operation.ai_stage,
            "button_text": operation.button_text,
            "current_stage": body.current_stage,
            "current_ai_stage": body.current_ai_stage,
        },
        request_id=current_request_id(),
        presets=operation.presets_for(has_canvas=bool(inputs.image_ids), stage=stage),
    )


def new_submission(body: NewGeneration, parts: Services) -> Submission:
    """Check what the operation needs and turn a request to our own API into a submission.

    Everything is checked before anything is kept, as in `submission_of`.

    Raises:
        InvalidInputError: something is missing or does not fit; the message names the key.
        NotAllowedError: the participant's study does not offer this; as in `Participation.ruled`.
    """
    operation, desk = BY_NAME[body.operation], parts.pictures
    _check_given(operation, body)
    pictures = [desk.read(f"images.{i}", value) for i, value in enumerate(body.images)]
    participant_id = _permitted(parts, body.username, operation, body.num)
    image_ids = tuple(desk.keep(picture) for picture in pictures)
    inputs = Inputs(
        task=body.task.strip(),
        num=body.num,
        seed=chosen_seed(body.seed),
        texts=tuple(body.texts or ()),
        image_ids=image_ids,
        stage=body.stage or _origin(operation, participant_id, image_ids[:1], parts.stores),
    )
    return Submission(
        app_id=APP_ID_STEPIDEATOR,
        operation=operation.name,
        participant_id=participant_id,
        inputs=inputs,
        request_id=current_request_id(),
        presets=operation.presets_for(has_canvas=bool(image_ids), stage=inputs.stage),
    )


def repeated(body: RerunRequest, record: GenerationRecord, parts: Parts) -> Submission:
    """Turn the wish to run a generation once more into a submission.

    Raises:
        NotEndedError: it is still under way.
        InvalidOverrideError: what is to be changed is of no use.
    """
    if record.state not in ENDED:
        raise NotEndedError(message=f"generation {record.id} is {record.state}; run it again when it has ended")
    submission = rerun_of(record, body.model_dump(exclude_unset=True), parts.stores, parts.book)
    inputs = submission.inputs
    presets = BY_NAME[submission.operation].presets_for(has_canvas=bool(inputs.image_ids), stage=inputs.stage)
    return replace(submission, request_id=current_request_id(), presets=presets)


def _permitted(parts: Services, username: str, operation: Operation, num: int) -> str:
    participant_id = parts.stores.participants.id_of(username)
    parts.participation.permit(participant_id, operation.name, num)
    return participant_id


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


def _check_given(operation: Operation, body: NewGeneration) -> None:
    name, images = operation.name, bool(body.images)
    if operation.need is Need.TEXTS and body.texts is None:
        raise InvalidInputError(f"texts: {name} works on texts; give them as a list")
    if operation.need is Need.CANVAS and not images:
        raise InvalidInputError(f"images: {name} works on a picture; give one")
    if operation.need is Need.CANVAS_OR_TEXTS and not images and not body.texts:
        raise InvalidInputError(f"images: {name} works on a picture or on texts; give images or texts")
    if images and body.stage and operation.stages and body.stage not in operation.stages:
        stages = " or ".join(operation.stages)
        raise InvalidInputError(f"stage: {name} works on a picture of a {stages}, not of a {body.stage}")


def _origin(operation: Operation, participant_id: str, image_ids: Sequence[str], stores: Stores) -> str:
    """Find out what a picture shows by the operation that made it; the likeliest where nobody knows."""
    if not image_ids or not operation.stages:
        return ""
    for generation_id in reversed(stores.generations.parents_of(participant_id, image_ids, ())):
        record = stores.generations.get(generation_id)
        if record is not None and (stage := record.operation.partition(".")[0]) in operation.stages:
            return stage
    return operation.stages[0]
