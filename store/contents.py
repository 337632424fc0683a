"""Bytes kept once by their content: images, and texts too large for a document of their own.

A small content is one document. A large one is cut into parts, which are written before the document that names
them; a crash in between leaves parts that nobody sees and that the next `put` of the same bytes uses again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from store.clock import utc_now
from store.connection import Database
from store.errors import DamagedError, mongo_errors
from store.repeat import idempotent, insert_once
from store.schema import CONTENT_PARTS, CONTENTS, SCHEMA_VERSIONS, Document

# MongoDB refuses documents over 16 MB; the rest is room for the other fields.
PART_SIZE: Final = 12_000_000


@dataclass(frozen=True)
class ContentRef:
    """What is known of a content without reading it: size in bytes, width and height in pixels."""

    sha256: str
    media_type: str
    size: int
    created_at: datetime
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class Content:
    """A content with its bytes."""

    ref: ContentRef
    data: bytes

    @property
    def text(self) -> str:
        """Give the bytes of a text content as the text that was put."""
        return self.data.decode("utf-8")


class Contents:
    """The contents of a database, found by the SHA-256 of their bytes (64 lower-case hex digits)."""

    def __init__(self, database: Database, *, part_size: int = PART_SIZE) -> None:
        self._database = database
        self._part_size = part_size

    @idempotent
    def put(
        self,
        content: bytes,
        media_type: str,
        *,
        width: int | None = None,
        height: int | None = None,
        is_new: bool = False,
    ) -> ContentRef:
        """Keep bytes once and say how to find them; the facts given with the first put stay.

        `is_new` says that the caller takes them for new ones: they are sent at once, without asking for them first.
        Raises StoreUnavailableError; the same put may then be repeated without harm.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        # Asked first, so that bytes that are here already do not travel a second time.
        known = None if is_new else self._wanted_again(sha256)
        if known is not None:
            return known
        ref = ContentRef(sha256, media_type, len(content), utc_now(), width, height)
        document = {
            "_id": sha256,
            "schema_version": SCHEMA_VERSIONS[CONTENTS],
            "media_type": media_type,
            "size": ref.size,
            "width": width,
            "height": height,
            "created_at": ref.created_at,
        }
        if len(content) <= self._part_size:
            document |= {"parts": 0, "content": content}
        else:
            document |= {"parts": self._put_parts(sha256, content)}
        # If another process was quicker, its facts count: a content has one set of them.
        heads = self._database.collection(CONTENTS)
        if insert_once(heads, document):
            return ref
        # None: it was there a moment ago, and has been removed with its participant since.
        return self._wanted_again(sha256) or self.put(content, media_type, width=width, height=height)

    def put_text(self, text: str, media_type: str = "application/json") -> ContentRef:
        """Keep a text as UTF-8; raise DocumentInvalidError on a lone surrogate."""
        with mongo_errors():
            encoded = text.encode("utf-8")
        return self.put(encoded, media_type)

    @idempotent
    def restore(self, facts: Document, data: bytes) -> None:
        """Keep bytes with facts that were read elsewhere: all fields of a content's document but the bytes."""
        if self._info(facts["_id"]) is not None:
            return
        if len(data) <= self._part_size:
            document = {**facts, "parts": 0, "content": data}
        else:
            document = {**facts, "parts": self._put_parts(facts["_id"], data)}
        insert_once(self._database.collection(CONTENTS), document)

    @idempotent
    def get(self, sha256: str) -> Content | None:
        """Read a content whole; None if it was never put, DamagedError if a part of it is missing."""
        document = self._database.collection(CONTENTS).find_one({"_id": sha256})
        if document is None:
            return None
        data = bytes(document["content"]) if not document["parts"] else self._get_parts(document)
        if len(data) != document["size"]:
            raise DamagedError(f"content {sha256} is not whole: {len(data)} of {document['size']} bytes")
        return Content(_ref(document), data)

    @idempotent
    def info(self, sha256: str) -> ContentRef | None:
        """Read what is known of a content without its bytes; None if it was never put."""
        return self._info(sha256)

    def exists(self, sha256: str) -> bool:
        """Say whether this content was put."""
        return self.info(sha256) is not None

    @idempotent
    def doom(self, sha256: str, by: str) -> None:
        """Mark a content as one that may go; who puts the same bytes again takes the mark away."""
        self._database.collection(CONTENTS).update_one({"_id": sha256}, {"$set": {"doomed_by": by}})

    @idempotent
    def spare(self, sha256: str) -> None:
        """Take the mark away."""
        self._spare(sha256)

    @idempotent
    def remove(self, sha256: str, by: str) -> bool:
        """Remove a content that has this mark still; False if it stays."""
        heads = self._database.collection(CONTENTS)
        heads.delete_one({"_id": sha256, "doomed_by": by})
        if heads.find_one({"_id": sha256}, {"_id": 1}) is not None:
            return False
        # After the head, so that nobody ever sees half a content; a second try goes on here.
        parts, number = self._database.collection(CONTENT_PARTS), 1
        while parts.delete_one({"_id": f"{sha256}/{number}"}).deleted_count:
            number += 1
        return True

    def _wanted_again(self, sha256: str) -> ContentRef | None:
        """Look for a content that somebody puts once more, and see to it that it stays."""
        document = self._database.collection(CONTENTS).find_one({"_id": sha256}, {"content": 0})
        if document is None:
            return None
        # Between the look and this, it may have been removed.
        if document.get("doomed_by") and not self._spare(sha256):
            return None
        return _ref(document)

    def _spare(self, sha256: str) -> bool:
        change = {"$unset": {"doomed_by": ""}}
        return self._database.collection(CONTENTS).update_one({"_id": sha256}, change).matched_count == 1

    def _info(self, sha256: str) -> ContentRef | None:
        # The projection matters: the document holds the bytes as well.
        document = self._database.collection(CONTENTS).find_one({"_id": sha256}, {"content": 0})
        return None if document is None else _ref(document)

    def _put_parts(self, sha256: str, content: bytes) -> int:
        """Write the parts of a large content and count them."""
        parts = self._database.collection(CONTENT_PARTS)
        starts = range(0, len(content), self._part_size)
        for number, start in enumerate(starts, start=1):
            part = {
                "_id": f"{sha256}/{number}",
                "schema_version": SCHEMA_VERSIONS[CONTENT_PARTS],
                "content": content[start : start + self._part_size],
            }
            insert_once(parts, part)
        return len(starts)

    def _get_parts(self, head: Document) -> bytes:
        parts = self._database.collection(CONTENT_PARTS)
        # One by one: an answer with all parts would be larger than what one reply may carry.
        documents = (parts.find_one({"_id": f"{head['_id']}/{n + 1}"}) for n in range(head["parts"]))
        return b"".join(document["content"] for document in documents if document is not None)


def _ref(document: Document) -> ContentRef:
    return ContentRef(
        sha256=document["_id"],
        media_type=document["media_type"],
        size=document["size"],
        created_at=document["created_at"],
        width=document["width"],
        height=document["height"],
    )
