"""Generations at a glance: what is asked of many at once, without what is in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from store.clock import AHEAD, FAR, utc_now
from store.connection import Database
from store.documents import State
from store.repeat import idempotent
from store.schema import GENERATIONS

FIELDS: Final = ("participant_id", "session_id", "operation", "state", "created_at", "ended_at", "hold_s")


@dataclass(frozen=True)
class Glance:
    """What stands at the outside of a generation. `session_id` is empty for one from before there were sessions."""

    id: str
    participant_id: str
    session_id: str
    operation: str
    state: State
    created_at: datetime
    ended_at: datetime | None
    hold_s: float | None


class Glances:
    """Looks at the generations of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def of_participants(self, participant_ids: Iterable[str]) -> tuple[Glance, ...]:
        """Look at all generations of some participants, in the order of asking."""
        window = {"participant_id": {"$in": list(participant_ids)}}
        found = self._database.collection(GENERATIONS).find(window, dict.fromkeys(FIELDS, 1))
        glances = (
            Glance(
                id=one["_id"],
                participant_id=one["participant_id"],
                session_id=one.get("session_id", ""),
                operation=one["operation"],
                state=one["state"],
                created_at=one["created_at"],
                ended_at=one.get("ended_at"),
                hold_s=one.get("hold_s"),
            )
            for one in found
        )
        return tuple(sorted(glances, key=lambda one: (one.created_at, one.id)))

    @idempotent
    def changed_since(self, moment: datetime) -> set[tuple[str, str]]:
        """Name study and session of the generations that changed at or after a moment of MongoDB's clock.

        Of a generation from before there were sessions the session is its participant's, as that of the default study.
        """
        window = {"changed_at": {"$gte": moment, "$lt": moment + FAR}}
        fields = {"study_id": 1, "session_id": 1, "participant_id": 1}
        found = self._database.collection(GENERATIONS).find(window, fields)
        return {(one.get("study_id", ""), one.get("session_id") or one["participant_id"]) for one in found}

    @idempotent
    def states_in(self, study_id: str, since: datetime) -> dict[State, int]:
        """Count the generations of a study that were made since a moment, by their state."""
        # By the index on the time alone: each further one on this collection costs a picture a millisecond or two.
        window = {"created_at": {"$gte": since, "$lt": utc_now() + AHEAD}}
        counted: dict[State, int] = {}
        for one in self._database.collection(GENERATIONS).find(window, {"state": 1, "study_id": 1}):
            if one.get("study_id") == study_id:
                counted[one["state"]] = counted.get(one["state"], 0) + 1
        return counted
