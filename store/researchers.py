"""The researchers who may see the studies, by their login."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from store.clock import utc_now
from store.connection import Database
from store.repeat import idempotent, insert_once
from store.schema import RESEARCHERS, SCHEMA_VERSIONS, Document


@dataclass(frozen=True)
class Researcher:
    """One researcher. `password_hash` is argon2's own text form; a disabled one has no access by any way."""

    id: str
    login: str
    password_hash: str
    created_at: datetime
    is_disabled: bool = False

    def __repr__(self) -> str:
        return f"Researcher(login={self.login!r}, is_disabled={self.is_disabled})"


class Researchers:
    """The researchers of a database; logins that differ in case only are the same."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def add(self, login: str, password_hash: str) -> bool:
        """Keep a new researcher; False if the login is taken by somebody with another password."""
        researchers = self._database.collection(RESEARCHERS)
        document: Document = {
            "_id": id_of(login),
            "schema_version": SCHEMA_VERSIONS[RESEARCHERS],
            "login": login,
            "password_hash": password_hash,
            "created_at": utc_now(),
            "is_disabled": False,
        }
        if insert_once(researchers, document):
            return True
        # A hash has its own random salt: one that equals ours is our own first try.
        found = researchers.find_one({"_id": document["_id"]}) or {}
        return found.get("password_hash") == password_hash

    @idempotent
    def get(self, researcher_id: str) -> Researcher | None:
        """Give a researcher by id; None if there is none."""
        document = self._database.collection(RESEARCHERS).find_one({"_id": researcher_id})
        return None if document is None else _researcher(document)

    def find(self, login: str) -> Researcher | None:
        """Give the researcher of a login; None if there is none."""
        return self.get(id_of(login))

    @idempotent
    def all(self) -> list[Researcher]:
        """List all researchers by login."""
        found = map(_researcher, self._database.collection(RESEARCHERS).find({}))
        return sorted(found, key=lambda one: one.login.casefold())

    def set_password(self, login: str, password_hash: str) -> bool:
        """Give a researcher another password; False if there is no such login."""
        return self._set(login, {"password_hash": password_hash})

    def set_disabled(self, login: str, is_disabled: bool) -> bool:
        """Take a researcher's access away, or give it back; False if there is no such login."""
        return self._set(login, {"is_disabled": is_disabled})

    @idempotent
    def _set(self, login: str, fields: Document) -> bool:
        answer = self._database.collection(RESEARCHERS).update_one({"_id": id_of(login)}, {"$set": fields})
        return answer.matched_count == 1


def id_of(login: str) -> str:
    """Give the id of the researcher of a login: the hash of its folded form, which makes logins unique."""
    folded = unicodedata.normalize("NFKC", login).casefold()
    return hashlib.sha256(folded.encode("utf-8")).hexdigest()


def _researcher(document: Document) -> Researcher:
    return Researcher(
        id=document["_id"],
        login=document["login"],
        password_hash=document["password_hash"],
        created_at=document["created_at"],
        is_disabled=document["is_disabled"],
    )
