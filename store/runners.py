"""The heartbeats of the processes that run generations, so that a dead one is noticed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pymongo.errors import DuplicateKeyError

from store.connection import Database
from store.repeat import idempotent
from store.schema import RUNNERS, SCHEMA_VERSIONS


class Runners:
    """The runners of a database. Every time here is by MongoDB's clock, which all hosts share."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def beat(self, runner_id: str) -> None:
        """Say that a runner is alive."""
        change = {
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
    def dead(self, older_than_s: float) -> tuple[str, ...]:
        """List the runners whose last beat is older than this many seconds."""
        # Beats are stamped by MongoDB, so they are measured against its clock and not against ours.
        now = datetime.fromtimestamp(self._database.server_time_ms() / 1000, UTC)
        limit = now - timedelta(seconds=older_than_s)
        found = self._database.collection(RUNNERS).find({"beat_at": {"$lt": limit}}, {"_id": 1})
        return tuple(sorted(document["_id"] for document in found))

    @idempotent
    def forget(self, runner_id: str) -> None:
        """Forget a runner that ended, or a dead one whose generations are dealt with."""
        self._database.collection(RUNNERS).delete_one({"_id": runner_id})
