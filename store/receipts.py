"""Receipts of erasures: what was removed of a participant, by kind and number, and that a second look found nothing.

A receipt names nobody: of the participant it has the hash of the pseudonym alone. While an erasure is under way its
receipt also keeps what is still to be removed (`plan`), so that one that was broken off can be done again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from pymongo.collection import Collection

from store.clock import utc_now
from store.connection import Database
from store.ids import new_id
from store.repeat import idempotent, insert_once
from store.schema import RECEIPTS, SCHEMA_VERSIONS, Document

ReceiptState = Literal["running", "done"]
HIDDEN: Final = {"plan": 0}


@dataclass(frozen=True)
class Plan:
    """What an erasure is to remove: ids of records, and hashes that may be contents of this participant alone."""

    ids: frozenset[str] = frozenset()
    hashes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Receipt:
    """One erasure. `counts` has the number of removed documents by collection, `contents` the hashes of removed bytes.

    `left` counts what a second scan of all collections still found by collection; nothing when all is well.
    `confirmed_at` is the moment of that scan.
    """

    participant_hash: str
    requested_by: str
    id: str = field(default_factory=new_id)
    state: ReceiptState = "running"
    started_at: datetime = field(default_factory=utc_now)
    ended_at: datetime | None = None
    confirmed_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    contents: tuple[str, ...] = ()
    kept: int = 0
    left: Mapping[str, int] = field(default_factory=dict)


def hash_of(participant_id: str) -> str:
    """Give what a receipt has in the place of a pseudonym."""
    return hashlib.sha256(f"participant {participant_id}".encode()).hexdigest()


class Receipts:
    """The receipts of a database; they are few."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, participant_id: str, requested_by: str) -> Receipt:
        """Give the receipt of a participant's erasure that is under way, or a new one."""
        known = self.of_participant(participant_id)
        if known is not None and known.state == "running":
            return known
        return self._create(Receipt(hash_of(participant_id), requested_by))

    @idempotent
    def of_participant(self, participant_id: str) -> Receipt | None:
        """Give the newest receipt of a participant; None if nobody ever asked for one."""
        found = self._receipts().find({"participant_hash": hash_of(participant_id)}, HIDDEN)
        receipts = sorted((_receipt(one) for one in found), key=lambda one: one.id)
        return receipts[-1] if receipts else None

    @idempotent
    def all(self) -> tuple[Receipt, ...]:
        """List all receipts, newest first."""
        found = [_receipt(one) for one in self._receipts().find({}, HIDDEN)]
        return tuple(sorted(found, key=lambda one: one.id, reverse=True))

    @idempotent
    def plan(self, receipt_id: str) -> Plan:
        """Give what an erasure under way is to remove."""
        document = self._receipts().find_one({"_id": receipt_id}, {"plan": 1}) or {}
        plan = document.get("plan") or {}
        return Plan(frozenset(plan.get("ids", ())), frozenset(plan.get("hashes", ())))

    @idempotent
    def note(self, receipt_id: str, plan: Plan, counts: Mapping[str, int]) -> None:
        """Write what is going to be removed, before any of it is."""
        change = {"plan": {"ids": sorted(plan.ids), "hashes": sorted(plan.hashes)}, "counts": _pairs(counts)}
        self._receipts().update_one({"_id": receipt_id}, {"$set": change})

    def finish(
        self, receipt_id: str, *, counts: Mapping[str, int], contents: tuple[str, ...], kept: int,
        left: Mapping[str, int],
    ) -> None:  # fmt: skip
        """End an erasure; what it had to remove is forgotten, unless something is left."""
        self._finish(receipt_id, counts, contents, kept, left, utc_now())

    @idempotent
    def _finish(
        self, receipt_id: str, counts: Mapping[str, int], contents: tuple[str, ...], kept: int,
        left: Mapping[str, int], at: datetime,
    ) -> None:  # fmt: skip
        values: Document = {
            "state": "running" if left else "done",
            "counts": _pairs(counts),
            "contents": list(contents),
            "kept": kept,
            "left": _pairs(left),
            "ended_at": at,
            "confirmed_at": None if left else at,
        }
        forgotten: Document = {} if left else {"$set": {**values, "plan": None}}
        self._receipts().update_one({"_id": receipt_id}, forgotten or {"$set": values})

    @idempotent
    def _create(self, receipt: Receipt) -> Receipt:
        document = {
            "_id": receipt.id,
            "schema_version": SCHEMA_VERSIONS[RECEIPTS],
            "participant_hash": receipt.participant_hash,
            "requested_by": receipt.requested_by,
            "state": receipt.state,
            "started_at": receipt.started_at,
            "ended_at": None,
            "confirmed_at": None,
            "counts": [],
            "contents": [],
            "kept": 0,
            "left": [],
            "plan": None,
        }
        insert_once(self._receipts(), document)
        return receipt

    def _receipts(self) -> Collection[Document]:
        return self._database.collection(RECEIPTS)


def _pairs(counts: Mapping[str, int]) -> list[Document]:
    return [{"collection": name, "count": count} for name, count in sorted(counts.items())]


def _receipt(document: Document) -> Receipt:
    values = {name: document[name] for name in Receipt.__dataclass_fields__ if name in document}
    mappings = {name: {one["collection"]: one["count"] for one in document[name]} for name in ("counts", "left")}
    return Receipt(**{**values, **mappings, "id": document["_id"], "contents": tuple(document["contents"])})
