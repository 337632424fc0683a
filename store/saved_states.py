"""What participants saved: every save is kept, the newest is what they get back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from store.clock import to_milliseconds, utc_now
from store.connection import Database
from store.contents import Contents
from store.errors import DamagedError, NotFoundError
from store.ids import new_id
from store.repeat import idempotent, insert_once
from store.schema import PARTICIPANTS, SAVED_STATES, SCHEMA_VERSIONS, Document


@dataclass(frozen=True)
class SavedState:
    """One save: `text` is the JSON text as the application wrote it, the rest is what is asked for often.

    `scheme_counts` has a pair (stage, number of schemes) for each stage. `id` is empty until it is saved.
    """

    text: str
    design_task: str
    current_stage: str
    scheme_counts: tuple[tuple[str, int], ...] = ()
    saved_at: datetime = field(default_factory=utc_now)
    id: str = ""


@dataclass(frozen=True)
class SaveSummary:
    """One save without its text, which is in `contents` under `content_sha256`."""

    id: str
    content_sha256: str
    design_task: str
    current_stage: str
    scheme_counts: tuple[tuple[str, int], ...]
    saved_at: datetime


class SavedStates:
    """The saves of all participants."""

    def __init__(self, database: Database, contents: Contents) -> None:
        self._database = database
        self._contents = contents

    def save(self, participant_id: str, state: SavedState) -> str:
        """Keep a save for good and give its id; the newest one becomes what `load` gives.

        Saves that come one after another keep their order; of two at the same time the one with the greater
        id wins, and the other stays readable. Raises NotFoundError if there is no such participant.
        """
        # Text first, then the save, then the pointer: a crash in between leaves nothing half-visible.
        ref = self._contents.put_text(state.text)
        return self._point_to(participant_id, self._append(participant_id, state, ref.sha256), state)

    @idempotent
    def load(self, participant_id: str) -> SavedState | None:
        """Give the newest save of a participant; None before the first."""
        saved_state_id = self._newest_id(participant_id)
        return None if not saved_state_id else self._get(saved_state_id)

    @idempotent
    def history(self, participant_id: str, since: datetime, until: datetime) -> tuple[str, ...]:
        """List the ids of the saves in `since <= saved_at < until`, oldest first."""
        window = {"participant_id": participant_id, "saved_at": {"$gte": since, "$lt": until}}
        found = self._database.collection(SAVED_STATES).find(window, {"_id": 1})
        return tuple(sorted(document["_id"] for document in found))

    @idempotent
    def summaries(self, participant_id: str, since: datetime, until: datetime) -> tuple[SaveSummary, ...]:
        """List the saves in `since <= saved_at < until` without their texts, oldest first."""
        window = {"participant_id": participant_id, "saved_at": {"$gte": since, "$lt": until}}
        found = [_summary(document) for document in self._database.collection(SAVED_STATES).find(window)]
        return tuple(sorted(found, key=lambda save: save.id))

    @idempotent
    def get(self, saved_state_id: str) -> SavedState | None:
        """Give one save by its id; None if there is none."""
        return self._get(saved_state_id)

    def _append(self, participant_id: str, state: SavedState, sha256: str) -> str:
        # The id is made once, outside of what is repeated, so that a repeat finds its own document.
        document = {
            "_id": new_id(after=self._known_newest_id(participant_id)),
            "schema_version": SCHEMA_VERSIONS[SAVED_STATES],
            "participant_id": participant_id,
            "content_sha256": sha256,
            "design_task": state.design_task,
            "current_stage": state.current_stage,
            # A list of pairs: stages are named by the client and must not become keys.
            "scheme_counts": [{"stage": stage, "count": count} for stage, count in state.scheme_counts],
            "saved_at": to_milliseconds(state.saved_at),
        }
        self._insert(document)
        return str(document["_id"])

    @idempotent
    def _known_newest_id(self, participant_id: str) -> str:
        newest = self._newest_id(participant_id)
        if newest is None:
            raise NotFoundError(f"there is no participant {participant_id} to save for; start one first")
        return newest

    @idempotent
    def _insert(self, document: Document) -> None:
        insert_once(self._database.collection(SAVED_STATES), document)

    @idempotent
    def _point_to(self, participant_id: str, saved_state_id: str, state: SavedState) -> str:
        # A second run, or one that comes after a newer save, does not match and changes nothing.
        self._database.collection(PARTICIPANTS).update_one(
            {"_id": participant_id, "saved_state_id": {"$lt": saved_state_id}},
            {
                "$set": {
                    "saved_state_id": saved_state_id,
                    "design_task": state.design_task,
                    "current_stage": state.current_stage,
                },
                "$inc": {"revision": 1},
            },
        )
        return saved_state_id

    def _newest_id(self, participant_id: str) -> str | None:
        """Give the id of the newest save, "" before the first, None if there is no such participant."""
        participants = self._database.collection(PARTICIPANTS)
        document = participants.find_one({"_id": participant_id}, {"saved_state_id": 1})
        return None if document is None else str(document["saved_state_id"])

    def _get(self, saved_state_id: str) -> SavedState | None:
        document = self._database.collection(SAVED_STATES).find_one({"_id": saved_state_id})
        if document is None:
            return None
        content = self._contents.get(document["content_sha256"])
        if content is None:
            raise DamagedError(f"the text of saved state {saved_state_id} is missing")
        return SavedState(
            text=content.text,
            design_task=document["design_task"],
            current_stage=document["current_stage"],
            scheme_counts=tuple((item["stage"], item["count"]) for item in document["scheme_counts"]),
            saved_at=document["saved_at"],
            id=document["_id"],
        )


def _summary(document: Document) -> SaveSummary:
    return SaveSummary(
        id=document["_id"],
        content_sha256=document["content_sha256"],
        design_task=document["design_task"],
        current_stage=document["current_stage"],
        scheme_counts=tuple((item["stage"], item["count"]) for item in document["scheme_counts"]),
        saved_at=document["saved_at"],
    )
