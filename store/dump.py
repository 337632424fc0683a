"""A study's records as they are kept, read one after another, so that they can be given to others or kept elsewhere.

Here documents leave this room as they are: an export must lose nothing, not even what this version does not know. All
reading is bounded: one session at a time, its generations a few at a time, pictures one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from bson.json_util import RELAXED_JSON_OPTIONS, JSONOptions
from bson.json_util import dumps as to_extended_json
from bson.json_util import loads as from_extended_json

from store.clock import BEGINNING
from store.connection import Database
from store.repeat import idempotent
from store.schema import (
    ASSIGNMENTS,
    CONTENTS,
    EVENTS,
    GENERATIONS,
    PARTICIPANTS,
    SAVED_STATES,
    SESSIONS,
    SETTINGS_VERSIONS,
    STUDIES,
    TIME_RECORDS,
    UPLOADS,
    Document,
)

AT_ONCE: Final = 50
IN_TEXT: Final[JSONOptions] = RELAXED_JSON_OPTIONS.with_options(tz_aware=True, tzinfo=UTC)
SECRETS: Final = {STUDIES: ("join_key",)}
"""What is a key to something, and so is no part of what is passed on."""


@dataclass(frozen=True)
class Kind:
    """One kind of records that belong to a session: the collection, and the field that puts them in order."""

    collection: str
    time: str


EVENT_KIND: Final = Kind(EVENTS, "at")
GENERATION_KIND: Final = Kind(GENERATIONS, "created_at")
SAVE_KIND: Final = Kind(SAVED_STATES, "saved_at")
UPLOAD_KIND: Final = Kind(UPLOADS, "received_at")
TIME_KIND: Final = Kind(TIME_RECORDS, "received_at")


def line_of(document: Document) -> str:
    """Give a document as one line of MongoDB's extended JSON, from which `document_of` makes an equal one."""
    return to_extended_json(document, json_options=IN_TEXT, ensure_ascii=False)


def document_of(line: str) -> Document:
    """Give the document of a line that `line_of` made. Raises ValueError for one that is no such line."""
    found = from_extended_json(line, json_options=IN_TEXT)
    if not isinstance(found, dict):
        raise ValueError("a line of records must be one JSON object")
    return found


class Dump:
    """Reads the records of a study that came before a moment, `until`."""

    def __init__(self, database: Database, until: datetime) -> None:
        self._database = database
        self.until = until

    @idempotent
    def study(self, study_id: str) -> Document | None:
        """Give a study without its secrets; None if there is none."""
        return self._database.collection(STUDIES).find_one({"_id": study_id}, dict.fromkeys(SECRETS[STUDIES], 0))

    @idempotent
    def assignments(self, study_id: str) -> list[Document]:
        """Give who got which condition, in the order in which they got it."""
        found = self._database.collection(ASSIGNMENTS).find({"study_id": study_id})
        return sorted((one for one in found if one["at"] < self.until), key=lambda one: int(one["number"]))

    @idempotent
    def session_ids(self, study_id: str) -> list[str]:
        """Give the ids of a study's sessions in the order of their starts."""
        window = {"study_id": study_id, "started_at": {"$gte": BEGINNING, "$lt": self.until}}
        found = self._database.collection(SESSIONS).find(window, {"started_at": 1})
        return [one["_id"] for one in sorted(found, key=lambda one: (one["started_at"], one["_id"]))]

    def sessions(self, ids: Iterable[str]) -> Iterator[Document]:
        """Give sessions in the order of these ids."""
        for some in in_batches(ids):
            yield from self._by_ids(SESSIONS, some)

    def of_session(self, kind: Kind, session: Document) -> Iterator[Document]:
        """Give the records of a session in the order of their times, of generations those that have ended."""
        for ids in in_batches(self._ids(kind, session)):
            yield from self._by_ids(kind.collection, ids)

    @idempotent
    def count(self, kind: Kind, session: Document) -> int:
        """Count the records of a session anew, in MongoDB."""
        if kind == EVENT_KIND:
            return self._database.collection(EVENTS).count_documents(self._window(kind, session))
        return len(self._keys(kind, session))

    @idempotent
    def under_way(self, session: Document) -> int:
        """Count the generations of a session that began before `until` and had not ended by then."""
        window = {"participant_id": session["participant_id"], "created_at": {"$gte": BEGINNING, "$lt": self.until}}
        found = self._database.collection(GENERATIONS).find(window, {"ended_at": 1, "session_id": 1})
        return sum(_is_of(one, session) and not self._has_ended(one) for one in found)

    @idempotent
    def uploads_of_nobody(self) -> list[Document]:
        """Give the uploads whose sender is not known, in the order of their arrival."""
        window = {"participant_id": None, "received_at": {"$gte": BEGINNING, "$lt": self.until}}
        found = self._database.collection(UPLOADS).find(window)
        return sorted(found, key=lambda one: (one["received_at"], one["_id"]))

    def participants(self, ids: Iterable[str]) -> Iterator[Document]:
        """Give participants, without their names."""
        for some in in_batches(ids):
            yield from self._by_ids(PARTICIPANTS, some)

    @idempotent
    def settings_versions(self, hashes: Sequence[str]) -> list[Document]:
        """Give those of these hashes that are versions of settings, in the order of the hashes."""
        found = self._database.collection(SETTINGS_VERSIONS).find({"_id": {"$in": list(hashes)}})
        return sorted(found, key=lambda one: str(one["_id"]))

    @idempotent
    def contents(self, hashes: Sequence[str]) -> list[Document]:
        """Give what is known of those of these hashes that are contents, without their bytes."""
        found = self._database.collection(CONTENTS).find({"_id": {"$in": list(hashes)}}, {"content": 0, "parts": 0})
        return sorted(found, key=lambda one: str(one["_id"]))

    @idempotent
    def _ids(self, kind: Kind, session: Document) -> list[str]:
        return [name for _, name in sorted(self._keys(kind, session))]

    def _keys(self, kind: Kind, session: Document) -> list[tuple[datetime, str]]:
        fields = dict.fromkeys((kind.time, "session_id", "ended_at"), 1)
        found = self._database.collection(kind.collection).find(self._window(kind, session), fields)
        return [
            (one[kind.time], one["_id"])
            for one in found
            if _is_of(one, session) and (kind != GENERATION_KIND or self._has_ended(one))
        ]

    def _window(self, kind: Kind, session: Document) -> Document:
        # All but events may stand without a session, where they came before there were any, or by a call that names
        # a participant only. A participant has one session in a study, and is in one study.
        owner = "session_id" if kind == EVENT_KIND else "participant_id"
        name = session["_id" if kind == EVENT_KIND else "participant_id"]
        return {owner: name, kind.time: {"$gte": BEGINNING, "$lt": self.until}}

    def _has_ended(self, generation: Document) -> bool:
        ended_at = generation.get("ended_at")
        return ended_at is not None and bool(ended_at < self.until)

    @idempotent
    def _by_ids(self, collection: str, ids: Sequence[str]) -> list[Document]:
        """Give documents in the order of these ids; those that are gone are left out."""
        found = {one["_id"]: one for one in self._database.collection(collection).find({"_id": {"$in": list(ids)}})}
        hidden = SECRETS.get(collection, ())
        documents = (found[name] for name in ids if name in found)
        return [{key: value for key, value in one.items() if key not in hidden} for one in documents]


def in_batches(items: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Give items a few at a time, as many as may be asked for in one question."""
    left = iter(items)
    while some := tuple(islice(left, AT_ONCE)):
        yield some


def _is_of(document: Document, session: Document) -> bool:
    return document.get("session_id") in (None, "", session["_id"])
