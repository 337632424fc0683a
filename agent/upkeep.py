"""What keeps the pool whole: the dead are cleared away, failed instances are probed, idle ones looked at now and then.

Each process does this for all; the ledger sees to it that a probe is made by one of them only.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from agent import desk
from agent.capabilities import Capabilities, as_text, bare_checkpoint
from agent.departed import bury, departed
from agent.errors import InstanceTimeoutError, InstanceUnreachableError, MissingOnInstanceError, SDError
from agent.ledger import Ledger, Transaction
from agent.overdue import settle
from agent.probe import loaded_checkpoint, paints
from agent.roster import Roster, offers_of
from agent.sd_lists import capabilities_of

_log = logging.getLogger(__name__)

_EVERY_S = 0.5
_LOOK_AT_IDLE_S = 30.0
_PROBE_TAKES_S = 30.0
_MANY = 4

Schedule = Callable[[Transaction], None]


class Upkeep:
    """A thread of each process that shares the pool."""

    def __init__(self, ledger: Ledger, roster: Roster, schedule: Schedule, *, probes: bool) -> None:
        """Keep what it works on; `schedule` grants what became free."""
        self._has_probes = probes
        self._ledger = ledger
        self._roster = roster
        self._schedule = schedule
        self._wake = threading.Event()
        self._is_stopped = False
        self._thread: threading.Thread | None = None
        self._probes = ThreadPoolExecutor(max_workers=_MANY, thread_name_prefix="probe")

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._thread is None and not self._is_stopped:
            self._thread = threading.Thread(target=self._go_on, name="pool-upkeep", daemon=True)
            self._thread.start()

    def look_now(self) -> None:
        """Do the next round at once."""
        self._wake.set()

    def stop(self) -> None:
        """End; what is being probed is left."""
        self._is_stopped = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=2)
        self._probes.shutdown(wait=False, cancel_futures=True)

    def bury_the_dead(self) -> None:
        """Free what processes held that have ended; what they left running is asked about before the next call."""
        with self._ledger.look() as now:
            dead = departed(now, self._ledger.host)
        if not dead:
            return
        _log.warning("%d processes of this server are gone; what they held is free again", len(dead))
        with self._ledger.change() as change:
            bury(change, dead)
            self._schedule(change)

    def think_again(self) -> None:
        """Schedule anew while calls wait beside idle instances: what they wait for may take longer than was thought."""
        with self._ledger.look() as now:
            could = now.row(
                "SELECT 1 WHERE EXISTS (SELECT 1 FROM calls WHERE endpoint IS NULL) AND EXISTS (SELECT 1 FROM instances"
                " WHERE holder IS NULL AND mode = 'open' AND health = 'up')"
            )
        if could is not None:
            with self._ledger.change() as change:
                self._schedule(change)

    def probe_due(self) -> list[str]:
        """Take over the probes that are due, and give the endpoints."""
        now = time.time()
        with self._ledger.change() as change:
            rows = change.rows(
                "SELECT endpoint FROM instances WHERE mode <> 'removed' AND probed_until < ?1 AND"
                " (health = 'up' AND offers IS NULL OR holder IS NULL AND"
                " (health <> 'up' AND rests_until <= ?1 OR health = 'up' AND seen_at < ?1 - ?2))",
                now, _LOOK_AT_IDLE_S,
            )  # fmt: skip
            for row in rows:
                change.run("UPDATE instances SET probed_until = ? WHERE endpoint = ?", now + _PROBE_TAKES_S, row[0])
        return [row[0] for row in rows]

    def probe(self, endpoint: str) -> None:
        """Look at one instance and write down what was seen."""
        instance = self._roster.at(endpoint)
        with self._ledger.look() as now:
            row = now.row("SELECT * FROM instances WHERE endpoint = ?", endpoint)
        if row is None:
            return
        try:
            checkpoint = loaded_checkpoint(instance)
            if row["health"] != "up":
                # What was left running there would keep the probe waiting, and all who come after it.
                instance.unsettled, instance.abandoned_task = bool(row["unsettled"]), row["abandoned_task"]
                settle(instance)
                paints(instance)
            has = capabilities_of(instance, anew=True)
        except MissingOnInstanceError as exc:
            _log.info("%s answers a probe in an unknown way: %s", instance.name, exc.message)
            self._write(row, None, None)
        except SDError as exc:
            self._failed(row, exc)
        else:
            self._write(row, checkpoint, has)

    def _write(self, row: sqlite3.Row, checkpoint: str | None, has: Capabilities | None) -> None:
        bare = bare_checkpoint(checkpoint) if checkpoint else None
        offers = None if has is None else json.dumps(offers_of(has))
        with self._ledger.change() as change:
            if has is not None:
                change.run("INSERT OR REPLACE INTO lists VALUES (?, ?)", row["endpoint"], as_text(has))
            # While it was looked at it may have been lent; then its user knows better what it has loaded, and whether
            # it works.
            change.run(
                "UPDATE instances SET health = CASE WHEN failures = ?6 THEN 'up' ELSE health END, seen_at = ?1,"
                " probed_until = 0, offers = COALESCE(?2, offers),"
                " unsettled = CASE WHEN health = 'up' THEN unsettled ELSE 0 END,"
                " checkpoint = CASE WHEN holder IS NULL AND last_used = ?3 THEN COALESCE(?4, checkpoint)"
                " ELSE checkpoint END WHERE endpoint = ?5",
                time.time(), offers, row["last_used"], bare, row["endpoint"], row["failures"],
            )  # fmt: skip
            if row["health"] != "up":
                _log.warning("%s is back", row["name"])
            self._schedule(change)

    def _failed(self, row: sqlite3.Row, exc: SDError) -> None:
        with self._ledger.change() as change:
            if change.row("SELECT 1 FROM instances WHERE endpoint = ? AND holder IS NOT NULL", row["endpoint"]):
                # Busy with a call, which may block it; that call will tell what is wrong, if anything is.
                return
            change.run("UPDATE instances SET probed_until = 0 WHERE endpoint = ?", row["endpoint"])
            down = isinstance(exc, InstanceUnreachableError | InstanceTimeoutError)
            desk.set_aside(change, row["endpoint"], time.time(), down=down)
            self._schedule(change)

    def _go_on(self) -> None:
        while not self._is_stopped:
            try:
                self.bury_the_dead()
                self.think_again()
                self._ledger.host.sweep()
                for endpoint in self.probe_due() if self._has_probes else ():
                    self._probes.submit(self._probe_quietly, endpoint)
            except (OSError, sqlite3.Error, RuntimeError) as exc:
                _log.warning("upkeep of the pool: %s: %s", type(exc).__name__, exc)
            self._wake.wait(_EVERY_S)
            self._wake.clear()

    def _probe_quietly(self, endpoint: str) -> None:
        try:
            self.probe(endpoint)
        except (OSError, sqlite3.Error) as exc:
            _log.warning("a probe could not be written down: %s: %s", type(exc).__name__, exc)
