"""Small forms of kept pictures; they can be made again from the picture at any time."""

from __future__ import annotations

from datetime import datetime

from store.clock import utc_now
from store.connection import Database
from store.repeat import idempotent, insert_once
from store.schema import SCHEMA_VERSIONS, THUMBNAILS


class Thumbnails:
    """The thumbnails of a database, by the picture's sha256 and the length of the longest side."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def get(self, sha256: str, side: int) -> bytes | None:
        """Give a thumbnail's bytes; None if it was not made yet."""
        document = self._database.collection(THUMBNAILS).find_one({"_id": f"{sha256}/{side}"}, {"content": 1})
        return None if document is None else bytes(document["content"])

    def put(self, sha256: str, side: int, content: bytes) -> None:
        """Keep a thumbnail; the first one stays."""
        self._put(sha256, side, content, utc_now())

    @idempotent
    def remove(self, sha256: str) -> int:
        """Remove all thumbnails of a picture, and say how many there were."""
        return self._database.collection(THUMBNAILS).delete_many({"picture": sha256}).deleted_count

    @idempotent
    def _put(self, sha256: str, side: int, content: bytes, created_at: datetime) -> None:
        insert_once(
            self._database.collection(THUMBNAILS),
            {
                "_id": f"{sha256}/{side}",
                "schema_version": SCHEMA_VERSIONS[THUMBNAILS],
                "picture": sha256,
                "content": content,
                "created_at": created_at,
            },
        )
