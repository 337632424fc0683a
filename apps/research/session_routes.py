"""One session, read by researchers: all that happened, how it went, what came of what."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from apps.guard import guarded
from apps.openapi import answers, api
from apps.research.memory import memory
from apps.research.session_queries import ChronicleQuery, TreeQuery
from apps.research.session_rows import rows_of
from apps.research.session_schemas import (
    AssignedInfo,
    ChronicleAnswer,
    ClientInfo,
    ConsentInfo,
    SessionAnswer,
    SessionInfo,
    TimelineAnswer,
    TreeAnswer,
)
from apps.research.sessions import chronicle_page, found, timeline_of, tree_of
from apps.schemas import succeeded
from apps.services import services
from store.sessions import Session
from store.stores import Stores

sessions = guarded(Blueprint("research_sessions", __name__, url_prefix="/api/research/sessions"))


@sessions.get("/<session_id>")
@api.validate(resp=answers(SessionAnswer, 401, 403, 404), tags=["sessions"])
def one(session_id: str) -> ResponseReturnValue:
    """Tell of a session: whose, in which condition and how it came there, how far it is."""
    stores = services().stores
    return succeeded(_told(stores, found(stores, session_id)))


@sessions.get("/<session_id>/chronicle")
@api.validate(resp=answers(ChronicleAnswer, 401, 403, 404, 422), tags=["sessions"])
def events(session_id: str, query: ChronicleQuery) -> ResponseReturnValue:
    """Tell everything that happened in a session, on one clock, in order.

    By default the last entries; `before` gives those before an entry, `after` those that follow one.
    """
    stores = services().stores
    return succeeded(chronicle_page(stores, found(stores, session_id), query))


@sessions.get("/<session_id>/timeline")
@api.validate(resp=answers(TimelineAnswer, 401, 403, 404), tags=["sessions"])
def timeline(session_id: str) -> ResponseReturnValue:
    """Tell how long the participant was in which stage, and when something was waited for."""
    stores = services().stores
    return succeeded(timeline_of(stores, found(stores, session_id)))


@sessions.get("/<session_id>/tree")
@api.validate(resp=answers(TreeAnswer, 401, 403, 404, 422), tags=["sessions"])
def tree(session_id: str, query: TreeQuery) -> ResponseReturnValue:
    """Tell which generation came of which, the newest first."""
    stores = services().stores
    return succeeded(tree_of(stores, found(stores, session_id), query))


def _told(stores: Stores, session: Session) -> SessionInfo:
    [row] = rows_of(stores, [session], memory().stages, memory().known)
    study, assigned = stores.studies.get(session.study_id), session.assigned
    counts = {one.condition_id: one.count for one in assigned.counts}
    return SessionInfo(
        **dict(row),
        study_id=session.study_id,
        study_name=study.name if study else "",
        assigned=AssignedInfo(method=assigned.method, at=assigned.at, counts=counts),
        consent=session.consent and ConsentInfo(text_sha256=session.consent.text_sha256, at=session.consent.at),
        client=session.client and ClientInfo.model_validate(session.client.model_dump()),
    )
