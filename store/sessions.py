"""Sessions: one participant's work in one study, from the first contact to the end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from store.claims import TOUCHED
from store.clock import FAR, utc_now
from store.connection import Database
from store.ids import new_id
from store.repeat import idempotent, insert_once
from store.schema import PARTICIPANTS, SCHEMA_VERSIONS, SESSIONS, Document
from store.studies import DEFAULT_STUDY

SessionState = Literal["active", "completed", "withdrawn"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ConditionCount(_Value):
    """How many sessions a condition had."""

    condition_id: str
    count: int


class Assigned(_Value):
    """How a session got its condition, and what each condition had before."""

    method: Literal["balanced", "chosen", "only"] = "only"
    counts: tuple[ConditionCount, ...] = ()
    at: datetime = Field(default_factory=utc_now)


class Consent(_Value):
    """That a participant agreed to a text, which is kept as a content."""

    text_sha256: str
    at: datetime = Field(default_factory=utc_now)


class Client(_Value):
    """What the participant's browser tells of itself."""

    user_agent: str = ""
    language: str = ""
    screen: str = ""


class Session(_Value):
    """One session; `number` counts the sessions of its study from 1, 0 in the default study."""

    id: str = Field(default_factory=new_id)
    schema_version: int = 0
    study_id: str
    condition_id: str
    participant_id: str
    number: int = 0
    assigned: Assigned = Field(default_factory=Assigned)
    consent: Consent | None = None
    client: Client | None = None
    state: SessionState = "active"
    started_at: datetime = Field(default_factory=utc_now)
    last_event_at: datetime | None = None
    ended_at: datetime | None = None
    changed_at: datetime | None = None


class Sessions:
    """The sessions of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def create(self, session: Session) -> Session:
        """Keep a new session, and give the one that is kept under its id."""
        document = session.model_dump()
        document.update(_id=document.pop("id"), schema_version=SCHEMA_VERSIONS[SESSIONS], changed_at=utc_now())
        collection = self._database.collection(SESSIONS)
        insert_once(collection, document)
        return _to_session(collection.find_one({"_id": session.id}) or document)

    def of_nobody_else(self, participant_id: str) -> Session:
        """Give a participant's session; one who has none is in the default study from now on.

        That session has the participant's own id, so two processes that make it at once make the same one.
        """
        found = self.of_participant(participant_id)
        if found is not None:
            return found
        return self.create(_in_default_study(participant_id))

    def begin_missing(self, before: datetime) -> int:
        """Give those participants who came before a moment and have no session one in the default study; count them.

        They worked before sessions were kept. Who joins a study just now has none yet either, hence the moment.
        """
        missing = self._without_session(before)
        for participant_id, came_at in missing:
            self.create(_in_default_study(participant_id, assigned=Assigned(at=came_at), started_at=came_at))
        return len(missing)

    @idempotent
    def _without_session(self, before: datetime) -> list[tuple[str, datetime]]:
        having = {one["participant_id"] for one in self._database.collection(SESSIONS).find({}, {"participant_id": 1})}
        known = self._database.collection(PARTICIPANTS).find({}, {"created_at": 1})
        return sorted(
            (one["_id"], one["created_at"]) for one in known if one["_id"] not in having and one["created_at"] < before
        )

    @idempotent
    def get(self, session_id: str) -> Session | None:
        """Give a session; None if there is none."""
        document = self._database.collection(SESSIONS).find_one({"_id": session_id})
        return None if document is None else _to_session(document)

    @idempotent
    def of_participant(self, participant_id: str) -> Session | None:
        """Give a participant's session: that of a study before that of the default study; None if there is none."""
        found = self._database.collection(SESSIONS).find({"participant_id": participant_id})
        sessions = sorted((_to_session(one) for one in found), key=lambda one: (one.study_id == DEFAULT_STUDY, one.id))
        return sessions[0] if sessions else None

    @idempotent
    def of_study(
        self, study_id: str, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Session, ...]:
        """List a study's sessions that started in `since <= started_at < until`, newest first."""
        start = since or utc_now() - FAR
        window = {"study_id": study_id, "started_at": {"$gte": start, "$lt": until or start + 2 * FAR}}
        found = [_to_session(document) for document in self._database.collection(SESSIONS).find(window)]
        return tuple(sorted(found, key=lambda one: (one.started_at, one.id), reverse=True))

    @idempotent
    def changed_since(self, study_id: str, moment: datetime) -> tuple[Session, ...]:
        """List a study's sessions that changed at or after a moment of MongoDB's clock, in that order."""
        window = {"study_id": study_id, "changed_at": {"$gte": moment, "$lt": moment + FAR}}
        found = [_to_session(document) for document in self._database.collection(SESSIONS).find(window)]
        return tuple(sorted(found, key=lambda one: (one.changed_at or one.started_at, one.id)))

    @idempotent
    def update(self, session_id: str, changes: Mapping[str, Any]) -> None:
        """Set fields of a session; `changed_at` becomes MongoDB's time."""
        self._database.collection(SESSIONS).update_one({"_id": session_id}, {"$set": dict(changes), **TOUCHED})

    def end(self, session_id: str, state: SessionState) -> None:
        """Close a session that is active; its first end counts."""
        self._end(session_id, state, utc_now())

    @idempotent
    def _end(self, session_id: str, state: SessionState, at: datetime) -> None:
        active = {"_id": session_id, "state": "active"}
        self._database.collection(SESSIONS).update_one(active, {"$set": {"state": state, "ended_at": at}, **TOUCHED})


def _in_default_study(participant_id: str, **more: Any) -> Session:
    whose = {"id": participant_id, "participant_id": participant_id}
    return Session(**whose, study_id=DEFAULT_STUDY, condition_id=DEFAULT_STUDY, **more)


def _to_session(document: Document) -> Session:
    return Session.model_validate({**document, "id": document["_id"]})
