"""The participants' calls: join, begin, tell, end. Whoever knows a name or code is that participant."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from apps.openapi import answers, api, documented
from apps.schemas import succeeded
from apps.services import services
from apps.sessions.joining import LONGEST_KEY, SHORTEST_KEY, invitation, join, own_part, session_of, told
from apps.sessions.schemas import (
    EndRequest,
    EventsRequest,
    InvitationAnswer,
    JoinedAnswer,
    JoinRequest,
    OneSession,
    SessionAnswer,
    SessionRequest,
    ToldAnswer,
)
from apps.sessions.telling import tell

sessions = Blueprint("sessions", __name__)

JOIN_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": SHORTEST_KEY, "maxLength": LONGEST_KEY, "pattern": r"^[\x20-\x7e]+$"},
    "description": "marks this joining: sent again it gives the same participant. Whoever knows it can find the code, "
    "so take a random one, such as a UUID, and keep it to yourself",
}
EVENTS_BODY = {
    "required": True,
    "content": {
        kind: {"schema": {"$ref": "#/components/schemas/EventsRequest"}} for kind in ("application/json", "text/plain")
    },
}


@sessions.get("/api/join/<join_key>")
@api.validate(resp=answers(InvitationAnswer, 404), tags=["sessions"])
def invited(join_key: str) -> ResponseReturnValue:
    """Tell what a link to a study leads to: its name, its task, and what a participant agrees to."""
    return succeeded(invitation(services(), join_key))


@sessions.post("/api/join/<join_key>")
@documented(parameters=[JOIN_KEY])
@api.validate(resp=answers(JoinedAnswer, 400, 404, 409, 413, 415, 422), tags=["sessions"])
def joined(join_key: str, json: JoinRequest) -> ResponseReturnValue:
    """Join a study, or come back to it with the code of the first time.

    The code is the participant's name from now on, in every call that takes a `username`, and a secret: whoever knows
    it is that participant.
    """
    return succeeded(join(services(), join_key, json, request.headers.get("Idempotency-Key")))


@sessions.post("/api/sessions")
@api.validate(resp=answers(SessionAnswer, 400, 413, 415, 422), tags=["sessions"])
def begin(json: SessionRequest) -> ResponseReturnValue:
    """Give the session of a participant: that of their study, or one in the default study."""
    return succeeded(OneSession(session=session_of(services(), json.username, json.client)))


@sessions.post("/api/sessions/<session_id>/events")
@documented(requestBody=EVENTS_BODY)
@api.validate(resp=answers(ToldAnswer, 400, 403, 404, 413, 415, 422), tags=["sessions"])
def events(session_id: str, json: EventsRequest) -> ResponseReturnValue:
    """Tell what happened, up to 200 events at a time, in their order.

    Each is kept once: events of the same `id` are the same, however often they are told. `navigator.sendBeacon` may
    send the same JSON as text/plain.
    """
    parts = services()
    return succeeded(tell(parts, own_part(parts, session_id, json.username), json.events))


@sessions.post("/api/sessions/<session_id>/end")
@api.validate(resp=answers(SessionAnswer, 400, 403, 404, 413, 415, 422), tags=["sessions"])
def end(session_id: str, json: EndRequest) -> ResponseReturnValue:
    """End a session; its first end counts."""
    parts = services()
    part = own_part(parts, session_id, json.username)
    parts.stores.sessions.end(part.session.id, json.reason)
    parts.participation.forget(part.session.participant_id)
    return succeeded(OneSession(session=told(parts, parts.participation.of(part.session.participant_id))))
