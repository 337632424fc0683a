"""What the runner that owns a generation writes to its record.

Ownership is a claim: the runner's id with a token that rises whenever the work changes hands. Every write names its
claim and the revision it starts from, so that a runner that was given up cannot write over what came after it, and
a write that is sent twice happens once. Each write is one update, whatever it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any, Final, Literal

from pymongo.collection import Collection

from store.clock import to_milliseconds, utc_now
from store.connection import Database
from store.documents import ErrorRecord, GenerationRecord, Live, LogEntry, Output, State, StepRecord
from store.errors import NotFoundError, OwnershipLostError
from store.generation_documents import appended, dump
from store.repeat import idempotent
from store.schema import GENERATIONS, Document

# The server's clock is one for all hosts, so readers can ask for what changed since a moment.
TOUCHED: Final[Document] = {"$currentDate": {"changed_at": True}}
HEAD: Final[Document] = {
    **dict.fromkeys(("state", "owner", "token", "revision", "attempt", "started_at"), 1),
    "outputs.kind": 1,
}


@dataclass(frozen=True)
class Claim:
    """The right of a runner to write to a generation, as of a revision; each write gives the claim for the next.

    `started_at` is None while it is queued, `outputs` the number of results that its record holds.
    """

    generation_id: str
    owner: str
    token: int
    revision: int
    started_at: datetime | None = None
    outputs: int = 0


@dataclass(frozen=True)
class _Change:
    """One update of a record: the claim it needs, the claim it leads to, and its entries in the log."""

    before: Claim
    after: Claim
    entries: tuple[LogEntry, ...]
    update: Document


class Claims:
    """The owner's part of the generations of a database; `owner` is the id of a runner."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, generation_id: str, owner: str) -> Claim:
        """Take a queued generation that nobody has. Raises OwnershipLostError if somebody has it or it has ended."""
        seen = self._seen(generation_id)
        if seen["state"] != "queued" or seen["owner"]:
            raise _lost(seen)
        claim = Claim(generation_id, owner, int(seen.get("token", 0)) + 1, seen["revision"])
        update = {"$set": {"owner": owner}, "$inc": {"token": 1, "attempt": 1}, **TOUCHED}
        if not self._swap(as_seen(seen), update, {"owner": owner, "token": claim.token}):
            raise _lost(self._seen(generation_id))
        return claim

    def claim_of(self, record: GenerationRecord) -> Claim:
        """Give the claim of the owner that stands in a record just inserted or read; nothing is asked or written.

        It is also how an owner whose write failed half-way finds out where the record stands.
        """
        return Claim(
            record.id, record.owner, record.token, record.revision, record.started_at, outputs=len(record.outputs)
        )

    def write(
        self,
        claim: Claim,
        *,
        state: Literal["running"] | None = None,
        steps: Sequence[StepRecord] = (),
        outputs: Sequence[Output] = (),
        started_at: datetime | None = None,
    ) -> Claim:
        """Add what happened to a generation that is queued or running, and give the claim for the next write.

        `started_at` says when it began to run, if not now. A write whose answer got lost may be repeated with the
        same arguments. Raises OwnershipLostError if it is no longer this claim's; then nothing of it is kept.
        """
        began_at = started_at or (utc_now() if state == "running" else None)
        return self._send(_change(claim, began_at, steps, outputs))

    def finish(
        self,
        claim: Claim,
        *,
        steps: Sequence[StepRecord] = (),
        outputs: Sequence[Output] = (),
        times: Mapping[str, float] | None = None,
        started_at: datetime | None = None,
    ) -> Claim:
        """End a generation well, with what is not yet written of it; it may still be queued.

        Raises OwnershipLostError as `write` does.
        """
        began_at = started_at or utc_now()
        return self._send(_change(claim, began_at, steps, outputs, "succeeded", {"times": dict(times or {})}))

    def fail(
        self,
        claim: Claim,
        error: ErrorRecord,
        *,
        steps: Sequence[StepRecord] = (),
        outputs: Sequence[Output] = (),
        times: Mapping[str, float] | None = None,
        started_at: datetime | None = None,
    ) -> Claim:
        """End a generation with an error, with what is not yet written of it; what was made is kept.

        Without `started_at` one that is still queued never started. Raises OwnershipLostError as `write` does.
        """
        ending = {"error": dump(error), "times": dict(times or {})}
        return self._send(_change(claim, started_at, steps, outputs, "failed", ending))

    @idempotent
    def set_live(self, claim: Claim, live: Live) -> None:
        """Say how far a generation is, for readers elsewhere; nothing happens if it is no longer this claim's."""
        # The end of it clears this field, and a late report must not bring it back.
        expected = {"_id": claim.generation_id, "owner": claim.owner, "token": claim.token, "ended_at": None}
        self._collection().update_one(expected, {"$set": {"live": dump(live)}, **TOUCHED})

    @idempotent
    def _send(self, change: _Change) -> Claim:
        before, entries = change.before, change.entries
        if not entries:
            return before
        # update_one and not find_one_and_update: the embedded server scans the whole collection for the latter.
        collection = self._collection()
        expected = {"owner": before.owner, "token": before.token, "revision": before.revision, "ended_at": None}
        if collection.update_one({"_id": before.generation_id, **expected}, change.update).matched_count:
            return change.after
        # Nothing matched: either the first try of this very change got through, or it is not ours to make.
        now = collection.find_one({"_id": before.generation_id}, {**HEAD, "log": {"$slice": -len(entries)}})
        if now is None:
            raise NotFoundError(f"there is no generation {before.generation_id}")
        is_ours = (now["owner"], now.get("token"), now["revision"]) == (
            before.owner,
            before.token,
            change.after.revision,
        )
        if is_ours and [_mark(entry) for entry in now["log"]] == [_mark(entry.model_dump()) for entry in entries]:
            return change.after
        raise _lost(now)

    @idempotent
    def _seen(self, generation_id: str) -> Document:
        seen = self._collection().find_one({"_id": generation_id}, HEAD)
        if seen is None:
            raise NotFoundError(f"there is no generation {generation_id}")
        return seen

    def _swap(self, expected: Document, update: Document | list[Document], done: Document) -> bool:
        """Change the record that is as expected; False if it is not, and this very change is not why.

        `done` tells our change from others' when the answer to a first try got lost.
        """
        tries = count()

        @idempotent
        def swap() -> bool:
            is_repeat = next(tries) > 0
            collection = self._collection()
            if collection.update_one(expected, update).matched_count:
                return True
            return is_repeat and collection.find_one({"_id": expected["_id"], **done}, {"_id": 1}) is not None

        return swap()

    def _collection(self) -> Collection[Document]:
        return self._database.collection(GENERATIONS)


