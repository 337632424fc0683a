"""Which instances there are: those of the configuration, and those added, drained and removed while the server runs."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Sequence

from agent.calls import Call
from agent.capabilities import Capabilities, bare_checkpoint, from_text, without_hash
from agent.departed import bury, departed
from agent.desk import Entry
from agent.errors import UnknownInstanceError
from agent.instance import SDInstance
from agent.ledger import Ledger, Transaction
from agent.scene import names

_CLEAN = "mode = 'open', health = 'up', failures = 0, rests_until = 0, seen_at = 0, probed_until = 0, offers = NULL"


class Roster:
    """The instances of a pool. The ledger says which there are; here are this process's connections to them."""

    def __init__(self, ledger: Ledger, configured: Sequence[SDInstance]) -> None:
        """Keep the configured ones, which stand in the ledger from `join` on."""
        self._ledger = ledger
        self._configured = tuple(configured)
        self._lock = threading.Lock()
        self._by_endpoint = {instance.endpoint: instance for instance in configured}
        self.has_joined = False

    def __len__(self) -> int:
        """Count the instances known here."""
        return len(self._by_endpoint)

    def join(self) -> None:
        """Write the configured instances into the ledger.

        The first process of a server makes the ledger say what the configuration says; a later one only adds what is
        new, so that an instance that was drained or removed meanwhile stays so. Raises OSError or sqlite3.Error.
        """
        with self._lock:
            if self.has_joined:
                return
            with self._ledger.change() as change:
                bury(change, departed(change, self._ledger.host))
                if change.row("SELECT 1 FROM members") is None:
                    self._begin_anew(change)
                change.run("INSERT OR IGNORE INTO members VALUES (?)", self._ledger.host.id)
                for instance in self._configured:
                    self._insert(change, instance)
            self.has_joined = True

    def _begin_anew(self, change: Transaction) -> None:
        configured = json.dumps([instance.endpoint for instance in self._configured])
        change.run("DELETE FROM instances WHERE endpoint NOT IN (SELECT value FROM json_each(?))", configured)
        change.run(f"UPDATE instances SET {_CLEAN}")  # noqa: S608
        change.run("DELETE FROM lists")

    def all(self) -> tuple[SDInstance, ...]:
        """Give the instances known here."""
        return tuple(self._by_endpoint.values())

    def at(self, endpoint: str) -> SDInstance:
        """Give the instance at an endpoint of the ledger, which another process may have added."""
        with self._lock:
            if endpoint not in self._by_endpoint:
                self._by_endpoint[endpoint] = self._configured[0].sibling(endpoint)
            return self._by_endpoint[endpoint]

    def named(self, name: str) -> SDInstance | None:
        """Give the instance of a name known here."""
        return next((instance for instance in self.all() if instance.name == name), None)

    def listed(self, endpoint: str) -> Capabilities | None:
        """Give what an instance was seen to list, whichever process looked; None if none did yet."""
        # Long texts in a table of their own, so that whoever looks at the instances need not read them.
        with self._ledger.look() as now:
            row = now.row("SELECT text FROM lists WHERE endpoint = ?", endpoint)
        return None if row is None else from_text(row["text"])

    def entry(self, checkpoint: str | None, avoid: Collection[str], call: Call) -> Entry:
        """Write a call as it is entered into the ledger."""
        bare = bare_checkpoint(checkpoint) if checkpoint is not None else None
        needs = call.needs | ({f"checkpoint:{bare}"} if bare is not None else frozenset())
        return Entry(
            bare, call.share, call.job, call.size, call.pictures, frozenset(needs), frozenset(avoid), call.since
        )

    def add(self, change: Transaction, endpoint: str) -> None:
        """Take an instance in, also one that was removed before. Raises UnknownInstanceError for no URL."""
        endpoint = endpoint.rstrip("/")
        if not endpoint.startswith(("http://", "https://")) or "@" in endpoint:
            raise UnknownInstanceError("the address of a WebUI must start with http:// or https://, without a login")
        self._insert(change, self.at(endpoint))
        if change.run(f"UPDATE instances SET {_CLEAN} WHERE endpoint = ? AND mode <> 'open'", endpoint):  # noqa: S608
            change.run("DELETE FROM lists WHERE endpoint = ?", endpoint)

    def set_mode(self, change: Transaction, name: str, mode: str) -> None:
        """Set an instance (by name or endpoint) to open, drained or removed. Raises UnknownInstanceError."""
        changed = change.run(
            "UPDATE instances SET mode = ? WHERE (name = ? OR endpoint = ?) AND mode <> 'removed'",
            mode, name, name.rstrip("/"),
        )  # fmt: skip
        if not changed:
            rows = change.rows("SELECT name FROM instances WHERE mode <> 'removed' ORDER BY name")
            raise UnknownInstanceError(
                f"there is no instance of this name; there are {', '.join(row[0] for row in rows)}"
            )

    def why_unservable(self, now: Transaction, checkpoint: str, controlnet: Collection[str]) -> str | None:
        """Name what every instance is known to lack."""
        offers = offers_in(now)
        if not offers or None in offers:
            return None
        wanted = {f"checkpoint:{bare_checkpoint(checkpoint)}": f"the checkpoint {checkpoint!r}"}
        wanted |= {f"controlnet:{without_hash(model)}": f"the ControlNet model {model!r}" for model in controlnet}
        lacks = [wanted.keys() - (offered or ()) for offered in offers]
        if not all(lacks):
            return None
        everywhere = set.intersection(*lacks) or set.union(*lacks)
        missing = " and ".join(sorted(wanted[need] for need in everywhere))
        return f"no WebUI has {missing}; install it there or change the preset"

    def _insert(self, change: Transaction, instance: SDInstance) -> None:
        change.run("INSERT OR IGNORE INTO instances (endpoint, name) VALUES (?, ?)", instance.endpoint, instance.name)


def offers_in(now: Transaction) -> list[frozenset[str] | None]:
    """List what each instance that takes work offers; None for one that has not told yet."""
    rows = now.rows("SELECT offers FROM instances WHERE mode = 'open'")
    return [None if row["offers"] is None else names(row["offers"]) for row in rows]


def offers_of(has: Capabilities) -> list[str]:
    """List what an instance offers, in the words in which a call says what it needs."""
    offers = [f"checkpoint:{name}" for checkpoint in has.checkpoints for name in checkpoint.bare_names]
    offers += [f"controlnet:{without_hash(model)}" for model in has.controlnet_models or ()]
    return offers + (["sam"] if has.sam_models is not None else [])
