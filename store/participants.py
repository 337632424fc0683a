"""The participants, and the names they gave, kept apart from everything else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
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
        self._known: set[str] = set()

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
        """Give the id of the participant of a name, made now if the name is new."""
        # Every generation asks for it, so of a known participant the name alone is looked up. The name must be: once a
        # participant is erased it stands for another one, in every process.
        participant_id = self._named(username)
        if participant_id in self._known:
            return participant_id
        found = self.find_or_create(username).id
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known.add(found)
        return found

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

    @idempotent
    def _named(self, username: str) -> str:
        name = self._database.collection(PARTICIPANT_NAMES).find_one({"_id": _name_key(username)})
        return "" if name is None else str(name["participant_id"])

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
