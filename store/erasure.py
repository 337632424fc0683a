"""Removes all that is kept of one participant, and the pictures and texts that nobody else's record uses.

The order makes it repeatable: first the name, so that nobody comes back to the old pseudonym; then a plan of all that
is to go is written to the receipt; then the records go, then the contents, and last the participant. A content is
marked, looked for once more in everything that is left, and removed only if the mark is still there: whoever puts the
same bytes meanwhile takes it away. A crash at any place is mended by doing all of it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from store.connection import Database
from store.contents import Contents
from store.dump import in_batches
from store.receipts import Plan, Receipt, Receipts
from store.repeat import idempotent
from store.schema import (
    ASSIGNMENTS,
    EVENTS,
    GENERATIONS,
    PARTICIPANT_NAMES,
    PARTICIPANTS,
    REPLAY_ITEMS,
    REPLAYS,
    SAVED_STATES,
    SESSIONS,
    SUBJECTS,
    SUBMISSION_KEYS,
    SUMMARIES,
    THUMBNAILS,
    TIME_RECORDS,
    UPLOADS,
    Document,
)
from store.traces import RAW, Traces, hashes_in

SETTLED_AFTER_S: Final = 1.0
"""After so long a record that was on its way at the start is there, and can be seen."""
ROUNDS: Final = 3

Step = Callable[[str], None]
"""Hears what is done next."""


@dataclass(frozen=True)
class Owned:
    """What belongs to a participant: whose records these are, and the studies that they are in."""

    participant_ids: tuple[str, ...]
    session_ids: tuple[str, ...]
    replay_ids: tuple[str, ...]
    study_ids: tuple[str, ...]
    living: tuple[str, ...]


class Erasure:
    """Erases participants of a database. `told` hears of each step before it is taken."""

    def __init__(self, database: Database, contents: Contents, settled_after_s: float = SETTLED_AFTER_S) -> None:
        self._database = database
        self._contents = contents
        self._traces = Traces(database, contents)
        self._receipts = Receipts(database)
        self._settled_after_s = settled_after_s

    @idempotent
    def owned(self, participant_id: str) -> Owned:
        """Say what belongs to a participant; `living` are the generations that have not ended."""
        replays = self._find(REPLAYS, {"participant_id": participant_id}, "study_id")
        replay_ids = tuple(one["_id"] for one in replays)
        sessions = self._find(SESSIONS, {"participant_id": participant_id}, "study_id")
        owners = (participant_id, *replay_ids)
        generations = [
            one for owner in owners for one in self._find(GENERATIONS, {"participant_id": owner}, "state", "study_id")
        ]
        studies = {one.get("study_id", "") for one in (*sessions, *generations)} - {""}
        return Owned(
            owners,
            tuple(one["_id"] for one in sessions),
            replay_ids,
            tuple(sorted(studies)),
            tuple(one["_id"] for one in generations if one["state"] in ("queued", "running")),
        )

    @idempotent
    def is_known(self, participant_id: str) -> bool:
        """Say whether there is such a participant, or an erasure of one that was broken off."""
        there = self._database.collection(PARTICIPANTS).find_one({"_id": participant_id}, {"_id": 1})
        named = self._database.collection(PARTICIPANT_NAMES).find_one({"participant_id": participant_id})
        known = self._receipts.of_participant(participant_id)
        return there is not None or named is not None or (known is not None and known.state == "running")

    @idempotent
    def forget_name(self, participant_id: str) -> None:
        """Part a participant from the name: from now on it stands for somebody new."""
        self._database.collection(PARTICIPANT_NAMES).delete_many({"participant_id": participant_id})

    def erase(self, receipt: Receipt, participant_id: str, told: Step = lambda _: None) -> Receipt:
        """Erase a participant whose generations have been canceled, and give the receipt.

        It may be called again after any failure. `left` of the receipt is empty when a second scan finds nothing.
        """
        told("name")
        self.forget_name(participant_id)
        time.sleep(self._settled_after_s)
        plan, counts, left = Plan(), dict(receipt.counts), dict[str, int]()
        contents, kept = tuple[str, ...](), 0
        for _ in range(ROUNDS):
            told("plan")
            plan, counts = self._planned(receipt, participant_id, counts)
            told("records")
            self._remove_records(participant_id, plan, told)
            contents, kept = self._remove_contents(receipt, plan, told)
            told("participant")
            self._delete(PARTICIPANTS, {"_id": participant_id})
            told("scan")
            left = self._left(plan, frozenset(contents))
            if not left:
                break
        told("receipt")
        self._receipts.finish(receipt.id, counts=counts, contents=contents, kept=kept, left=left)
        return self._receipts.of_participant(participant_id) or receipt

    def _planned(self, receipt: Receipt, participant_id: str, counts: dict[str, int]) -> tuple[Plan, dict[str, int]]:
        """Find what is to go, and write it down together with what an earlier try wrote."""
        known = self._receipts.plan(receipt.id)
        ids, hashes = {participant_id, *known.ids}, set(known.hashes)
        # What an earlier try has removed is counted already; what it has not is found again.
        now = dict.fromkeys((PARTICIPANTS, PARTICIPANT_NAMES), 1)
        for name, query in self._queries(participant_id):
            found = self._raw_of(name, query)
            now[name] = now.get(name, 0) + len(found)
            for one_id, raw in found:
                # A study's sum goes as well, but its id stays in use.
                ids |= set() if name == SUMMARIES else {one_id}
                hashes |= hashes_in(raw)
                hashes |= self._inside(raw) if name == SAVED_STATES else set()
        hashes = set(self._traces.kept_under(frozenset(hashes))) | set(known.hashes)
        own = {one for one in ids if "/" not in one}
        plan = Plan(frozenset(own), frozenset(hashes))
        most = {name: max(number, counts.get(name, 0)) for name, number in now.items() if number}
        merged = {**counts, **most}
        self._receipts.note(receipt.id, plan, merged)
        return plan, merged

    def _queries(self, participant_id: str) -> list[tuple[str, Document]]:
        owned = self.owned(participant_id)
        owners = sorted({*owned.participant_ids})
        sessions = sorted({participant_id, *owned.session_ids})
        found: list[tuple[str, Document]] = [(SESSIONS, {"participant_id": participant_id})]
        found += [(name, {"participant_id": participant_id}) for name in (SAVED_STATES, TIME_RECORDS, UPLOADS)]
        found += [(GENERATIONS, {"participant_id": owner}) for owner in owners]
        found += [(EVENTS, {"session_id": session}) for session in sessions]
        found += [(ASSIGNMENTS, {"session_id": session}) for session in sessions]
        found += [(SUMMARIES, {"_id": one}) for one in (*sessions, *owned.study_ids)]
        found += [(REPLAY_ITEMS, {"replay_id": replay}) for replay in owned.replay_ids]
        found += [(REPLAYS, {"participant_id": participant_id})]
        return found

    def _remove_records(self, participant_id: str, plan: Plan, told: Step) -> None:
        told(SUBMISSION_KEYS)
        for some in in_batches(sorted(plan.ids)):
            self._delete(SUBMISSION_KEYS, {"generation_id": {"$in": list(some)}})
        queries = self._queries(participant_id)
        # The sessions and replays last: by them the others are found.
        for name, query in sorted(queries, key=lambda one: one[0] in (SESSIONS, REPLAYS)):
            told(name)
            self._delete(name, query)
        told("references")
        for generation_id in self._traces.generations_naming(plan.ids):
            self._forget_origin(generation_id, plan.ids)

    def _remove_contents(self, receipt: Receipt, plan: Plan, told: Step) -> tuple[tuple[str, ...], int]:
        """Remove what nobody uses; give its hashes, and the number of contents that stay for others."""
        told("marks")
        for sha256 in sorted(plan.hashes):
            self._contents.doom(sha256, receipt.id)
        time.sleep(self._settled_after_s)
        used = self._traces.hashes_used(plan.hashes, receipt.started_at)
        gone: list[str] = []
        told("contents")
        for sha256 in sorted(plan.hashes):
            if sha256 in used or not self._contents.remove(sha256, receipt.id):
                self._contents.spare(sha256)
                continue
            gone.append(sha256)
            told("content")
            self._delete(THUMBNAILS, {"picture": sha256})
            self._delete(SUBJECTS, {"_id": sha256})
        for some in in_batches(gone):
            # Their sender is not known; but who used them is gone, and nobody else does.
            before = {"participant_id": None, "received_at": {"$lt": receipt.started_at + timedelta(milliseconds=1)}}
            self._delete(UPLOADS, {"content_sha256": {"$in": list(some)}, **before})
        return tuple(gone), len(plan.hashes) - len(gone)

    def _left(self, plan: Plan, gone: frozenset[str]) -> dict[str, int]:
        found = self._traces.ids_left(plan.ids)
        for name, number in self._traces.hashes_left(gone).items():
            found[name] = found.get(name, 0) + number
        return found

    def _inside(self, raw: bytes) -> set[str]:
        """Give the hashes that stand in the texts that a record names."""
        texts = (self._contents.get(sha256) for sha256 in hashes_in(raw))
        return {name for text in texts if text is not None for name in hashes_in(text.data)}

    @idempotent
    def _forget_origin(self, generation_id: str, ids: frozenset[str]) -> None:
        """Take the erased out of a record of somebody else, who repeated or continued one of theirs."""
        generations = self._database.collection(GENERATIONS)
        generations.update_one({"_id": generation_id}, {"$pull": {"parents": {"$in": sorted(ids)}}})
        generations.update_one({"_id": generation_id, "rerun_of": {"$in": sorted(ids)}}, {"$set": {"rerun_of": ""}})

    @idempotent
    def _find(self, name: str, query: Document, *fields: str) -> list[Document]:
        return list(self._database.collection(name).find(query, dict.fromkeys(("_id", *fields), 1)))

    @idempotent
    def _raw_of(self, name: str, query: Document) -> list[tuple[str, bytes]]:
        found = self._database.collection(name).with_options(codec_options=RAW).find(query)
        return [(str(one["_id"]), bytes(one.raw)) for one in found]

    @idempotent
    def _delete(self, name: str, query: Document) -> None:
        self._database.collection(name).delete_many(query)
