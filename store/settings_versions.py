"""The settings that generations were made with, as they were then, so that a run can be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from store.clock import utc_now
from store.connection import Database
from store.repeat import idempotent, insert_once
from store.schema import SCHEMA_VERSIONS, SETTINGS_VERSIONS, Document

SettingsKind = Literal["prompt", "preset", "directions", "views"]


@dataclass(frozen=True)
class SettingsVersion:
    """One file of the settings by its hash, which stands in the steps made with it; `text` is all it was made of."""

    hash: str
    kind: SettingsKind
    name: str
    text: str
    created_at: datetime
    saved_by: str = ""
    note: str = ""


class SettingsVersions:
    """The versions of settings in a database; none is ever changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: set[str] = set()

    def keep(self, version_hash: str, kind: SettingsKind, name: str, text: str) -> None:
        """Keep a version once; the first one of a hash stays. A version that this process kept is not sent again."""
        if version_hash not in self._kept:
            self._insert(version_hash, kind, name, text)
            self._kept.add(version_hash)

    @idempotent
    def get(self, version_hash: str) -> SettingsVersion | None:
        """Give a version; None if it was never kept."""
        document = self._database.collection(SETTINGS_VERSIONS).find_one({"_id": version_hash})
        if document is None:
            return None
        return _version(document)

    @idempotent
    def of(self, kind: SettingsKind, name: str) -> tuple[SettingsVersion, ...]:
        """List the versions of a file that were used or saved, the newest first."""
        found = self._database.collection(SETTINGS_VERSIONS).find({"kind": kind, "name": name})
        return tuple(sorted(map(_version, found), key=lambda one: (one.created_at, one.hash), reverse=True))

    @idempotent
    def sign(self, version_hash: str, saved_by: str, note: str) -> None:
        """Write down who saved a version, and why; the first one counts."""
        unsigned = {"_id": version_hash, "saved_by": None}
        signature = {"$set": {"saved_by": saved_by, "note": note}}
        self._database.collection(SETTINGS_VERSIONS).update_one(unsigned, signature)

    @idempotent
    def _insert(self, version_hash: str, kind: SettingsKind, name: str, text: str) -> None:
        document = {
            "_id": version_hash,
            "schema_version": SCHEMA_VERSIONS[SETTINGS_VERSIONS],
            "kind": kind,
            "name": name,
            "text": text,
            "created_at": utc_now(),
        }
        insert_once(self._database.collection(SETTINGS_VERSIONS), document)


def _version(document: Document) -> SettingsVersion:
    return SettingsVersion(
        hash=document["_id"],
        kind=document["kind"],
        name=document["name"],
        text=document["text"],
        created_at=document["created_at"],
        saved_by=document.get("saved_by", ""),
        note=document.get("note", ""),
    )
