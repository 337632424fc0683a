"""The tokens by which researchers' programs come in; only their hashes are kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from store.clock import utc_now
from store.connection import Database
from store.repeat import idempotent, insert_once
from store.schema import API_TOKENS, SCHEMA_VERSIONS, Document

USE_IS_NOTED_EVERY: Final = timedelta(hours=1)


@dataclass(frozen=True)
class ApiToken:
    """One token: `id` is the SHA-256 of what its owner was told once. `expires_at` is None for one that stays."""

    id: str
    researcher_id: str
    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class ApiTokens:
    """The tokens of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def add(self, token: str, researcher_id: str, name: str, expires_at: datetime | None) -> ApiToken:
        """Keep a new token's hash."""
        document: Document = {
            "_id": hash_of(token),
            "schema_version": SCHEMA_VERSIONS[API_TOKENS],
            "researcher_id": researcher_id,
            "name": name,
            "created_at": utc_now(),
            "expires_at": expires_at,
            "last_used_at": None,
        }
        insert_once(self._database.collection(API_TOKENS), document)
        return _token(document)

    @idempotent
    def use(self, token: str) -> ApiToken | None:
        """Give a token that is valid now, and note within the hour that it was used; None for any other."""
        tokens, now = self._database.collection(API_TOKENS), utc_now()
        document = tokens.find_one({"_id": hash_of(token)})
        if document is None or (document["expires_at"] is not None and document["expires_at"] <= now):
            return None
        last = document["last_used_at"]
        if last is None or now - last > USE_IS_NOTED_EVERY:
            tokens.update_one({"_id": document["_id"]}, {"$set": {"last_used_at": now}})
        return _token(document)

    @idempotent
    def all(self) -> list[ApiToken]:
        """List all tokens, the oldest first."""
        found = map(_token, self._database.collection(API_TOKENS).find({}))
        return sorted(found, key=lambda one: (one.created_at, one.id))

    @idempotent
    def revoke(self, token_id: str) -> None:
        """Forget a token; whoever comes with it is a stranger from now on."""
        self._database.collection(API_TOKENS).delete_one({"_id": token_id})


def hash_of(token: str) -> str:
    """Give the id of a token. It is random and long, so a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode("utf-8")).hexdigest()


def _token(document: Document) -> ApiToken:
    return ApiToken(
        id=document["_id"],
        researcher_id=document["researcher_id"],
        name=document["name"],
        created_at=document["created_at"],
        expires_at=document["expires_at"],
        last_used_at=document["last_used_at"],
    )
