"""What the processes of a host share about the pool: one SQLite file in which every change is one transaction.

Nothing in it is worth keeping for ever: it says who holds what at this moment, and what was learned about speed. It
survives the kill of any process, and a broken file is laid anew.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from agent.host import Host

__all__ = ["Ledger", "Transaction"]

_log = logging.getLogger(__name__)

R = TypeVar("R")

_BUSY_S = 15.0
_NAME = "pool-2.sqlite3"
_WEIGHT_OF_NEW = 0.3

_SCHEMA = """
CREATE TABLE IF NOT EXISTS instances (
    endpoint TEXT PRIMARY KEY, name TEXT NOT NULL, mode TEXT NOT NULL DEFAULT 'open',
    checkpoint TEXT, offers TEXT, seen_at REAL NOT NULL DEFAULT 0, probed_until REAL NOT NULL DEFAULT 0,
    holder TEXT, call INTEGER, job TEXT, share TEXT, task TEXT, size REAL, pictures INTEGER NOT NULL DEFAULT 1,
    loads INTEGER NOT NULL DEFAULT 0,
    since REAL NOT NULL DEFAULT 0, ends REAL NOT NULL DEFAULT 0, last_used REAL NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0, rests_until REAL NOT NULL DEFAULT 0, health TEXT NOT NULL DEFAULT 'up',
    unsettled INTEGER NOT NULL DEFAULT 0, abandoned_task TEXT,
    unit_s REAL, plain_s REAL, load_s REAL, samples INTEGER NOT NULL DEFAULT 0,
    served INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
    busy_s REAL NOT NULL DEFAULT 0, loading_s REAL NOT NULL DEFAULT 0, loads_done INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS lists (endpoint TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT, process TEXT NOT NULL, since REAL NOT NULL, checkpoint TEXT,
    share TEXT NOT NULL, job TEXT NOT NULL, size REAL, pictures INTEGER NOT NULL, needs TEXT NOT NULL,
    avoid TEXT NOT NULL, endpoint TEXT, reason TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS members (process TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS jobs (job TEXT PRIMARY KEY, process TEXT NOT NULL, share TEXT NOT NULL, since REAL NOT NULL);
CREATE TABLE IF NOT EXISTS shares (share TEXT PRIMARY KEY, served REAL NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS learned (key TEXT PRIMARY KEY, value REAL NOT NULL, count INTEGER NOT NULL);
"""


class Transaction:
    """The open transaction; `after` collects what is to be done once it is committed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Belong to a connection on which a transaction has begun."""
        self._connection = connection
        self.after: list[Callable[[], None]] = []

    def run(self, sql: str, *values: Any) -> int:
        """Change something, and tell how many rows."""
        return self._connection.execute(sql, values).rowcount

    def insert(self, sql: str, *values: Any) -> int:
        """Insert one row, and tell its number."""
        return self._connection.execute(sql, values).lastrowid or 0

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Read rows."""
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """Read one row."""
        found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return found


class Ledger:
    """The ledger of a host; without a folder it is this process's own. Thread-safe; opened at first use."""

    def __init__(self, host: Host) -> None:
        """Only keep the host, in whose folder the file lies."""
        self.host = host
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def change(self) -> Iterator[Transaction]:
        """Read and change in one transaction; an exception undoes it. Raises OSError or sqlite3.Error."""
        with self._lock:
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            transaction = Transaction(connection)
            try:
                yield transaction
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        for step in transaction.after:
            step()

    @contextmanager
    def look(self) -> Iterator[Transaction]:
        """Read at one moment, in nobody's way."""
        with self._lock:
            connection = self._opened()
            connection.execute("BEGIN")
            try:
                yield Transaction(connection)
            finally:
                connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def admit(self, job: str, share: str, limit: int) -> bool:
        """Count a job in, unless `limit` jobs are in already."""
        self.host.start()
        with self.change() as change:
            row = change.row("SELECT COUNT(*) FROM jobs")
            if row is not None and row[0] >= limit:
                return False
            change.run("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?)", job, self.host.id, share, time.time())
        return True

    def dismiss(self, job: str) -> None:
        """Count a job out, however it ended; one that is not in is passed over."""
        with self.change() as change:
            change.run("DELETE FROM jobs WHERE job = ?", job)

    def admitted(self) -> int:
        """Count the jobs that are in, those of all processes."""
        with self.look() as now:
            row = now.row("SELECT COUNT(*) FROM jobs")
        return int(row[0]) if row is not None else 0

    def learn(self, key: str, value: float) -> None:
        """Add an observation to the running mean of `key`, in which later ones weigh more."""
        with self.change() as change:
            learn(change, key, value)

    def learned(self, key: str) -> float | None:
        """Give the running mean of `key`; None before the first observation."""
        with self.look() as now:
            row = now.row("SELECT value FROM learned WHERE key = ?", key)
        return None if row is None else float(row["value"])

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        if self.host.folder is None:
            return _connect(":memory:")
        self.host.folder.mkdir(parents=True, exist_ok=True)
        path = self.host.folder / _NAME
        # One after the other: SQLite does not let others wait for the change to write-ahead logging.
        with FileLock(path.with_suffix(".lock"), timeout=_BUSY_S):
            try:
                return _connect(path)
            except sqlite3.DatabaseError as exc:
                if isinstance(exc, sqlite3.OperationalError):
                    raise
                _log.warning("the pool's ledger %s is broken (%s); it is laid anew", path.name, exc)
                for suffix in ("", "-wal", "-shm"):
                    path.with_name(path.name + suffix).unlink(missing_ok=True)
                return _connect(path)


def learn(change: Transaction, key: str, value: float) -> None:
    """Do what `Ledger.learn` does, within a transaction."""
    change.run(
        "INSERT INTO learned VALUES (?1, ?2, 1) ON CONFLICT (key) DO UPDATE SET count = count + 1,"
        " value = value + (?2 - value) * MAX(?3, 1.0 / (count + 1))",
        key, value, _WEIGHT_OF_NEW,
    )  # fmt: skip


def _connect(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    # The file outlives every process, not a power cut, after which nothing in it would be true anyway.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(_SCHEMA)
    return connection
