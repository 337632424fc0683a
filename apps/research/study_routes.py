"""Studies: laying them out, changing, opening, freezing, watching them."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from apps.guard import guarded, researcher
from apps.openapi import answers, api, documented
from apps.research import studies as acts
from apps.research.live import HEADERS, MEDIA_TYPE, Live, stream
from apps.research.memory import memory
from apps.research.overview_schemas import OverviewAnswer
from apps.research.session_queries import SessionsQuery
from apps.research.session_rows import rows_of
from apps.research.session_schemas import SessionsAnswer, SessionsPage
from apps.research.study_schemas import (
    Drift,
    DriftAnswer,
    FreezeRequest,
    NewStudy,
    StateChange,
    StudiesAnswer,
    StudyAnswer,
    StudyChange,
)
from apps.research.study_views import info_of
from apps.schemas import Nothing, succeeded
from apps.sealing import plain, unknown
from apps.services import Services, services
from store.studies import Study

studies = guarded(Blueprint("studies", __name__, url_prefix="/api/studies"))

LIVE_DOCS = {
    "responses": {
        "200": {
            "description": "`session` events, each with a row as in the list of sessions",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
        }
    }
}


@studies.get("")
@api.validate(resp=answers(StudiesAnswer, 401, 403), tags=["studies"])
def page() -> ResponseReturnValue:
    """List all studies, the newest first; the default study comes last."""
    parts = services()
    return succeeded({"studies": [_told(parts, study) for study in acts.listed(parts)]})


@studies.post("")
@api.validate(resp=answers(StudyAnswer, 400, 401, 403, 413, 415, 422), tags=["studies"])
def create(json: NewStudy) -> ResponseReturnValue:
    """Lay out a study.

    It is a draft until it is opened.
    """
    parts = services()
    return succeeded(_told(parts, acts.created(parts, json)))


@studies.get("/<study_id>")
@api.validate(resp=answers(StudyAnswer, 401, 403, 404), tags=["studies"])
def one(study_id: str) -> ResponseReturnValue:
    """Tell all of a study: what was laid out, its link for participants, how far it is."""
    parts = services()
    return succeeded(_told(parts, acts.found(parts, study_id)))


@studies.patch("/<study_id>")
@api.validate(resp=answers(StudyAnswer, 400, 401, 403, 404, 409, 413, 415, 422), tags=["studies"])
def change(study_id: str, json: StudyChange) -> ResponseReturnValue:
    """Change a study; keys that are left out stay.

    `revision` is that of the study as the caller has seen it. 409 when somebody else has changed it since, when it is
    frozen, or when a condition would go that has participants.
    """
    parts = services()
    return succeeded(_told(parts, acts.changed(parts, acts.found(parts, study_id), json)))


@studies.delete("/<study_id>")
@api.validate(resp=answers(Nothing, 401, 403, 404, 409), tags=["studies"])
def delete(study_id: str) -> ResponseReturnValue:
    """Delete a draft that nobody has joined."""
    parts = services()
    acts.deleted(parts, acts.found(parts, study_id))
    return succeeded(None)


@studies.post("/<study_id>/state")
@api.validate(resp=answers(StudyAnswer, 400, 401, 403, 404, 409, 413, 415, 422), tags=["studies"])
def move(study_id: str, json: StateChange) -> ResponseReturnValue:
    """Open a study for participants, or close it."""
    parts = services()
    return succeeded(_told(parts, acts.moved(parts, acts.found(parts, study_id), json.state)))


@studies.post("/<study_id>/freeze")
@api.validate(resp=answers(StudyAnswer, 400, 401, 403, 404, 409, 413, 415, 422), tags=["studies"])
def freeze(study_id: str, json: FreezeRequest) -> ResponseReturnValue:
    """Seal a study, once for ever: configuration, prompts, presets, models and services under one hash."""
    del json
    parts = services()
    return succeeded(_told(parts, acts.frozen(parts, acts.found(parts, study_id), researcher())))


@studies.get("/<study_id>/drift")
@api.validate(resp=answers(DriftAnswer, 401, 403, 404), tags=["studies"])
def drift(study_id: str) -> ResponseReturnValue:
    """Name every difference between what was sealed and what is there now, as of some seconds ago."""
    parts = services()
    study = acts.found(parts, study_id)
    sealed, differences = parts.seals.sealed(study), parts.seals.differences(study)
    return succeeded(
        Drift.model_validate(
            {
                "is_frozen": study.seal is not None,
                "hash": study.seal and study.seal.hash,
                "differences": plain(differences),
                "unknown": [] if sealed is None else unknown(sealed),
            }
        )
    )


@studies.get("/<study_id>/sessions")
@api.validate(resp=answers(SessionsAnswer, 401, 403, 404, 422), tags=["studies"])
def sessions(study_id: str, query: SessionsQuery) -> ResponseReturnValue:
    """List the sessions of a study, the newest first."""
    stores = services().stores
    kept = stores.sessions.of_study(acts.found(services(), study_id).id)
    wanted = [one for one in kept if query.state in (None, one.state) and query.condition in (None, one.condition_id)]
    places = [place for place, one in enumerate(wanted, start=1) if one.id == query.before]
    start = places[0] if places else (len(wanted) if query.before else 0)
    some = wanted[start : start + query.limit]
    follows = len(wanted) > start + query.limit
    rows = rows_of(stores, some, memory().stages, memory().known)
    return succeeded(SessionsPage(sessions=rows, next=some[-1].id if follows else None))


@studies.get("/<study_id>/overview")
@api.validate(resp=answers(OverviewAnswer, 401, 403, 404), tags=["studies"])
def overview(study_id: str) -> ResponseReturnValue:
    """Tell a study in numbers, by condition: operations, failures, waiting times, times in each stage.

    As of some seconds ago: what was summed up last is answered at once, and summed up anew behind it.
    """
    parts = services()
    return succeeded(memory().overviews.of(parts.stores, acts.found(parts, study_id)))


@studies.get("/<study_id>/live")
@documented(**LIVE_DOCS)
@api.validate(resp=answers(None, 401, 403, 404), tags=["studies"])
def live(study_id: str) -> ResponseReturnValue:
    """Watch the sessions of a study: an event for each one that changes, those of the last 90 seconds first."""
    parts = services()
    watched = Live(parts.stores, acts.found(parts, study_id).id, memory().stages, memory().known)
    return Response(stream(watched, lambda: parts.jobs.is_stopping), mimetype=MEDIA_TYPE, headers=HEADERS)


def _told(parts: Services, study: Study) -> object:
    base = parts.pictures.public_url or request.url_root.rstrip("/")
    return info_of(parts.stores, study, memory().known, lambda join_key: f"{base}/join/{join_key}")
