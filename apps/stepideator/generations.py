"""Generations as jobs: submit, watch, cancel, repeat."""

from dataclasses import replace

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from apps.openapi import answers, api, documented
from apps.schemas import succeeded
from apps.services import services
from apps.stepideator import header_docs
from apps.stepideator.accepting import answer, taken
from apps.stepideator.events import HEADERS, MEDIA_TYPE, has_ended, stream
from apps.stepideator.finding import found, listed
from apps.stepideator.generation_schemas import GenerationsQuery, NewGeneration, RerunRequest
from apps.stepideator.job_schemas import JobAnswer, JobsAnswer
from apps.stepideator.preferences import last_event_id, read_preferences
from apps.stepideator.submissions import new_submission, repeated

generations = Blueprint("generations", __name__, url_prefix="/api/generations")


@generations.post("")
@documented(**header_docs.SUBMISSION)
@api.validate(resp=answers(JobAnswer, 400, 403, 409, 413, 415, 422, 429, is_accepted=True), tags=["generations"])
def create(json: NewGeneration) -> ResponseReturnValue:
    """Submit a generation.

    The answer is the job, at once; `Location` is where it can be watched. Three headers change that: see below.
    """
    parts, preferences = services(), read_preferences(request.headers)
    submission = parts.participation.ruled(new_submission(json, parts))
    submission = replace(submission, cancel_after_s=preferences.cancel_after_s)
    return taken(parts, submission, json.model_dump(mode="json"), preferences)


@generations.get("")
@api.validate(resp=answers(JobsAnswer, 422), tags=["generations"])
def page(query: GenerationsQuery) -> ResponseReturnValue:
    """List generations, newest first.

    Those of the legacy `/generate` are among them. The steps come without their details.
    """
    return succeeded(listed(services(), query))


@generations.get("/<generation_id>")
@api.validate(resp=answers(JobAnswer, 404), tags=["generations"])
def one(generation_id: str) -> ResponseReturnValue:
    """Tell how far a generation is, and all that came of it."""
    parts = services()
    return answer(parts, found(parts, generation_id))


@generations.get("/<generation_id>/events")
@documented(**header_docs.EVENTS)
@api.validate(resp=answers(None, 400, 404), tags=["generations"])
def events(generation_id: str) -> ResponseReturnValue:
    """Watch a generation.

    The events that happened already come first, then each one when it happens, until the generation ends.
    """
    parts, after = services(), last_event_id(request.headers, request.args)
    record = found(parts, generation_id).record
    if has_ended(record) and after >= record.revision:
        return Response(status=204, headers=HEADERS)
    after = min(after, record.revision)
    views = parts.jobs.follow(generation_id, after)
    return Response(stream(views, parts.pictures.links(), after), mimetype=MEDIA_TYPE, headers=HEADERS)


@generations.post("/<generation_id>/cancel")
@api.validate(resp=answers(JobAnswer, 404), tags=["generations"])
def cancel(generation_id: str) -> ResponseReturnValue:
    """Cancel a generation: what waits is dropped, what is being painted is interrupted.

    One that has ended already is answered as it is.
    """
    parts = services()
    found(parts, generation_id)
    parts.jobs.cancel(generation_id)
    return answer(parts, found(parts, generation_id))


@generations.post("/<generation_id>/rerun")
@documented(**header_docs.RERUN)
@api.validate(resp=answers(JobAnswer, 400, 403, 404, 409, 413, 415, 422, 429, is_accepted=True), tags=["generations"])
def rerun(generation_id: str, json: RerunRequest) -> ResponseReturnValue:
    """Run a generation once more.

    Without a body everything is as it was: inputs, seed, prompts, presets, answers of the chat service. What the body
    names is changed; `rerun_of` of the new job names the first one.
    """
    parts, preferences = services(), read_preferences(request.headers)
    submission = parts.participation.ruled(repeated(json, found(parts, generation_id).record, parts.parts))
    submission = replace(submission, cancel_after_s=preferences.cancel_after_s)
    return taken(parts, submission, {"rerun_of": generation_id, **json.model_dump(mode="json")}, preferences)
