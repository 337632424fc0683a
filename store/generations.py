"""The record of every generation, also of those that failed: how it comes to be, and how it is found again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from store.claims import TOUCHED
from store.clock import AHEAD, BEGINNING, FAR, to_milliseconds, utc_now
from store.documents import GenerationRecord, LogEntry, State
from store.errors import DuplicateError
from store.generation_documents import INDEX_FIELDS, to_document, to_record
from store.pages import Key, Page, cursor_of, key_of, newest_keys
from store.phrases import phrase
from store.repeat import idempotent
from store.schema import Document
from store.takeovers import Takeovers


@dataclass(frozen=True)
class Changed:
    """That a generation changed: where it stands now, without what it holds."""

    id: str
    revision: int
    state: State
    owner: str
    token: int
    changed_at: datetime


def as_inserted(record: GenerationRecord) -> GenerationRecord:
    """Give a record as `Generations.insert` keeps it, so that its owner may begin while it is being written."""
    taken = 1 if record.owner else 0
    first = LogEntry(seq=1, type="state", at=record.created_at, state="queued")
    start = {"state": "queued", "token": taken, "attempt": taken, "revision": 1, "log": (first,)}
    return record.model_copy(update=start)


class Generations(Takeovers):
    """The generations of a database. What their owners write is in `Claims`, what others do in `Takeovers`."""

    @idempotent
    def insert(self, record: GenerationRecord) -> GenerationRecord:
        """Write a new record, `queued`, and give it as it is kept; the same record may be sent twice.

        With an `owner` it is claimed by that runner from the first moment, else it waits for one. Raises
        DuplicateError if another record has its id, or if it is in other hands by now.
        """
        document = to_document(as_inserted(record))
        # An upsert, as only updates can take MongoDB's own clock for the time of the change.
        change = {"$setOnInsert": {key: value for key, value in document.items() if key != "_id"}, **TOUCHED}
        # Two first tries at once may both try to insert; for the second one it is there then.
        with suppress(DuplicateKeyError):
            if self._collection().update_one({"_id": record.id}, change, upsert=True).upserted_id is not None:
                return to_record(document)
        return self._inserted_before(record)

    @idempotent
    def get(self, generation_id: str) -> GenerationRecord | None:
        """Give a record; None if there is none."""
        document = self._collection().find_one({"_id": generation_id}, INDEX_FIELDS)
        return None if document is None else to_record(document)

    @idempotent
    def of_participant(self, participant_id: str, since: datetime, until: datetime) -> tuple[GenerationRecord, ...]:
        """List a participant's generations made in `since <= created_at < until`, newest first.

        Bounded on both sides, because the embedded server reads all that match, whatever the limit.
        """
        window = {"participant_id": participant_id, "created_at": {"$gte": since, "$lt": until}}
        # Sorted here: the answer is bounded, and the embedded server sorts no faster.
        records = [to_record(document) for document in self._collection().find(window, INDEX_FIELDS)]
        return tuple(sorted(records, key=lambda record: (record.created_at, record.id), reverse=True))

    def of_session(self, participant_id: str, session_id: str) -> tuple[GenerationRecord, ...]:
        """List the generations of a participant's session, oldest first.

        What was made before there were sessions names none, and belongs to the participant's only one.
        """
        made = self.of_participant(participant_id, BEGINNING, utc_now() + AHEAD)
        return tuple(record for record in reversed(made) if record.session_id in ("", session_id))

    @idempotent
    def page(
        self,
        *,
        participant_id: str | None = None,
        operation: str | None = None,
        state: State | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        before: str | None = None,
    ) -> Page:
        """Give the newest generations made in `since <= created_at < until`, without the details of their steps.

        `before` is the cursor of the page before. Raises CursorInvalidError if it is none.
        """
        keys_in = self._keys_in(participant_id, {"operation": operation, "state": state})
        place = None if before is None else key_of(before)
        # One more than asked for, to know whether anything follows.
        keys = newest_keys(keys_in, limit + 1, since=since, until=until, before=place)
        ids = [generation_id for _, generation_id in keys[:limit]]
        found = self._collection().find({"_id": {"$in": ids}}, {**INDEX_FIELDS, "steps.details": 0})
        records = {document["_id"]: to_record(document) for document in found}
        return Page(
            records=tuple(records[generation_id] for generation_id in ids if generation_id in records),
            next_cursor=cursor_of(keys[limit - 1]) if len(keys) > limit else None,
        )

    @idempotent
    def changed_since(self, moment: datetime) -> tuple[Changed, ...]:
        """List the generations that changed at or after a moment of MongoDB's clock, in the order of their changes.

        A write on its way may become visible a little after a later one; ask again from a second before the last
        `changed_at` that was seen, and pass over revisions that are known. `set_live` counts as a change as well.
        """
        window = {"changed_at": {"$gte": moment, "$lt": moment + FAR}}
        fields = dict.fromkeys(("revision", "state", "owner", "token", "changed_at"), 1)
        found = [Changed(id=document.pop("_id"), **document) for document in self._collection().find(window, fields)]
        return tuple(sorted(found, key=lambda change: (change.changed_at, change.id)))

    @idempotent
    def queued_count(self) -> int:
        """Count the generations that wait, claimed or not, to begin."""
        return self._collection().count_documents({"state": "queued"})

    @idempotent
    def running_count(self) -> int:
        """Count the generations that have begun and not ended."""
        return self._collection().count_documents({"state": "running"})

    @idempotent
    def parents_of(self, participant_id: str, image_ids: Iterable[str], texts: Iterable[str]) -> tuple[str, ...]:
        """Find the participant's generations that made one of these images or wrote one of these texts.

        A text is found if it equals an output or any string inside one. Oldest first.
        """
        found: set[str] = set()
        sought = (("output_images", list(image_ids)), ("output_phrases", [phrase(text) for text in texts]))
        # Two questions instead of one with $or, which the embedded server answers without an index.
        for field, values in sought:
            if values:
                query = {"participant_id": participant_id, field: {"$in": values}}
                found.update(document["_id"] for document in self._collection().find(query, {"_id": 1}))
        return tuple(sorted(found))

    def _inserted_before(self, record: GenerationRecord) -> GenerationRecord:
        kept = self.get(record.id)
        is_same = kept is not None and (kept.owner, kept.created_at) == (
            record.owner,
            to_milliseconds(record.created_at),
        )
        if kept is None or not is_same:
            raise DuplicateError(f"generation {record.id} is there already; read it instead of making it again")
        return kept

    def _keys_in(self, participant_id: str | None, wanted: dict[str, Any]) -> Callable[[datetime, datetime], list[Key]]:
        """Give the function that reads the keys of what is wanted in a window of time."""
        asked = {field: value for field, value in wanted.items() if value is not None}
        query: Document = {field: {"$in": [value]} for field, value in asked.items()}
        if participant_id is not None:
            # One participant's are few, and with more in the question the embedded server leaves their index. It
            # also does for a plain value of `state`, hence `$in`.
            query = {"participant_id": participant_id}

        def keys_in(start: datetime, stop: datetime) -> list[Key]:
            window = {**query, "created_at": {"$gte": start, "$lt": stop}}
            found = self._collection().find(window, dict.fromkeys(("created_at", *asked), 1))
            return [
                (document["created_at"], document["_id"])
                for document in found
                if all(document[field] == value for field, value in asked.items())
            ]

        return keys_in
