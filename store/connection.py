"""The connection to MongoDB: made at first use, once in each process."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Final

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database as MongoDatabase
from pymongo.errors import ConfigurationError, ServerSelectionTimeoutError

from store.errors import StoreConfigError, StoreUnavailableError
from store.ids import new_id
from store.indexes import ensure_indexes
from store.repeat import idempotent
from store.schema import Document

CREDENTIALS: Final = re.compile(r"//.*@", re.DOTALL)


@dataclass(frozen=True, repr=False)
class StoreConfig:
    """Where MongoDB is and how long we wait for it. Times in seconds; the login is masked in `repr`."""

    uri: str
    database: str
    server_selection_timeout_s: float = 5.0
    connect_timeout_s: float = 5.0
    socket_timeout_s: float = 60.0
    app_name: str = "stepideator-api"

    @property
    def address(self) -> str:
        """Give the connection string without the login."""
        return CREDENTIALS.sub("//***@", self.uri)

    def __repr__(self) -> str:
        return f"StoreConfig(uri={self.address!r}, database={self.database!r})"


@dataclass(frozen=True)
class ServerInfo:
    """What MongoDB says it is; `embedded` is the small server for trying out, unfit for a study."""

    version: str
    embedded: bool


@dataclass
class _Process:
    """What belongs to one process: a client does not survive a fork."""

    lock: Lock = field(default_factory=Lock)
    client: MongoClient[Document] | None = None
    is_indexed: bool = False
    builder: str = field(default_factory=new_id)


class Database:
    """A database that connects at first use, also after a fork, and then makes sure of its indexes."""

    def __init__(self, config: StoreConfig) -> None:
        self.config = config
        self._processes: dict[int, _Process] = {}

    def collection(self, name: str) -> Collection[Document]:
        """Give a collection of a database whose indexes are whole; errors are the driver's own.

        Call it inside an operation that is marked `idempotent`, which translates them.
        """
        process = self._process()
        database = self._connected(process)
        if not process.is_indexed:
            # Asked before the lock: with the server down all callers wait side by side, not in a row.
            embedded = self._server(database).embedded
            with process.lock:
                if not process.is_indexed:
                    ensure_indexes(database, embedded=embedded, builder=process.builder)
                    process.is_indexed = True
        return database[name]

    @idempotent
    def ping(self) -> ServerInfo:
        """Ask the server what it is; raise StoreUnavailableError if it does not answer."""
        return self._server(self._connected(self._process()))

    @idempotent
    def server_time_ms(self) -> int:
        """Give the server's clock in ms since the epoch: one clock for all hosts."""
        moment = self._connected(self._process()).command("hello")["localTime"]
        return int(moment.replace(tzinfo=UTC).timestamp() * 1000)

    def ago(self, seconds: float) -> datetime:
        """Give the moment that was so many seconds ago by the server's clock."""
        return datetime.fromtimestamp(self.server_time_ms() / 1000, UTC) - timedelta(seconds=seconds)

    def close(self) -> None:
        """Close this process's connections; the next use opens new ones."""
        # Only our own: closing a client that came over a fork would speak on the parent's sockets.
        process = self._processes.pop(os.getpid(), None)
        if process is not None and process.client is not None:
            process.client.close()

    def _process(self) -> _Process:
        # setdefault is atomic, so two first threads of a process get the same lock.
        return self._processes.setdefault(os.getpid(), _Process())

    def _connected(self, process: _Process) -> MongoDatabase[Document]:
        # Looked at twice: most calls find the client and take no lock.
        if process.client is None:
            with process.lock:
                if process.client is None:
                    process.client = self._new_client()
        return process.client[self.config.database]

    def _new_client(self) -> MongoClient[Document]:
        config = self.config
        # Values given here win over those in the URI, so nobody turns the driver's own retry on by accident.
        options: dict[str, Any] = {
            "appname": config.app_name,
            "tz_aware": True,
            "tzinfo": UTC,
            "retryWrites": False,
            "w": "majority",
            "journal": True,
            "wTimeoutMS": int(config.socket_timeout_s * 500),
            "serverSelectionTimeoutMS": int(config.server_selection_timeout_s * 1000),
            "connectTimeoutMS": int(config.connect_timeout_s * 1000),
            "socketTimeoutMS": int(config.socket_timeout_s * 1000),
            "waitQueueTimeoutMS": int(config.socket_timeout_s * 1000),
            # The embedded server closes connections that were idle for 300 s.
            "maxIdleTimeMS": 120_000,
        }
        try:
            return MongoClient(config.uri, **options)
        except (ConfigurationError, ValueError):
            # Without its cause, as the driver's message may quote a password that is not escaped.
            raise StoreConfigError(
                f"{config.address!r} is not a connection string of MongoDB; it should look like"
                " mongodb://user:password@host:27017, with special characters percent-encoded"
            ) from None

    def _server(self, database: MongoDatabase[Document]) -> ServerInfo:
        try:
            answer = database.client.admin.command("buildInfo")
        except ServerSelectionTimeoutError as error:
            raise StoreUnavailableError(
                f"MongoDB at {self.config.address} is not reached within"
                f" {self.config.server_selection_timeout_s:g} s; check that it runs and that its address is right"
            ) from error
        return ServerInfo(version=str(answer["version"]), embedded="secantusVersion" in answer)
