"""Sums over sessions and studies, kept as JSON text. They can be made again from the records at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from store.connection import Database
from store.repeat import idempotent
from store.schema import SCHEMA_VERSIONS, SUMMARIES, Document


@dataclass(frozen=True)
class Summary:
    """The sums over what a session (or study) had at a moment of MongoDB's clock."""

    id: str
    study_id: str
    as_of: datetime
    numbers: str


class Summaries:
    """The sums of a database; `id` is a session's, or a study's for the sum over its sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def get(self, summary_id: str) -> Summary | None:
        """Give a sum; None if it was not made yet."""
        document = self._database.collection(SUMMARIES).find_one({"_id": summary_id})
        return None if document is None else _summary(document)

    @idempotent
    def of_study(self, study_id: str) -> Mapping[str, Summary]:
        """Give the sums of a study's sessions by their ids."""
        found = self._database.collection(SUMMARIES).find({"study_id": study_id})
        return {one["_id"]: _summary(one) for one in found if one["_id"] != study_id}

    @idempotent
    def put(self, summary: Summary) -> None:
        """Keep a sum in the place of an earlier one."""
        document = {
            "_id": summary.id,
            "schema_version": SCHEMA_VERSIONS[SUMMARIES],
            "study_id": summary.study_id,
            "as_of": summary.as_of,
            "numbers": summary.numbers,
        }
        self._database.collection(SUMMARIES).replace_one({"_id": summary.id}, document, upsert=True)


def _summary(document: Document) -> Summary:
    return Summary(document["_id"], document["study_id"], document["as_of"], document["numbers"])
