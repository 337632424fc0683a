"""Replays of sessions: which generations are run once more, who sees to it, and what was found about each.

A replay has one driver at a time, named in its document with a sign of life. Every write of a driver names it, so that
one that was given up, or whose replay was canceled, writes nothing more. The id of each new generation is chosen before
it is made; so whoever goes on with a replay whose driver was killed finds what was made already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from pymongo.collection import Collection

from store.clock import utc_now
from store.connection import Database
from store.ids import new_id
from store.repeat import idempotent, insert_once
from store.schema import REPLAY_ITEMS, REPLAYS, SCHEMA_VERSIONS, Document

ReplayState = Literal["waiting", "running", "done", "failed", "canceled"]
ItemState = Literal["waiting", "running", "done"]
OPEN: Final[tuple[ReplayState, ...]] = ("waiting", "running")
"""The states that something follows."""
LAST: Final = 10_000_000
"""More items than any replay has."""


@dataclass(frozen=True)
class Replay:
    """One replay of a session; `participant_id` is the session's. Its generations carry its id as `replay_id`.

    `changes` is what is done otherwise than in the session, as JSON text; `tallies` how many items, pictures and texts
    had which verdict, by a name such as `items.equal`.
    """

    session_id: str
    study_id: str
    participant_id: str
    requested_by: str
    changes: str
    at_once: int
    total: int
    id: str = field(default_factory=new_id)
    state: ReplayState = "waiting"
    error: str = ""
    done: int = 0
    tallies: Mapping[str, int] = field(default_factory=dict)
    driver: str = ""
    driven_at: datetime | None = None
    created_at: datetime = field(default_factory=utc_now)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True)
class ReplayItem:
    """One generation of a session in its replay; `number` counts from 1 in the session's order.

    `verdict` is empty until it is judged, `judgement` is what was found then, as JSON text.
    """

    number: int
    generation_id: str
    new_generation_id: str
    state: ItemState = "waiting"
    verdict: str = ""
    judgement: str = ""


class Replays:
    """The replays of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def create(self, asked: Replay, generation_ids: Sequence[str]) -> Replay:
        """Keep a new replay of these generations, in their order, and give it with their number."""
        items = [_item_document(asked, number, name) for number, name in enumerate(generation_ids, start=1)]
        # The items first: a replay that can be found is whole. A second try finds those of the first one.
        self._items().delete_many({"replay_id": asked.id})
        if items:
            self._items().insert_many(items)
        kept = replace(asked, total=len(items))
        insert_once(self._replays(), _document(kept))
        return kept

    @idempotent
    def get(self, replay_id: str) -> Replay | None:
        """Give a replay; None if there is none."""
        document = self._replays().find_one({"_id": replay_id})
        return None if document is None else _replay(document)

    @idempotent
    def of_session(self, session_id: str) -> tuple[Replay, ...]:
        """List the replays of a session, newest first."""
        found = [_replay(document) for document in self._replays().find({"session_id": session_id})]
        return tuple(sorted(found, key=lambda one: one.id, reverse=True))

    @idempotent
    def ids_of(self, participant_id: str) -> tuple[str, ...]:
        """List the ids of all replays of a participant's sessions."""
        found = self._replays().find({"participant_id": participant_id}, {"_id": 1})
        return tuple(sorted(document["_id"] for document in found))

    @idempotent
    def items(self, replay_id: str, after: int = 0, until: int = LAST) -> tuple[ReplayItem, ...]:
        """List the items of a replay with `after < number <= until`, in their order."""
        window = {"replay_id": replay_id, "number": {"$gt": after, "$lte": until}}
        found = [_item(document) for document in self._items().find(window)]
        return tuple(sorted(found, key=lambda item: item.number))

    @idempotent
    def take(self, seen: Replay, driver: str) -> Replay | None:
        """Make a replay that is not ended this driver's, if it is as it was seen; None if it is not any more."""
        change = {
            "$set": {
                "state": "running",
                "driver": driver,
                "started_at": seen.started_at or utc_now(),
                "ended_at": None,
                "error": "",
            },
            "$currentDate": {"driven_at": True},
            "$inc": {"revision": 1},
        }
        self._replays().update_one({"_id": seen.id, "revision": seen.revision}, change)
        # A second try does not match what the first one changed.
        found = self.get(seen.id)
        is_ours = found is not None and (found.driver, found.revision) == (driver, seen.revision + 1)
        return found if is_ours else None

    @idempotent
    def beat(self, replay_id: str, driver: str) -> bool:
        """Give the driver's sign of life; False if the replay is not its any more."""
        change = {"$currentDate": {"driven_at": True}}
        return self._replays().update_one(_driven(replay_id, driver), change).matched_count == 1

    @idempotent
    def tally(self, replay_id: str, driver: str, done: int, tallies: Mapping[str, int]) -> bool:
        """Write how far it is; False if the replay is not this driver's any more."""
        change = {"$set": {"done": done, "tallies": _pairs(tallies)}, "$currentDate": {"driven_at": True}}
        return self._replays().update_one(_driven(replay_id, driver), change).matched_count == 1

    @idempotent
    def note(self, replay_id: str, item: ReplayItem) -> None:
        """Write how an item stands."""
        values = {name: getattr(item, name) for name in ("new_generation_id", "state", "verdict", "judgement")}
        self._items().update_one({"_id": _item_id(replay_id, item.number)}, {"$set": values})

    @idempotent
    def end(self, replay_id: str, driver: str, state: ReplayState, error: str = "") -> None:
        """Write the driver's end of a replay; nothing if it is not its any more."""
        change = {"$set": {"state": state, "error": error, "ended_at": utc_now()}, "$inc": {"revision": 1}}
        self._replays().update_one(_driven(replay_id, driver), change)

    @idempotent
    def cancel(self, replay_id: str) -> None:
        """End a replay that has not ended, whoever sees to it."""
        change = {"$set": {"state": "canceled", "ended_at": utc_now()}, "$inc": {"revision": 1}}
        self._replays().update_one({"_id": replay_id, "state": {"$in": list(OPEN)}}, change)

    @idempotent
    def erase(self, replay_id: str) -> int:
        """Remove a replay with its items, and give how many documents that were; its generations are left."""
        removed = self._items().delete_many({"replay_id": replay_id}).deleted_count
        return removed + self._replays().delete_one({"_id": replay_id}).deleted_count

    def _replays(self) -> Collection[Document]:
        return self._database.collection(REPLAYS)

    def _items(self) -> Collection[Document]:
        return self._database.collection(REPLAY_ITEMS)


