"""What happened in the sessions, as the participants' pages and the server tell it: each event once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict
from pymongo.errors import BulkWriteError

from store.clock import FAR, utc_now
from store.connection import Database
from store.repeat import idempotent
from store.schema import EVENTS, SCHEMA_VERSIONS, Document

Actor = Literal["participant", "assistant", "researcher", "system"]
DUPLICATE: Final = 11000


class Event(BaseModel):
    """One event. `id` is its session's id, a slash and what the client called it: sent again it is the same event.

    `at` is MongoDB's time of its arrival, `place` its place among those that arrived with it; `client_at_ms` is by the
    client's clock, `client_seq` counts in one page load (`page_id`). `data` is JSON text.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    session_id: str
    study_id: str
    participant_id: str
    verb: str
    at: datetime
    place: int = 0
    actor: Actor = "participant"
    object: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    generation_id: str = ""
    client_at_ms: int | None = None
    client_seq: int | None = None
    page_id: str = ""
    data: str = ""


class Events:
    """The events of a database; none is ever changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> datetime:
        """Give the present by MongoDB's clock, the one on which all events stand."""
        return self._database.ago(0)

    @idempotent
    def add(self, events: Sequence[Event]) -> None:
        """Keep events, each once: one that is there already stays as it is."""
        if not events:
            return
        try:
            self._database.collection(EVENTS).insert_many([_to_document(event) for event in events], ordered=False)
        except BulkWriteError as exc:
            if any(error["code"] != DUPLICATE for error in exc.details["writeErrors"]):
                raise

    @idempotent
    def known(self, ids: Iterable[str]) -> frozenset[str]:
        """Say which of these events are kept."""
        found = self._database.collection(EVENTS).find({"_id": {"$in": list(ids)}}, {"_id": 1})
        return frozenset(document["_id"] for document in found)

    @idempotent
    def of_session(
        self, session_id: str, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Event, ...]:
        """List a session's events that arrived in `since <= at < until`, in their order."""
        start = since or utc_now() - FAR
        window = {"session_id": session_id, "at": {"$gte": start, "$lt": until or start + 2 * FAR}}
        found = [_to_event(document) for document in self._database.collection(EVENTS).find(window)]
        return tuple(sorted(found, key=lambda event: (event.at, event.place, event.id)))


def _to_document(event: Event) -> Document:
    document = event.model_dump()
    document["_id"] = document.pop("id")
    return {**document, "schema_version": SCHEMA_VERSIONS[EVENTS]}


def _to_event(document: Document) -> Event:
    return Event.model_validate({**document, "id": document["_id"]})
