"""Exports of studies: who asked for one, how far it is, and whether the process that makes it still lives."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from pymongo.collection import Collection

from store.clock import utc_now
from store.connection import Database
from store.ids import new_id
from store.repeat import idempotent, insert_once
from store.schema import EXPORTS, SCHEMA_VERSIONS, Document

ExportState = Literal["queued", "writing", "checking", "done", "failed"]
OPEN: Final = ("queued", "writing", "checking")
"""The states that something follows."""
LOST_AFTER_S: Final = 20.0
LOST: Final = "the process that made this export has ended before it was done; start another one"


@dataclass(frozen=True)
class Export:
    """One export of what a study had before `until`, null while it is queued; it is made on `host`, where its file is.

    `progress` goes from 0 to 1, `size` is that of the file in bytes, `under_way` counts the generations that had not
    ended and are not in it. `beat_at` is the last sign of life, by MongoDB's clock.
    """

    study_id: str
    requested_by: str
    host: str
    id: str = field(default_factory=new_id)
    state: ExportState = "queued"
    progress: float = 0.0
    size: int = 0
    records: int = 0
    pictures: int = 0
    under_way: int = 0
    sha256: str = ""
    error: str = ""
    until: datetime | None = None
    created_at: datetime = field(default_factory=utc_now)
    ended_at: datetime | None = None
    beat_at: datetime | None = None


class Exports:
    """The exports of a database. Whoever reads one learns at once that its process was killed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def create(self, export: Export) -> Export:
        """Keep a new export, `queued`."""
        values = {name: getattr(export, name) for name in Export.__dataclass_fields__ if name != "id"}
        document = {"_id": export.id, "schema_version": SCHEMA_VERSIONS[EXPORTS], **values}
        # Its first sign of life is that somebody asked for it.
        document["beat_at"] = self._database.ago(0)
        insert_once(self._exports(), document)
        return self._read(export.id) or export

    @idempotent
    def get(self, export_id: str) -> Export | None:
        """Give an export; None if there is none. One whose process is silent for too long is failed from now on."""
        found = self._read(export_id)
        if found is not None and self._is_lost(found):
            self._end(found.id, {"state": "failed", "error": LOST}, {"beat_at": found.beat_at})
            return self._read(export_id)
        return found

    def of_study(self, study_id: str) -> tuple[Export, ...]:
        """List the exports of a study, newest first."""
        found = (self.get(export_id) for export_id in self._ids(study_id))
        return tuple(export for export in found if export is not None)

    @idempotent
    def beat(self, export_id: str, state: ExportState, progress: float) -> bool:
        """Say how far an export is; False if it has ended meanwhile, so that nobody need go on."""
        change = {"$set": {"state": state, "progress": progress}, "$currentDate": {"beat_at": True}}
        return self._exports().update_one(_open(export_id), change).matched_count == 1

    @idempotent
    def set_until(self, export_id: str, until: datetime) -> None:
        """Say which moment an export has begun at."""
        self._exports().update_one(_open(export_id), {"$set": {"until": until}})

    def finish(self, export_id: str, **facts: Any) -> None:
        """End an export well, with what is known of its file."""
        self._end(export_id, {"state": "done", "progress": 1.0, "error": "", **facts}, {})

    def fail(self, export_id: str, reason: str) -> None:
        """End an export with the reason why there is no file."""
        self._end(export_id, {"state": "failed", "error": reason[:500]}, {})

    @idempotent
    def withdraw(self, study_id: str, reason: str) -> int:
        """Take back all exports of a study, also those under way; give how many. Their files must not be given out."""
        living = {"study_id": study_id, "state": {"$in": [*OPEN, "done"]}}
        change = {"$set": {"state": "failed", "error": reason[:500], "ended_at": utc_now()}}
        return self._exports().update_many(living, change).modified_count

    @idempotent
    def _ids(self, study_id: str) -> list[str]:
        found = self._exports().find({"study_id": study_id}, {"_id": 1})
        return sorted((document["_id"] for document in found), reverse=True)

    @idempotent
    def _end(self, export_id: str, values: Document, seen: Document) -> None:
        self._exports().update_one({**_open(export_id), **seen}, {"$set": {**values, "ended_at": utc_now()}})

    def _read(self, export_id: str) -> Export | None:
        document = self._exports().find_one({"_id": export_id})
        if document is None:
            return None
        values = {name: document[name] for name in Export.__dataclass_fields__ if name in document}
        return Export(**{**values, "id": document["_id"]})

    def _is_lost(self, export: Export) -> bool:
        is_open = export.state in OPEN
        return is_open and export.beat_at is not None and export.beat_at < self._database.ago(LOST_AFTER_S)

    def _exports(self) -> Collection[Document]:
        return self._database.collection(EXPORTS)


def _open(export_id: str) -> Document:
    return {"_id": export_id, "state": {"$in": list(OPEN)}}
