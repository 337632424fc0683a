"""The record of every generation, also of those that failed.

Changes are compare-and-set: each names the state and the owner it starts from, so that a runner that was given up
cannot write over what came after it, and a change that is sent twice happens once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo.collection import Collection

from store.bson_shapes import storable
from store.clock import utc_now
from store.connection import Database
from store.documents import ErrorRecord, GenerationRecord, Output, State, StepRecord
from store.errors import NotFoundError, OwnershipLostError
from store.phrases import phrase, phrases
from store.repeat import idempotent, insert_once
from store.schema import GENERATIONS, SCHEMA_VERSIONS, Document

# The states that each end may follow.
BEFORE: Final[dict[str, tuple[State, ...]]] = {"succeeded": ("running",), "failed": ("queued", "running")}
UNCUT: Final = 2**31
# Not part of a record: they exist for the index alone.
INDEX_FIELDS: Final = {"output_images": 0, "output_phrases": 0}


class Generations:
    """The generations of a database. `owner` is the id of the runner that works on one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def insert(self, record: GenerationRecord) -> GenerationRecord:
        """Write a new record and give it as it is kept."""
        document = _to_document(record)
        insert_once(self._collection(), document)
        return _to_record(document)

    def start(self, generation_id: str, owner: str) -> None:
        """Take a queued generation: `queued` → `running`. Raises OwnershipLostError if another has it."""
        self._change(
            generation_id,
            {"state": "queued"},
            {"$set": {"state": "running", "owner": owner, "started_at": utc_now()}, "$inc": {"revision": 1}},
            done={"state": "running", "owner": owner},
        )

    def add_step(self, generation_id: str, owner: str, step: StepRecord) -> None:
        """Add a step to a running generation, once however often it is sent; order is that of arrival."""
        self._change(
            generation_id,
            {"state": "running", "owner": owner, "steps.id": {"$ne": step.id}},
            {"$push": {"steps": _dump(step)}},
            done={"owner": owner, "steps.id": step.id},
        )

    def finish(
        self, generation_id: str, owner: str, outputs: Sequence[Output], steps: Sequence[StepRecord] = ()
    ) -> None:
        """End a generation well: `running` → `succeeded`. `steps` are those not yet added by `add_step`.

        Raises OwnershipLostError if it is no longer this owner's; then nothing of it is kept.
        """
        self._end(generation_id, owner, _ended("succeeded", outputs), steps)

    def fail(
        self,
        generation_id: str,
        owner: str,
        error: ErrorRecord,
        outputs: Sequence[Output] = (),
        steps: Sequence[StepRecord] = (),
    ) -> None:
        """End a generation with an error: `queued` or `running` → `failed`. What was made is kept.

        For a runner that died, `owner` is the dead runner. Raises OwnershipLostError as `finish` does.
        """
        self._end(generation_id, owner, _ended("failed", outputs) | {"error": _dump(error)}, steps)

    @idempotent
    def get(self, generation_id: str) -> GenerationRecord | None:
        """Give a record; None if there is none."""
        document = self._collection().find_one({"_id": generation_id}, INDEX_FIELDS)
        return None if document is None else _to_record(document)

    @idempotent
    def of_participant(self, participant_id: str, since: datetime, until: datetime) -> tuple[GenerationRecord, ...]:
        """List a participant's generations made in `since <= created_at < until`, newest first.

        Bounded on both sides, because the embedded server reads all that match, whatever the limit.
        """
        window = {"participant_id": participant_id, "created_at": {"$gte": since, "$lt": until}}
        # Sorted here: the answer is bounded, and the embedded server sorts no faster.
        records = [_to_record(document) for document in self._collection().find(window, INDEX_FIELDS)]
        return tuple(sorted(records, key=lambda record: (record.created_at, record.id), reverse=True))

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

    @idempotent
    def abandoned(self, owner: str) -> tuple[str, ...]:
        """List the ids of the generations that are queued or running in the hands of a (dead) runner."""
        found: list[str] = []
        # Two questions again: with $in on the first field of the index the embedded server does not use it.
        for state in ("queued", "running"):
            query = {"state": state, "owner": owner}
            found.extend(document["_id"] for document in self._collection().find(query, {"_id": 1}))
        return tuple(sorted(found))

    def _end(self, generation_id: str, owner: str, ended: Document, steps: Sequence[StepRecord]) -> None:
        started_at = self._started_at(generation_id)
        if started_at is not None:
            ended["duration_s"] = (ended["ended_at"] - started_at).total_seconds()
        new_steps = [_dump(step) for step in steps]
        self._change(
            generation_id,
            {"state": {"$in": list(BEFORE[ended["state"]])}, "owner": owner},
            {"$set": ended, "$push": {"steps": {"$each": new_steps}}, "$inc": {"revision": 1}},
            done={"state": ended["state"], "owner": owner},
        )

    @idempotent
    def _started_at(self, generation_id: str) -> datetime | None:
        document = self._collection().find_one({"_id": generation_id}, {"started_at": 1})
        moment: datetime | None = document["started_at"] if document else None
        return moment

    @idempotent
    def _change(self, generation_id: str, expected: Document, change: Document, *, done: Document) -> None:
        """Change a record that is as expected; content if it is already as `done` says."""
        # update_one and not find_one_and_update: the embedded server scans the whole collection for the latter.
        collection = self._collection()
        if collection.update_one({"_id": generation_id, **expected}, change).matched_count:
            return
        # Nothing matched: either the first try of this very change got through, or it is not ours to make.
        if collection.find_one({"_id": generation_id, **done}, {"_id": 1}) is not None:
            return
        now = collection.find_one({"_id": generation_id}, {"state": 1, "owner": 1})
        if now is None:
            raise NotFoundError(f"there is no generation {generation_id}")
        raise OwnershipLostError(
            f"generation {generation_id} is {now['state']} in the hands of {now['owner'] or 'nobody'};"
            " what this runner made for it is not kept"
        )

    def _collection(self) -> Collection[Document]:
        return self._database.collection(GENERATIONS)


def _ended(state: State, outputs: Sequence[Output]) -> Document:
    """Give the fields that an end sets. Outputs are kept whole, as cut JSON would be broken JSON."""
    dumped = [storable(output.model_dump(), max_text=UNCUT) for output in outputs]
    return {"state": state, "ended_at": utc_now(), "outputs": dumped, **_index_fields(outputs)}


def _dump(model: ErrorRecord | StepRecord) -> Any:
    return storable(model.model_dump())


def _index_fields(outputs: Sequence[Output]) -> Document:
    images = {output.image_id: None for output in outputs if output.image_id}
    texts = [output.text for output in outputs if output.text]
    return {"output_images": list(images), "output_phrases": storable(phrases(texts))}


def _to_document(record: GenerationRecord) -> Document:
    # Inputs are kept whole: cutting what a participant wrote would change the record.
    document: Document = storable(record.model_dump(exclude={"id", "schema_version"}), max_text=UNCUT)
    return {
        "_id": record.id,
        "schema_version": SCHEMA_VERSIONS[GENERATIONS],
        **document,
        **_index_fields(record.outputs),
    }


def _to_record(document: Document) -> GenerationRecord:
    return GenerationRecord.model_validate({**document, "id": document["_id"]})
