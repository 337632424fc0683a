"""The participants, and the names they gave, kept apart from everything else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from store.clock import utc_now
from store.connection import Database
from store.ids import new_id
from store.repeat import idempotent, insert_once
from store.schema import PARTICIPANT_NAMES, PARTICIPANTS, SCHEMA_VERSIONS, Document

REMEMBERED: Final = 2_000


@dataclass(frozen=True)
class Participant:
    """One participant: `id` is the pseudonym that all records carry, `username` what was typed.

    `saved_state_id`, `design_task` and `current_stage` are those of the newest save, empty before the first.
    `revision` counts the saves.
    """

    id: str
    username: str
    created_at: datetime
    design_task: str = ""
    current_stage: str = ""
    saved_state_id: str = ""
    revision: int = 0


class Participants:
    """The participants of a database; a name is any text, also none."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._id_of = lru_cache(maxsize=REMEMBERED)(lambda username: self.find_or_create(username).id)

    @idempotent
    def find_or_create(self, username: str) -> Participant:
        """Give the participant of a name, made now if the name is new; two calls at once get the same one."""
        names = self._database.collection(PARTICIPANT_NAMES)
        key = _name_key(username)
        name = names.find_one({"_id": key})
        if name is None:
            new = {
                "_id": key,
                "schema_version": SCHEMA_VERSIONS[PARTICIPANT_NAMES],
                "username": username,
                "participant_id": new_id(),
                "created_at": utc_now(),
            }
            # Whoever comes second reads what the first one wrote, and so both get the same id.
            name = new if insert_once(names, new) else names.find_one({"_id": key}) or new
        return self._read(name) or self._create(name)

    def id_of(self, username: str) -> str:
        """Give the id of the participant of a name, made now if the name is new; known ones are kept in memory."""
        # It never changes, and every generation of every participant asks for it.
        return self._id_of(username)

    @idempotent
    def find(self, username: str) -> Participant | None:
        """Give the participant of a name; None if nobody came under that name."""
        name = self._database.collection(PARTICIPANT_NAMES).find_one({"_id": _name_key(username)})
        return None if name is None else self._read(name)

    @idempotent
    def by_id(self, participant_id: str) -> Participant | None:
        """Give the participant of an id, with the name looked up; None if there is none."""
        name = self._database.collection(PARTICIPANT_NAMES).find_one({"participant_id": participant_id})
        return None if name is None else self._read(name)

    def _create(self, name: Document) -> Participant:
        """Write the participant of a name whose first process may have been killed before it could."""
        # The id comes from the name, so two processes that mend the same gap write the same document.
        document = {
            "_id": name["participant_id"],
            "schema_version": SCHEMA_VERSIONS[PARTICIPANTS],
            "created_at": name["created_at"],
            "design_task": "",
            "current_stage": "",
            "saved_state_id": "",
            "revision": 0,
        }
        insert_once(self._database.collection(PARTICIPANTS), document)
        return self._read(name) or _participant(document, name)

    def _read(self, name: Document) -> Participant | None:
        participants = self._database.collection(PARTICIPANTS)
        document = participants.find_one({"_id": name["participant_id"]})
        return None if document is None else _participant(document, name)


def _name_key(username: str) -> str:
    """Give the `_id` of a name: its hash, as names may be long and hold any character."""
    return hashlib.sha256(username.encode("utf-8")).hexdigest()


def _participant(document: Document, name: Document) -> Participant:
    return Participant(
        id=document["_id"],
        username=name["username"],
        created_at=document["created_at"],
        design_task=document["design_task"],
        current_stage=document["current_stage"],
        saved_state_id=document["saved_state_id"],
        revision=document["revision"],
    )
