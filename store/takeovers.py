"""What others than its owner do to a generation: cancel it, or take it from a runner that is dead or stopping.

Each of these raises the token, so that whatever the owner writes afterwards is refused.
"""

from __future__ import annotations

from typing import Final

from store.claims import TOUCHED, Claims, ended
from store.clock import utc_now
from store.documents import ENDED, ErrorRecord, GenerationRecord, LogEntry, State
from store.errors import NotFoundError, StoreUnavailableError
from store.generation_documents import INDEX_FIELDS, appended, dump, to_record
from store.repeat import idempotent
from store.schema import Document

CANCEL_TRIES: Final = 20
MAX_ATTEMPTS: Final = 2
"""A generation that took two runners down with it is not given to a third."""


class Takeovers(Claims):
    """The part of the generations of a database that does not need a claim."""

    @idempotent
    def cancel(self, generation_id: str, error: ErrorRecord | None = None) -> GenerationRecord:
        """End a generation that is queued or running as `canceled`; one that has ended is given as it is.

        Raises NotFoundError, and StoreUnavailableError if its owner writes faster than this can.
        """
        for _ in range(CANCEL_TRIES):
            document = self._collection().find_one({"_id": generation_id}, INDEX_FIELDS)
            if document is None:
                raise NotFoundError(f"there is no generation {generation_id}")
            if document["state"] in ENDED:
                return to_record(document)
            # Whether this gets through or another change was first, the next look says.
            self._swap(document, _end_of(document, "canceled", error), {})
        raise StoreUnavailableError(
            f"generation {generation_id} changed {CANCEL_TRIES} times while it was to be canceled; try again"
        )

    def requeue(self, generation_id: str, owner: str) -> bool:
        """Put a generation of a dead or stopping runner back for another one; False if that is not to be done.

        One that is running goes back if it has made nothing yet and has not been tried twice.
        """
        seen = self._seen(generation_id)
        is_untouched = not seen["outputs"] and seen.get("attempt", MAX_ATTEMPTS) < MAX_ATTEMPTS
        if seen["owner"] != owner or not (seen["state"] == "queued" or (seen["state"] == "running" and is_untouched)):
            return False
        fields = {"owner": "", "state": "queued", "started_at": None, "live": None}
        update: Document = {"$set": fields, "$inc": {"token": 1}, **TOUCHED}
        if seen["state"] == "running":
            update = _with_entry(seen, "queued", update)
        return self._swap(seen, update, {"owner": "", "token": seen.get("token", 0) + 1})

    def abandon(self, generation_id: str, owner: str, error: ErrorRecord) -> bool:
        """Mark failed what a dead runner left queued or running; False if it is no longer that runner's."""
        seen = self._seen(generation_id)
        if seen["owner"] != owner or seen["state"] in ENDED:
            return False
        return self._swap(seen, _end_of(seen, "failed", error), {"state": "failed", "token": seen.get("token", 0) + 1})

    @idempotent
    def abandoned(self, owner: str) -> tuple[str, ...]:
        """List the ids of the generations that are queued or running in the hands of a (dead) runner."""
        # Two questions: with $in on the first field of the index the embedded server does not use it.
        found = [document["_id"] for state in ("queued", "running") for document in self._held(state, owner)]
        return tuple(sorted(found))

    def unclaimed(self, older_than_s: float = 0) -> tuple[str, ...]:
        """List the ids of the queued generations that nobody has had for so many seconds, oldest first."""
        now_ms = self._database.server_time_ms() if older_than_s else 0
        return tuple(
            sorted(
                document["_id"]
                for document in self._queued_by_nobody()
                if not older_than_s or now_ms - document["changed_at"].timestamp() * 1000 >= older_than_s * 1000
            )
        )

    @idempotent
    def _queued_by_nobody(self) -> list[Document]:
        return self._held("queued", "")

    def _held(self, state: State, owner: str) -> list[Document]:
        # Only the fields of one index: given a time as well, the embedded server would choose another.
        return list(self._collection().find({"state": state, "owner": owner}, {"changed_at": 1}))


def _end_of(seen: Document, state: State, error: ErrorRecord | None) -> Document:
    fields = ended(state, utc_now(), seen.get("started_at"))
    if error is not None:
        fields["error"] = dump(error)
    return _with_entry(seen, state, {"$set": fields, "$inc": {"token": 1}, **TOUCHED})


def _with_entry(seen: Document, state: State, update: Document) -> Document:
    """Add the entry of a change of state to an update."""
    entry = LogEntry(seq=seen["revision"] + 1, type="state", at=utc_now(), state=state)
    return {**update, **appended((), (), (entry,)), "$inc": {**update["$inc"], "revision": 1}}
