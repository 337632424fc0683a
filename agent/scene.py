"""The pool at one moment, as the scheduler sees it: read from the ledger in one transaction, and not changed."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from agent.ledger import Transaction
from agent.schedule import Seat, Waiting

DOWN = "down"
INSTANCES = "SELECT instances.*, calls.checkpoint AS coming FROM instances LEFT JOIN calls ON calls.id = instances.call"
"""All instances; `coming` is the checkpoint that a busy one will have when it is idle again."""
CALLS = "SELECT * FROM calls WHERE endpoint IS NULL"
"""All calls that wait."""

HALF_LIFE_S = 600.0
_UNIT_S, _PLAIN_S, _LOAD_S, _LOAD_UNITS = 0.4, 2.0, 1.0, 13.0
_LATE = 0.5


@dataclass(frozen=True)
class Scene:
    """Rows of the ledger at a moment, and, worked out when asked for, what they mean to the scheduler.

    `factors` are the batch factors by number of pictures.
    """

    now: float
    instances: Sequence[sqlite3.Row]
    calls: Sequence[sqlite3.Row]
    factors: Mapping[int, float]
    shares: Mapping[str, float]

    @classmethod
    def of(cls, now_open: Transaction, now: float) -> Scene:
        """Read everything; it is good for as long as the transaction, and nearly so for a moment after it."""
        calls = now_open.rows(CALLS)
        return cls(now, now_open.rows(INSTANCES), calls, factors_of(now_open, calls), shares_of(now_open, now))

    @cached_property
    def seats(self) -> Sequence[Seat]:
        """The instances that take work."""
        return seats_of(self.instances, self.now)

    @cached_property
    def waiting(self) -> Sequence[Waiting]:
        """The calls that wait."""
        return waiting_of(self.calls, self.instances, self.factors)

    @property
    def has_idle(self) -> bool:
        """Whether some instance could begin at once."""
        return any(row["mode"] == "open" and row["health"] == "up" and row["holder"] is None for row in self.instances)

    @property
    def is_all_down(self) -> bool:
        """Whether no instance takes work now, nor will after a short rest.

        Where all are drained somebody means to resume one: that is waited for.
        """
        modes = {row["mode"] for row in self.instances}
        if "open" in modes:
            return not any(row["mode"] == "open" and row["health"] != DOWN for row in self.instances)
        return "drained" not in modes


def seats_of(instances: Sequence[sqlite3.Row], now: float) -> list[Seat]:
    """Turn the instances that take work into what the scheduler sees."""
    unit_s, plain_s = (_mean([row[name] for row in instances]) for name in ("unit_s", "plain_s"))
    # While nothing was seen a load is taken to be short, so that idle instances are tried and something is learned;
    # while pictures were seen but no load, to be as long as a few of them.
    load_s = _mean([row["load_s"] for row in instances]) or (_LOAD_UNITS * unit_s if unit_s else _LOAD_S)
    unit_s, plain_s = unit_s or _UNIT_S, plain_s or _PLAIN_S
    return [
        Seat(
            name=row["name"],
            checkpoint=row["coming"] or row["checkpoint"],
            free_in=free_in(row, now),
            is_idle=row["holder"] is None,
            unit_s=row["unit_s"] or unit_s,
            plain_s=row["plain_s"] or plain_s,
            load_s=row["load_s"] or load_s,
            last_used=row["last_used"],
            offers=None if row["offers"] is None else names(row["offers"]),
        )
        for row in instances
        if row["mode"] == "open" and row["health"] == "up"
    ]


def free_in(row: sqlite3.Row, now: float) -> float:
    """Foresee how much longer a busy instance will be busy: the longer it is late, the longer we think."""
    if row["holder"] is None:
        return 0.0
    late_s: float = now - row["ends"]
    return max(-late_s, _LATE * late_s, 0.001)


def factors_of(now_open: Transaction, calls: Sequence[sqlite3.Row]) -> dict[int, float]:
    """Give the batch factor for each number of pictures among the calls; as many pictures, as much time, if unknown."""
    return {count: batch_factor(now_open, count) or float(count) for count in {row["pictures"] for row in calls}}


def batch_factor(now_open: Transaction, pictures: int) -> float | None:
    """How many single pictures' time a batch of this many takes, as far as was learned; None: nothing was.

    One size that was seen tells about the others: each further picture is taken to cost the same.
    """
    if pictures == 1:
        return 1.0
    rows = now_open.rows("SELECT key, value FROM learned WHERE key LIKE 'batch:%'")
    seen = {int(row["key"].partition(":")[2]): float(row["value"]) for row in rows}
    if not seen:
        return None
    nearest = min(seen, key=lambda count: (abs(count - pictures), count))
    return 1.0 + (pictures - 1) * max(seen[nearest] - 1.0, 0.0) / (nearest - 1)


def waiting_of(
    calls: Sequence[sqlite3.Row], instances: Sequence[sqlite3.Row], factors: Mapping[int, float]
) -> list[Waiting]:
    """Turn the waiting calls into what the scheduler sees; `factors` are the batch factors by number of pictures.

    A wish that no instance can meet, nor will after its rest, is dropped, so that the call is tried somewhere and fails
    with the true reason.
    """
    rows = [row for row in instances if row["mode"] == "open" and row["health"] != DOWN]
    able = {row["name"]: None if row["offers"] is None else names(row["offers"]) for row in rows}
    found = []
    for row in calls:
        needs, avoid = names(row["needs"]), names(row["avoid"])
        if avoid.issuperset(able):
            avoid = frozenset()
        if not any(name not in avoid and (offers is None or needs <= offers) for name, offers in able.items()):
            needs = frozenset()
        size = row["size"] if row["size"] is None else row["size"] * factors[row["pictures"]]
        found.append(Waiting(row["id"], row["since"], row["checkpoint"], row["share"], size, needs, avoid))
    return found


def shares_of(now_open: Transaction, now: float) -> dict[str, float]:
    """Give what each share was served lately, in units of size; what is long ago counts less and less."""
    rows = now_open.rows("SELECT * FROM shares WHERE at > ?", now - 10 * HALF_LIFE_S)
    return {row["share"]: decayed(row, now) for row in rows}


def decayed(row: sqlite3.Row, now: float) -> float:
    """Give what a row of the shares is worth now."""
    served, at = float(row["served"]), float(row["at"])
    return served * math.exp2(-max(now - at, 0.0) / HALF_LIFE_S)


@lru_cache(maxsize=1024)
def names(text: str) -> frozenset[str]:
    """Read a list of names that stands in the ledger as JSON."""
    # Most calls need the same, and each is looked at whenever an instance becomes idle.
    return frozenset(json.loads(text))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