def _driven(replay_id: str, driver: str) -> Document:
    return {"_id": replay_id, "driver": driver, "state": "running"}


def _item_id(replay_id: str, number: int) -> str:
    return f"{replay_id}/{number:06}"


def _pairs(tallies: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"name": name, "count": count} for name, count in tallies.items()]


def _document(replay: Replay) -> Document:
    values = {name: getattr(replay, name) for name in Replay.__dataclass_fields__ if name not in ("id", "tallies")}
    return {
        "_id": replay.id,
        "schema_version": SCHEMA_VERSIONS[REPLAYS],
        **values,
        "tallies": _pairs(replay.tallies),
    }


def _item_document(replay: Replay, number: int, generation_id: str) -> Document:
    return {
        "_id": _item_id(replay.id, number),
        "schema_version": SCHEMA_VERSIONS[REPLAY_ITEMS],
        "replay_id": replay.id,
        "session_id": replay.session_id,
        "participant_id": replay.participant_id,
        "number": number,
        "generation_id": generation_id,
        "new_generation_id": new_id(),
        "state": "waiting",
        "verdict": "",
        "judgement": "",
    }


def _replay(document: Document) -> Replay:
    values = {name: document[name] for name in Replay.__dataclass_fields__ if name in document}
    tallies = {pair["name"]: pair["count"] for pair in document["tallies"]}
    return Replay(**{**values, "id": document["_id"], "tallies": tallies})


def _item(document: Document) -> ReplayItem:
    return ReplayItem(**{name: document[name] for name in ReplayItem.__dataclass_fields__})
