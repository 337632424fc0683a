"""The heartbeats of the processes that run generations, so that a dead one is noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from store.bson_shapes import storable
from store.connection import Database
from store.repeat import idempotent
from store.schema import RUNNERS, SCHEMA_VERSIONS


@dataclass(frozen=True)
class RunnerInfo:
    """A runner that lives: when it beat last, and what it said of itself then (host, kind, instances, queues)."""

    id: str
    beat_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)


class Runners:
    """The runners of a database. Every time here is by MongoDB's clock, which all hosts share."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def beat(self, runner_id: str, facts: Mapping[str, Any] | None = None) -> None:
        """Say that a runner is alive; `facts` are what others may know of it, None leaves those of the last beat."""
        change = {
            **({} if facts is None else {"$set": {"facts": storable(dict(facts))}}),
            "$currentDate": {"beat_at": True},
            "$setOnInsert": {"schema_version": SCHEMA_VERSIONS[RUNNERS]},
        }
        runners = self._database.collection(RUNNERS)
        try:
            runners.update_one({"_id": runner_id}, change, upsert=True)
        except DuplicateKeyError:
            # Two first beats at once may both try to insert; the second one then finds the first.
            runners.update_one({"_id": runner_id}, change)

    @idempotent
    def alive(self, within_s: float) -> tuple[RunnerInfo, ...]:
        """List the runners that beat within the last so many seconds, in the order of their ids."""
        found = self._database.collection(RUNNERS).find({"beat_at": {"$gte": self._database.ago(within_s)}})
        runners = (RunnerInfo(one["_id"], one["beat_at"], one.get("facts", {})) for one in found)
        return tuple(sorted(runners, key=lambda runner: runner.id))

    @idempotent
    def dead(self, older_than_s: float) -> tuple[str, ...]:
        """List the runners whose last beat is older than this many seconds."""
        found = self._database.collection(RUNNERS).find(
            {"beat_at": {"$lt": self._database.ago(older_than_s)}}, {"_id": 1}
        )
        return tuple(sorted(document["_id"] for document in found))

    @idempotent
    def forget(self, runner_id: str) -> None:
        """Forget a runner that ended, or a dead one whose generations are dealt with."""
        self._database.collection(RUNNERS).delete_one({"_id": runner_id})
