"""How often a login was tried in vain, so that no process of any host lets a password be guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from store.connection import Database
from store.repeat import idempotent, insert_once
from store.schema import LOGIN_ATTEMPTS, SCHEMA_VERSIONS, Document

FREE: Final = 5
LONGEST_PAUSE_S: Final = 900.0
TRIES: Final = 5


class LoginAttempts:
    """The attempts since the last one that succeeded, by a key that says who tries what; forgotten after a day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def begin(self, key: str) -> float:
        """Count an attempt and give 0, or give the seconds after which the next one may begin.

        Five are free; after them come pauses of 1, 2, 4 … seconds, at most a quarter of an hour. An attempt counts from
        its beginning, so that many at once are no way around the pauses.
        """
        attempts = self._database.collection(LOGIN_ATTEMPTS)
        for _ in range(TRIES):
            now = datetime.fromtimestamp(self._database.server_time_ms() / 1000, UTC)
            found = attempts.find_one({"_id": key})
            if found is None:
                first: Document = {"_id": key, "schema_version": SCHEMA_VERSIONS[LOGIN_ATTEMPTS]}
                if insert_once(attempts, {**first, "count": 1, "last_at": now}):
                    return 0.0
                continue
            wait_s: float = (found["last_at"] + _pause(found["count"]) - now).total_seconds()
            if wait_s > 0:
                return wait_s
            # Compare-and-set: of many that come at once each finds the count of the one before it.
            answer = attempts.update_one(
                {"_id": key, "count": found["count"]}, {"$set": {"count": found["count"] + 1, "last_at": now}}
            )
            if answer.matched_count == 1:
                return 0.0
        return 1.0

    @idempotent
    def forget(self, key: str) -> None:
        """Begin anew: an attempt succeeded."""
        self._database.collection(LOGIN_ATTEMPTS).delete_one({"_id": key})


def _pause(count: int) -> timedelta:
    over = count - FREE
    return timedelta(seconds=min(2.0 ** min(over, 30), LONGEST_PAUSE_S) if over >= 0 else 0.0)
