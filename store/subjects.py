"""The subject of each design task: asked for once, then remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from store.clock import utc_now
from store.connection import Database
from store.repeat import idempotent, insert_once
from store.schema import SCHEMA_VERSIONS, SUBJECTS, Document

REMEMBERED: Final = 2_000


@dataclass(frozen=True)
class Subject:
    """The main object of a task, a short English noun; `source` says who named it (model, template)."""

    task_hash: str
    subject: str
    source: str
    created_at: datetime


class Subjects:
    """The remembered subjects of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, Subject] = {}

    def get(self, task_hash: str) -> Subject | None:
        """Give the remembered subject of a task; None if nobody has asked for it yet."""
        # Once remembered it never changes, and each picture of the task needs it.
        known = self._known.get(task_hash) or self._read(task_hash)
        if known is not None and len(self._known) < REMEMBERED:
            self._known[task_hash] = known
        return known

    @idempotent
    def _read(self, task_hash: str) -> Subject | None:
        document = self._database.collection(SUBJECTS).find_one({"_id": task_hash})
        return None if document is None else _subject(document)

    @idempotent
    def put(self, task_hash: str, subject: str, source: str) -> Subject:
        """Remember a subject and give the one that holds: the first writer's, which may be another."""
        document = {
            "_id": task_hash,
            "schema_version": SCHEMA_VERSIONS[SUBJECTS],
            "subject": subject,
            "source": source,
            "created_at": utc_now(),
        }
        # The key is the `_id`, so of two writers at once exactly one gets through.
        subjects = self._database.collection(SUBJECTS)
        if insert_once(subjects, document):
            return _subject(document)
        return _subject(subjects.find_one({"_id": task_hash}) or document)


def _subject(document: Document) -> Subject:
    return Subject(
        task_hash=document["_id"],
        subject=document["subject"],
        source=document["source"],
        created_at=document["created_at"],
    )
