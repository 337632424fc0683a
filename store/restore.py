"""Puts records back that `store.dump` gave out, as they were, into a database that has no study yet."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from store.connection import Database
from store.contents import Contents
from store.dump import SECRETS
from store.errors import DuplicateError
from store.repeat import idempotent
from store.schema import SESSIONS, STUDIES, Document


class Restore:
    """Puts the records of one study back. Each call may be repeated: what is there already stays as it is."""

    def __init__(self, database: Database, contents: Contents) -> None:
        self._database = database
        self._contents = contents

    @idempotent
    def studies(self) -> tuple[str, ...]:
        """List the studies that are here, but for a default study that nobody has used."""
        found = self._database.collection(STUDIES).find({}, {"is_default": 1})
        return tuple(sorted(one["_id"] for one in found if not (one.get("is_default") and self._is_unused(one["_id"]))))

    @idempotent
    def add(self, collection: str, documents: Sequence[Document]) -> None:
        """Put documents into a collection. Raises DuplicateError if another one has the id of one of them."""
        documents_in = self._database.collection(collection)
        ids = [one["_id"] for one in documents]
        there = {one["_id"]: one for one in documents_in.find({"_id": {"$in": ids}})}
        for one in documents:
            if there.get(one["_id"], one) != one:
                raise DuplicateError(f"another record of {collection} has the id {one['_id']} here")
        new = [one for one in documents if one["_id"] not in there]
        if new:
            documents_in.insert_many(new, ordered=False)

    def add_content(self, facts: Document, data: bytes) -> None:
        """Put the bytes of a content back with what is known of it."""
        self._contents.restore(facts, data)

    @idempotent
    def add_study(self, study: Document) -> None:
        """Put a study back, with a new link to join it in place of the one that was not passed on.

        It is written last: until then there is no study, and everything may be repeated.
        """
        studies = self._database.collection(STUDIES)
        if study.get("is_default"):
            studies.delete_one({"_id": study["_id"]})
        if studies.find_one({"_id": study["_id"]}, {"_id": 1}) is None:
            studies.insert_one({**study, **{name: secrets.token_urlsafe(16) for name in SECRETS[STUDIES]}})

    def _is_unused(self, study_id: str) -> bool:
        return self._database.collection(SESSIONS).find_one({"study_id": study_id}, {"_id": 1}) is None
