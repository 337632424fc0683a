"""Who sent which picture when; the pictures themselves are contents."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from store.clock import to_milliseconds, utc_now
from store.connection import Database
from store.ids import new_id
from store.repeat import idempotent, insert_once
from store.schema import SCHEMA_VERSIONS, UPLOADS, Document

UploadKind = Literal["canvas", "baseline"]


@dataclass(frozen=True)
class Upload:
    """One upload. `file_name` is kept as sent and is never used as a path; participant None: not told."""

    participant_id: str | None
    content_sha256: str
    file_name: str
    kind: UploadKind
    received_at: datetime = field(default_factory=utc_now)
    id: str = field(default_factory=new_id)


class Uploads:
    """The uploads of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def add(self, upload: Upload) -> str:
        """Keep an upload whose content is already put, and give its id."""
        document = {
            "_id": upload.id,
            "schema_version": SCHEMA_VERSIONS[UPLOADS],
            "participant_id": upload.participant_id,
            "content_sha256": upload.content_sha256,
            "file_name": upload.file_name,
            "kind": upload.kind,
            "received_at": to_milliseconds(upload.received_at),
        }
        insert_once(self._database.collection(UPLOADS), document)
        return upload.id

    @idempotent
    def get(self, upload_id: str) -> Upload | None:
        """Give one upload; None if there is none."""
        document = self._database.collection(UPLOADS).find_one({"_id": upload_id})
        return None if document is None else _upload(document)

    @idempotent
    def of_participant(self, participant_id: str | None, since: datetime, until: datetime) -> tuple[Upload, ...]:
        """List the uploads received in `since <= received_at < until`, oldest first; None: of nobody."""
        window = {"participant_id": participant_id, "received_at": {"$gte": since, "$lt": until}}
        found = [_upload(document) for document in self._database.collection(UPLOADS).find(window)]
        return tuple(sorted(found, key=lambda upload: (upload.received_at, upload.id)))


def _upload(document: Document) -> Upload:
    return Upload(
        participant_id=document["participant_id"],
        content_sha256=document["content_sha256"],
        file_name=document["file_name"],
        kind=document["kind"],
        received_at=document["received_at"],
        id=document["_id"],
    )
