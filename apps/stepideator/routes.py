"""The front end's calls: generate, and what is kept of the participant."""

from functools import partial

from flask import Blueprint, Response, after_this_request
from flask.typing import ResponseReturnValue

from apps.openapi import answers, api
from apps.outcomes import made_by
from apps.schemas import Nothing, succeeded
from apps.services import services
from apps.stepideator import records
from apps.stepideator.blocks import legacy_data
from apps.stepideator.operations import OPERATIONS, find_operation
from apps.stepideator.schemas import (
    GenerateAnswer,
    GenerateRequest,
    OperationInfo,
    OperationsAnswer,
    SaveRequest,
    StartAnswer,
    StartRequest,
    TimeRecordRequest,
)
from apps.stepideator.submissions import submission_of
from jobs.submission import Submission

stepideator = Blueprint("stepideator", __name__)


@stepideator.post("/generate")
@api.validate(resp=answers(GenerateAnswer, 400, 403, 409, 413, 415, 422, 429, 502, 504), tags=["generate"])
def generate(json: GenerateRequest) -> ResponseReturnValue:
    """Run one of the 14 operations.

    `selectedButtonInfo` names the operation (see `/api/operations`). The answer comes when all is made, which may take
    minutes; the work goes on and is kept when the client hangs up. The headers `X-Generation-ID` and `X-Seed` name its
    record and its seed; under `/api/generations` it can be watched and canceled meanwhile.
    """
    button, parts = json.selected_button_info, services()
    operation = find_operation(button.ai_stage, button.button_text)
    submission = parts.participation.ruled(submission_of(json, operation, parts))
    after_this_request(partial(_named, submission))
    outputs = made_by(parts.jobs.run(submission))
    return succeeded(legacy_data(operation, outputs, parts.pictures, json.image_format))


@stepideator.get("/api/operations")
@api.validate(resp=answers(OperationsAnswer), tags=["generate"])
def operations() -> ResponseReturnValue:
    """List the operations.

    Each with its name, the front end's pair of stage and button, and what it needs.
    """
    rows = [OperationInfo.of(row) for row in OPERATIONS.values()]
    return succeeded(rows)


@stepideator.post("/paint/start")
@api.validate(resp=answers(StartAnswer, 400, 415, 422), tags=["participants"])
def paint_start(json: StartRequest) -> ResponseReturnValue:
    """Begin to work, or come back.

    Returns what was saved last; empty lists for somebody new.
    """
    state = records.start(services().stores, records.named(json.username))
    return succeeded(state)


@stepideator.post("/paint/save")
@api.validate(resp=answers(Nothing, 400, 413, 415, 422), tags=["participants"])
def paint_save(json: SaveRequest) -> ResponseReturnValue:
    """Save the participant's four workspaces.

    Every save is kept; the newest is what `/paint/start` returns.
    """
    parts = services()
    records.save(parts.stores, parts.pictures, records.named(json.username), json.data)
    parts.participation.active(records.named(json.username))
    return succeeded(None)


@stepideator.post("/timeRecord")
@api.validate(resp=answers(Nothing, 400, 413, 415, 422), tags=["participants"])
def time_record(json: TimeRecordRequest) -> ResponseReturnValue:
    """Keep the times in each stage.

    A record holds all times since the page was loaded, so a later one takes an earlier one's place.
    """
    records.keep_times(services().stores, json)
    services().participation.active(json.username)
    return succeeded(None)


def _named(submission: Submission, response: Response) -> Response:
    """Tell which record and which seed, also when the generation failed."""
    response.headers["X-Generation-ID"] = submission.generation_id
    response.headers["X-Seed"] = str(submission.inputs.seed)
    return response
