"""Looks for ids and hashes in all collections, wherever in a document they stand.

What refers to a picture does so in many places: inputs, outputs, details of steps, events, saved workspaces. Instead of
a list of them, which a later field would make wrong, the bytes of the documents themselves are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from store.connection import Database
from store.contents import Contents
from store.dump import in_batches
from store.errors import mongo_errors
from store.repeat import idempotent
from store.schema import (
    CONTENT_PARTS,
    CONTENTS,
    GENERATIONS,
    INDEX_BUILDS,
    RECEIPTS,
    SAVED_STATES,
    SCHEMA_VERSIONS,
    SUBJECTS,
    THUMBNAILS,
    UPLOADS,
    Document,
)

HASH: Final = re.compile(rb"[0-9a-f]{64}")
ID: Final = re.compile(rb"[0-9A-HJKMNP-TV-Z]{26}")
BY_CONTENT: Final = (CONTENTS, CONTENT_PARTS, THUMBNAILS, SUBJECTS)
"""Collections whose documents are named by a hash, and refer to nothing."""
READ: Final = tuple(name for name in sorted(SCHEMA_VERSIONS) if name not in (*BY_CONTENT, RECEIPTS, INDEX_BUILDS))
RAW: Final[CodecOptions[RawBSONDocument]] = CodecOptions(document_class=RawBSONDocument, tz_aware=True, tzinfo=UTC)


class Traces:
    """Reads a database for what is left of something."""

    def __init__(self, database: Database, contents: Contents) -> None:
        self._database = database
        self._contents = contents

    def hashes_used(self, wanted: frozenset[str], since: datetime) -> frozenset[str]:
        """Give those of these hashes that stand in any record, or in the text of a saved workspace.

        An upload of which nobody knows the sender does not count if it came before `since`.
        """
        found: set[str] = set()
        for name in READ:
            texts: set[str] = set()
            for document in self._documents(name):
                here = hashes_in(document.raw)
                found |= set() if name == UPLOADS and _is_nobodys(document, since) else here & wanted
                texts |= here if name == SAVED_STATES else set()
            for text in self._texts(texts):
                found |= hashes_in(text) & wanted
        return frozenset(found)

    def ids_left(self, wanted: frozenset[str]) -> dict[str, int]:
        """Count the documents in which one of these ids stands, by collection."""
        found: dict[str, int] = {}
        for name in READ:
            number = sum(not wanted.isdisjoint(ids_in(one.raw)) for one in self._documents(name))
            if number:
                found[name] = number
        return found

    def hashes_left(self, gone: frozenset[str]) -> dict[str, int]:
        """Count what is still kept under these hashes, by collection."""
        found: dict[str, int] = {}
        for some in in_batches(sorted(gone)):
            for name, query in (
                (CONTENTS, {"_id": {"$in": list(some)}}),
                (CONTENT_PARTS, {"_id": {"$in": [f"{sha256}/1" for sha256 in some]}}),
                (THUMBNAILS, {"picture": {"$in": list(some)}}),
                (SUBJECTS, {"_id": {"$in": list(some)}}),
            ):
                number = self._count(name, query)
                if number:
                    found[name] = found.get(name, 0) + number
        return found

    def kept_under(self, hashes: frozenset[str]) -> frozenset[str]:
        """Give those of these hashes that are contents or subjects."""
        found: set[str] = set()
        for some in in_batches(sorted(hashes)):
            found |= self._ids(CONTENTS, some) | self._ids(SUBJECTS, some)
        return frozenset(found)

    def generations_naming(self, ids: frozenset[str]) -> tuple[str, ...]:
        """List the generations in which one of these ids stands."""
        return tuple(one["_id"] for one in self._documents(GENERATIONS) if not ids.isdisjoint(ids_in(one.raw)))

    def _texts(self, hashes: set[str]) -> Iterator[bytes]:
        for sha256 in sorted(hashes):
            content = self._contents.get(sha256)
            if content is not None:
                yield content.data

    @idempotent
    def _count(self, name: str, query: Document) -> int:
        return sum(1 for _ in self._database.collection(name).find(query, {"_id": 1}))

    @idempotent
    def _ids(self, name: str, ids: tuple[str, ...]) -> set[str]:
        found = self._database.collection(name).find({"_id": {"$in": list(ids)}}, {"_id": 1})
        return {str(one["_id"]) for one in found}

    def _documents(self, name: str) -> Iterator[RawBSONDocument]:
        with mongo_errors():
            yield from self._database.collection(name).with_options(codec_options=RAW).find({})


def _is_nobodys(upload: RawBSONDocument, since: datetime) -> bool:
    return upload["participant_id"] is None and bool(upload["received_at"] < since)


def hashes_in(raw: bytes | memoryview) -> set[str]:
    """Give all hashes that stand in some bytes."""
    return {match.decode() for match in HASH.findall(raw)}


def ids_in(raw: bytes | memoryview) -> set[str]:
    """Give all ids that stand in some bytes."""
    return {match.decode() for match in ID.findall(raw)}
