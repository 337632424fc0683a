"""The keys by which a client marks a submission, so that one that is sent twice is run once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from store.clock import utc_now
from store.connection import Database
from store.errors import StoreUnavailableError
from store.indexes import SUBMISSION_KEYS_KEPT_FOR_S
from store.repeat import idempotent, insert_once
from store.schema import SCHEMA_VERSIONS, SUBMISSION_KEYS, Document

TRIES: Final = 5


@dataclass(frozen=True)
class SubmissionKey:
    """The submission that a key stands for: the hash of its body, and the generation that came of it."""

    key_hash: str
    body_hash: str
    generation_id: str
    created_at: datetime


class SubmissionKeys:
    """The keys of the last 24 hours, by their hash."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def put(self, key_hash: str, body_hash: str, generation_id: str) -> SubmissionKey:
        """Keep a key and give the submission that it stands for: the first one's, which may be another.

        It is this one if its `generation_id` is; another `body_hash` means that the key was used for something else.
        """
        keys = self._database.collection(SUBMISSION_KEYS)
        fresh: Document = {
            "schema_version": SCHEMA_VERSIONS[SUBMISSION_KEYS],
            "body_hash": body_hash,
            "generation_id": generation_id,
            "created_at": utc_now(),
        }
        for _ in range(TRIES):
            if insert_once(keys, {"_id": key_hash, **fresh}):
                return _key({"_id": key_hash, **fresh})
            found = keys.find_one({"_id": key_hash})
            if found is not None and not _is_old(found):
                return _key(found)
            # MongoDB removes what is too old only now and then. Of several that find it here, one takes its place.
            if found is not None:
                keys.update_one({"_id": key_hash, "generation_id": found["generation_id"]}, {"$set": fresh})
        raise StoreUnavailableError("the key of this submission is taken and freed again all the time; try again")

    @idempotent
    def forget(self, key_hash: str, generation_id: str) -> None:
        """Free a key whose submission was refused, if it still stands for this generation."""
        self._database.collection(SUBMISSION_KEYS).delete_one({"_id": key_hash, "generation_id": generation_id})


def _is_old(document: Document) -> bool:
    return bool(utc_now() - document["created_at"] >= timedelta(seconds=SUBMISSION_KEYS_KEPT_FOR_S))


def _key(document: Document) -> SubmissionKey:
    return SubmissionKey(
        key_hash=document["_id"],
        body_hash=document["body_hash"],
        generation_id=document["generation_id"],
        created_at=document["created_at"],
    )
