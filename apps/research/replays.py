"""Replays of sessions: ask for one, watch it, read old and new side by side, cancel it, take it up again."""

from contextvars import Context

from flask import Blueprint, Response, jsonify, url_for
from flask.typing import ResponseReturnValue

from apps.errors import InvalidInputError, NotNowError, UnknownRecordError
from apps.guard import guarded, researcher
from apps.openapi import answers, api
from apps.research.replay_schemas import NewReplay, ReplayAnswer, ReplayPageAnswer, ReplayQuery, ReplaysAnswer
from apps.research.replay_views import page_of, view_of
from apps.research.replaying.asking import (
    InvalidChangesError,
    NothingToReplayError,
    UnknownSessionError,
    ask_for,
    find_session,
)
from apps.research.replaying.driving import Driver, is_stalled
from apps.research.replaying.planning import Changes
from apps.research.replaying.repeating import Tools
from apps.schemas import succeeded
from apps.services import Services, services
from jobs.threads import in_thread, tell_error
from store.replays import Replay

replays = guarded(Blueprint("replays", __name__, url_prefix="/api"))


@replays.post("/research/sessions/<session_id>/replays")
@api.validate(resp=answers(ReplayAnswer, 400, 401, 403, 404, 409, 413, 415, 422, is_accepted=True), tags=["replays"])
def create(session_id: str, json: NewReplay) -> ResponseReturnValue:
    """Replay a session: run its generations once more from their records, and compare what comes of it.

    Without a body nothing is changed. `Location` is where it can be watched. What it makes belongs to no session.
    """
    parts, changes = services(), Changes.model_validate(json.model_dump(exclude={"at_once"}))
    try:
        replay = ask_for(
            parts.stores, parts.parts.book, session_id, changes, requested_by=researcher(), at_once=json.at_once
        )
    except UnknownSessionError as exc:
        raise UnknownRecordError(str(exc)) from exc
    except NothingToReplayError as exc:
        raise NotNowError(str(exc)) from exc
    except InvalidChangesError as exc:
        raise InvalidInputError(str(exc)) from exc
    _drive(parts, replay)
    return _accepted(parts, replay)


@replays.get("/research/sessions/<session_id>/replays")
@api.validate(resp=answers(ReplaysAnswer, 401, 403, 404), tags=["replays"])
def of_session(session_id: str) -> ResponseReturnValue:
    """List the replays of a session, newest first."""
    parts = services()
    if find_session(parts.stores, session_id) is None:
        raise UnknownRecordError(f"there is no session {session_id[:40]!r}")
    found = [view_of(replay, parts.host) for replay in parts.stores.replays.of_session(session_id)]
    return succeeded({"replays": found})


@replays.get("/replays/<replay_id>")
@api.validate(resp=answers(ReplayPageAnswer, 401, 403, 404, 422), tags=["replays"])
def page(replay_id: str, query: ReplayQuery) -> ResponseReturnValue:
    """Tell how far a replay is, and show old and new side by side, in the session's order."""
    parts = services()
    found = _found(parts, replay_id)
    return _fresh(succeeded(page_of(found, query, parts.stores, parts.host, parts.pictures.links())))


@replays.post("/replays/<replay_id>/cancel")
@api.validate(resp=answers(ReplayAnswer, 401, 403, 404), tags=["replays"])
def cancel(replay_id: str) -> ResponseReturnValue:
    """End a replay; what it found so far stays.

    One that has ended already is answered as it is.
    """
    parts = services()
    parts.stores.replays.cancel(_found(parts, replay_id).id)
    return _fresh(succeeded(view_of(_found(parts, replay_id), parts.host)))


@replays.post("/replays/<replay_id>/resume")
@api.validate(resp=answers(ReplayAnswer, 401, 403, 404, 409, is_accepted=True), tags=["replays"])
def resume(replay_id: str) -> ResponseReturnValue:
    """Take a replay up again that was canceled or failed, or whose process was stopped.

    Nothing is made twice.
    """
    parts = services()
    found = _found(parts, replay_id)
    if found.state == "done":
        raise NotNowError(f"replay {found.id} is done; replay the session again for another one")
    if found.state in ("waiting", "running") and not is_stalled(found, parts.host):
        raise NotNowError(f"replay {found.id} is under way")
    _drive(parts, found)
    return _accepted(parts, found)


def _drive(parts: Services, replay: Replay) -> None:
    """Have this process see to a replay, in a thread that knows nothing of the request."""
    tools = Tools(parts.stores, parts.jobs, parts.parts.book, parts.host)
    Context().run(in_thread, lambda: Driver(tools).drive(replay), f"replay {replay.id}").add_done_callback(tell_error)


def _accepted(parts: Services, replay: Replay) -> Response:
    response = _fresh(succeeded(view_of(_found(parts, replay.id), parts.host)))
    response.status_code = 202
    response.headers["Location"] = url_for("replays.page", replay_id=replay.id)
    return response


def _found(parts: Services, replay_id: str) -> Replay:
    found = parts.stores.replays.get(replay_id)
    if found is None:
        raise UnknownRecordError(f"there is no replay {replay_id[:40]!r}")
    return found


def _fresh(envelope: dict[str, object]) -> Response:
    response = jsonify(envelope)
    response.headers["Cache-Control"] = "no-store"
    return response
