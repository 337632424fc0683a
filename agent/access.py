"""The way to the ledger: this process becomes one of those that share the pool before it reads or writes anything."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.errors import SDNotConfiguredError
from agent.ledger import Ledger, Transaction
from agent.roster import Roster


class Access:
    """Opens transactions for the pool. `arrive` is called once, when this process has joined the others."""

    def __init__(self, ledger: Ledger, roster: Roster, hear: Callable[[int], None], arrive: Callable[[], None]) -> None:
        """Only keep the parts; `hear` takes the numbers of calls that other processes granted."""
        self._ledger = ledger
        self._roster = roster
        self._hear = hear
        self._arrive = arrive

    @contextmanager
    def changing(self) -> Iterator[Transaction]:
        """Read and change. Raises SDNotConfiguredError for a folder that cannot be used."""
        try:
            self._join()
            with self._ledger.change() as change:
                yield change
        except (OSError, sqlite3.Error) as exc:
            raise self._unusable(exc) from exc

    @contextmanager
    def looking(self) -> Iterator[Transaction]:
        """Read only. Raises SDNotConfiguredError for a folder that cannot be used."""
        try:
            self._join()
            with self._ledger.look() as now:
                yield now
        except (OSError, sqlite3.Error) as exc:
            raise self._unusable(exc) from exc

    def _join(self) -> None:
        if not self._roster.has_joined:
            self._ledger.host.hear("grant", lambda number: self._hear(int(number)))
            self._ledger.host.start()
            self._roster.join()
            self._arrive()

    def _unusable(self, exc: Exception) -> SDNotConfiguredError:
        return SDNotConfiguredError(
            f"the folder {self._ledger.host.folder} of the pool cannot be used ({type(exc).__name__}: {exc});"
            " correct DATA_DIR"
        )