def _change(
    claim: Claim,
    began_at: datetime | None,
    steps: Sequence[StepRecord],
    outputs: Sequence[Output],
    end: State | None = None,
    ending: Document | None = None,
) -> _Change:
    """Put a write together; a beginning counts only once."""
    now, fields = utc_now(), dict(ending or {})
    happened: list[dict[str, Any]] = []
    started_at = claim.started_at
    if began_at is not None and started_at is None:
        started_at = to_milliseconds(began_at)
        fields = {"state": "running", "started_at": started_at, **fields}
        happened.append({"type": "state", "state": "running", "at": started_at})
    happened += [{"type": "step", "step": step.id} for step in steps]
    happened += [{"type": "output", "output": claim.outputs + position} for position in range(len(outputs))]
    if end is not None:
        happened.append({"type": "state", "state": end})
        duration_s = None if started_at is None else (now - started_at).total_seconds()
        fields |= {"state": end, "ended_at": now, "duration_s": duration_s, "live": None}
    entries = tuple(
        LogEntry.model_validate({"seq": seq, "at": now, **fact})
        for seq, fact in enumerate(happened, claim.revision + 1)
    )
    revision = claim.revision + len(entries)
    after = replace(claim, revision=revision, started_at=started_at, outputs=claim.outputs + len(outputs))
    update = {**appended(steps, outputs, entries), "$inc": {"revision": len(entries)}, **TOUCHED}
    return _Change(claim, after, entries, {**update, "$set": fields} if fields else update)


def as_seen(document: Document) -> Document:
    """Give the question for a record that nobody has changed since it was read."""
    # A record of the first version has no token, which MongoDB takes for None.
    return {key: document.get(key) for key in ("_id", "owner", "token", "revision")}


def _mark(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give what tells an entry from another, however late it is sent again."""
    return tuple(entry[field] for field in ("seq", "type", "state", "step", "output"))


def _lost(now: Document) -> OwnershipLostError:
    return OwnershipLostError(
        f"generation {now['_id']} is {now['state']} at revision {now['revision']} in the hands of"
        f" {now['owner'] or 'nobody'}; what this runner made for it is not kept",
        state=now["state"],
        owner=now["owner"],
    )
