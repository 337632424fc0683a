"""What others than its owner do to a generation: cancel it, or take it from a runner that is dead or stopping.

Each of these raises the token, so that whatever the owner writes afterwards is refused.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from store.claims import TOUCHED, Claims, as_seen
from store.clock import utc_now
from store.documents import ErrorRecord, GenerationRecord, LogEntry, State
from store.errors import NotFoundError
from store.generation_documents import INDEX_FIELDS, appended, dump, to_record
from store.repeat import idempotent
from store.schema import Document

LIVING: Final[tuple[State, ...]] = ("queued", "running")
MAX_ATTEMPTS: Final = 2
"""A generation that took two runners down with it is not given to a third."""


class Takeovers(Claims):
    """The part of the generations of a database that does not need a claim."""

    @idempotent
    def cancel(self, generation_id: str, error: ErrorRecord | None = None) -> GenerationRecord:
        """End a generation that is queued or running as `canceled`; one that has ended is given as it is.

        Raises NotFoundError.
        """
        self._collection().update_one(_living(generation_id), _end_of("canceled", utc_now(), error))
        # If nothing matched, it has ended, be it by the first try of this very cancel.
        document = self._collection().find_one({"_id": generation_id}, INDEX_FIELDS)
        if document is None:
            raise NotFoundError(f"there is no generation {generation_id}")
        return to_record(document)

    def requeue(self, generation_id: str, owner: str) -> bool:
        """Put a generation of a dead or stopping runner back for another one; False if that is not to be done.

        One that is running goes back if it has made nothing yet and has not been tried twice.
        """
        seen = self._seen(generation_id)
        may_run_again = not seen["outputs"] and seen.get("attempt", MAX_ATTEMPTS) < MAX_ATTEMPTS
        goes_back = seen["state"] == "queued" or (seen["state"] == "running" and may_run_again)
        if seen["owner"] != owner or not goes_back:
            return False
        fields = {"owner": "", "state": "queued", "started_at": None, "live": None}
        update: Document = {"$set": fields, "$inc": {"token": 1}, **TOUCHED}
        if seen["state"] == "running":
            entry = LogEntry(seq=seen["revision"] + 1, type="state", at=utc_now(), state="queued")
            update |= {**appended((), (), (entry,)), "$inc": {"token": 1, "revision": 1}}
        return self._swap(as_seen(seen), update, {"owner": "", "token": seen.get("token", 0) + 1})

    def abandon(self, generation_id: str, owner: str, error: ErrorRecord) -> bool:
        """Mark failed what a dead runner left queued or running; False if it is no longer that runner's."""
        ended_at = utc_now()
        expected = {**_living(generation_id), "owner": owner}
        done = {"owner": owner, "state": "failed", "ended_at": ended_at}
        return self._swap(expected, _end_of("failed", ended_at, error), done)

    @idempotent
    def abandoned(self, owner: str) -> tuple[str, ...]:
        """List the ids of the generations that are queued or running in the hands of a (dead) runner."""
        # Two questions: with $in on the first field of the index the embedded server does not use it.
        found = (document["_id"] for state in LIVING for document in self._held(state, owner))
        return tuple(sorted(found))

    @idempotent
    def unclaimed(self, older_than_s: float, limit: int) -> tuple[str, ...]:
        """List the ids of the queued generations that nobody has had for so many seconds, oldest first.

        Of those that wait at most `limit` (one or more) are looked at. With more than that they are the oldest only as
        far as the server keeps equal keys of an index in the order in which the records came, as MongoDB does.
        """
        found = self._held("queued", "", limit)
        if older_than_s and found:
            latest = self._database.ago(older_than_s)
            found = [document for document in found if document.get("changed_at", latest) <= latest]
        return tuple(sorted(document["_id"] for document in found))

    def _held(self, state: State, owner: str, limit: int = 0) -> list[Document]:
        # Only the fields of one index: given a time as well, the embedded server would choose another. Nor is the
        # answer sorted there, for which all that wait would be read.
        return list(self._collection().find({"state": state, "owner": owner}, {"changed_at": 1}).limit(limit))


def _living(generation_id: str) -> Document:
    return {"_id": generation_id, "state": {"$in": list(LIVING)}}


def _end_of(state: State, ended_at: datetime, error: ErrorRecord | None) -> list[Document]:
    """Give the update that ends a record whatever its revision is, so that no owner can write faster than this."""
    revision = {"$add": ["$revision", 1]}
    entry = {**dump(LogEntry(seq=0, type="state", at=ended_at, state=state)), "seq": revision}
    fields: Document = {
        "state": state,
        "ended_at": ended_at,
        # Null if it never started.
        "duration_s": {"$divide": [{"$subtract": [ended_at, "$started_at"]}, 1000]},
        "live": None,
        # Records of the first version have neither of these two.
        "token": {"$add": [{"$ifNull": ["$token", 0]}, 1]},
        "log": {"$concatArrays": [{"$ifNull": ["$log", []]}, [entry]]},
        "revision": revision,
        "changed_at": "$$NOW",
    }
    if error is not None:
        # A message may look like the name of a field.
        fields["error"] = {"$literal": dump(error)}
    return [{"$set": fields}]
