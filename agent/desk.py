"""The pool's book-keeping: each function is a part of one transaction of the ledger.

A call is entered, granted an instance, and cleared; whoever changes something that could let a call start runs
`schedule` in the same transaction, so that two processes can never grant one instance twice.
"""

from __future__ import annotations

import json
import logging
import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agent.ledger import Transaction, learn
from agent.schedule import Placed, Seat, Waiting, plan

Notify = Callable[[str, int], None]
"""Tell a process that one of its calls was granted or refused: (process id, number of the call)."""

DOWN = "down"
INSTANCES = "SELECT instances.*, calls.checkpoint AS coming FROM instances LEFT JOIN calls ON calls.id = instances.call"
"""All instances; `coming` is the checkpoint that a busy one will have when it is idle again."""

_HALF_LIFE_S = 600.0
_UNIT_S, _PLAIN_S, _LOAD_S, _LOAD_UNITS = 0.4, 2.0, 1.0, 13.0
_LATE = 0.5
_NEWER = 0.3
_FIRST_REST_S = 1.0
_LONGEST_REST_S = 60.0
_DOWN_AFTER = 3
_LEAST_LOAD_LIMIT_S = 15.0
_LOAD_PATIENCE = 6.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """A call as it is entered."""

    checkpoint: str | None
    share: str
    job: str
    size: float | None
    pictures: int
    needs: frozenset[str]
    avoid: frozenset[str]
    since: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a lease.

    `served`: it ended well; `failed`: the instance is to blame, `down`: and cannot be reached. `checkpoint` is what it
    has loaded now, None if nobody knows. Seconds are None where they were not measured.
    """

    served: bool
    failed: bool = False
    down: bool = False
    checkpoint: str | None = None
    paint_s: float | None = None
    load_s: float | None = None
    unsettled: bool = False
    abandoned_task: str | None = None


def enter(change: Transaction, process: str, entry: Entry, now: float) -> int:
    """Put a call into the queue, and give its number."""
    return change.insert(
        "INSERT INTO calls (process, since, checkpoint, share, job, size, pictures, needs, avoid)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        process, entry.since or now, entry.checkpoint, entry.share, entry.job, entry.size, entry.pictures,
        json.dumps(sorted(entry.needs)), json.dumps(sorted(entry.avoid)),
    )  # fmt: skip


def withdraw(change: Transaction, call: int) -> bool:
    """Take a call out, wherever it stands; tell whether an instance became free by that, on which nothing was begun."""
    change.run("DELETE FROM calls WHERE id = ?", call)
    freed = "UPDATE instances SET holder = NULL, call = NULL, job = NULL, share = NULL WHERE call = ?"
    return change.run(freed, call) == 1


def schedule(change: Transaction, now: float, overtake_s: float, notify: Notify) -> None:
    """Grant idle instances to waiting calls; refuse all that wait when every instance is down."""
    instances = change.rows(INSTANCES)
    calls = change.rows("SELECT * FROM calls WHERE endpoint IS NULL")
    if not calls:
        return
    if is_all_down(instances):
        for call in calls:
            change.run("UPDATE calls SET endpoint = '', reason = ? WHERE id = ?", DOWN, call["id"])
            change.after.append(_telling(notify, call["process"], call["id"]))
        return
    seats = seats_of(instances, now)
    if not any(seat.is_idle for seat in seats):
        return
    endpoints = {row["name"]: row["endpoint"] for row in instances}
    rows = {row["id"]: row for row in calls}
    waiting = waiting_of(calls, instances, factors_of(change, calls))
    for placed in plan(waiting, seats, shares_of(change, now), overtake_s):
        if placed.now:
            _grant(change, placed, endpoints[placed.seat], rows[placed.call.id], now)
            change.after.append(_telling(notify, rows[placed.call.id]["process"], placed.call.id))


def clear(change: Transaction, endpoint: str, process: str, call: int, outcome: Outcome, now: float) -> None:
    """Write down what became of a lease, and let the instance go; nothing if it is not this call's any more."""
    row = change.row("SELECT * FROM instances WHERE endpoint = ? AND holder = ? AND call = ?", endpoint, process, call)
    change.run("DELETE FROM calls WHERE id = ?", call)
    if row is None:
        return
    learn_times(change, row, outcome, now)
    change.run(
        "UPDATE instances SET holder = NULL, call = NULL, job = NULL, share = NULL, task = NULL, last_used = ?1,"
        " seen_at = CASE WHEN ?2 THEN ?1 ELSE seen_at END, served = served + ?2, failed = failed + ?3,"
        " busy_s = busy_s + ?1 - since, loading_s = loading_s + ?4, loads_done = loads_done + (?4 > 0),"
        " checkpoint = ?5, unsettled = ?6, abandoned_task = ?7,"
        " failures = CASE WHEN ?2 THEN 0 ELSE failures END, health = CASE WHEN ?2 THEN 'up' ELSE health END"
        " WHERE endpoint = ?8",
        now, int(outcome.served), int(outcome.failed), outcome.load_s or 0.0,
        outcome.checkpoint, int(outcome.unsettled), outcome.abandoned_task, endpoint,
    )  # fmt: skip
    if outcome.failed:
        set_aside(change, endpoint, now, down=outcome.down)


def set_aside(change: Transaction, endpoint: str, now: float, *, down: bool) -> None:
    """Let an instance rest after a failure, longer after each; it is down if not reached, or after several in a row.

    The rest ends with a probe (upkeep.py), never by itself.
    """
    row = change.row("SELECT * FROM instances WHERE endpoint = ?", endpoint)
    if row is None:
        return
    failures = row["failures"] + 1
    health = DOWN if down or failures >= _DOWN_AFTER else "resting"
    rest_s = min(_FIRST_REST_S * 2 ** (failures - 1), _LONGEST_REST_S)
    change.run(
        "UPDATE instances SET failures = ?, health = ?, rests_until = ? WHERE endpoint = ?",
        failures, health, now + rest_s, endpoint,
    )  # fmt: skip
    _log.warning("%s failed %d times in a row; it is %s and probed in %.0f s", row["name"], failures, health, rest_s)


def learn_times(change: Transaction, row: sqlite3.Row, outcome: Outcome, now: float) -> None:
    """Keep how fast the instance was: later observations weigh more."""
    if outcome.load_s:
        _learn(change, row, "load_s", outcome.load_s)
    if not outcome.served:
        return
    if row["size"] is None:
        _learn(change, row, "plain_s", now - row["since"])
    elif outcome.paint_s is not None and row["pictures"] == 1:
        _learn(change, row, "unit_s", outcome.paint_s / max(row["size"], 1e-9))
        change.run("UPDATE instances SET samples = samples + 1 WHERE endpoint = ?", row["endpoint"])
    elif outcome.paint_s is not None and row["unit_s"]:
        # How many single pictures' time the batch took.
        learn(change, f"batch:{row['pictures']}", outcome.paint_s / max(row["size"] * row["unit_s"], 1e-9))


def is_all_down(instances: Sequence[sqlite3.Row]) -> bool:
    """Tell whether no instance takes work now, nor will after a short rest.

    Where all are drained somebody means to resume one: that is waited for.
    """
    modes = {row["mode"] for row in instances}
    if "open" in modes:
        return not any(row["mode"] == "open" and row["health"] != DOWN for row in instances)
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
            offers=None if row["offers"] is None else _names(row["offers"]),
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


def load_limit_s(now_open: Transaction) -> float | None:
    """Give the seconds after which a load is taken to hang, once one was seen: many times the slowest known."""
    row = now_open.row("SELECT MAX(load_s) FROM instances")
    return None if row is None or row[0] is None else max(_LEAST_LOAD_LIMIT_S, _LOAD_PATIENCE * float(row[0]))


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
    able = {row["name"]: None if row["offers"] is None else _names(row["offers"]) for row in rows}
    found = []
    for row in calls:
        needs, avoid = _names(row["needs"]), _names(row["avoid"])
        if avoid.issuperset(able):
            avoid = frozenset()
        if not any(name not in avoid and (offers is None or needs <= offers) for name, offers in able.items()):
            needs = frozenset()
        size = row["size"] if row["size"] is None else row["size"] * factors[row["pictures"]]
        found.append(Waiting(row["id"], row["since"], row["checkpoint"], row["share"], size, needs, avoid))
    return found


def shares_of(now_open: Transaction, now: float) -> dict[str, float]:
    """Give what each share was served lately, in units of size; what is long ago counts less and less."""
    rows = now_open.rows("SELECT * FROM shares WHERE at > ?", now - 10 * _HALF_LIFE_S)
    return {row["share"]: _decayed(row, now) for row in rows}


def _grant(change: Transaction, placed: Placed, endpoint: str, call: sqlite3.Row, now: float) -> None:
    change.run("UPDATE calls SET endpoint = ?, reason = ? WHERE id = ?", endpoint, placed.reason, call["id"])
    change.run(
        "UPDATE instances SET holder = ?, call = ?, job = ?, share = ?, task = NULL, size = ?, pictures = ?, loads = ?,"
        " since = ?, ends = ? WHERE endpoint = ?",
        call["process"], call["id"], call["job"], call["share"], call["size"], call["pictures"], int(placed.loads), now,
        now + placed.ends_in, endpoint,
    )  # fmt: skip
    row = change.row("SELECT * FROM shares WHERE share = ?", call["share"])
    served = (_decayed(row, now) if row is not None else 0.0) + (placed.call.size or 1.0)
    change.run("INSERT OR REPLACE INTO shares VALUES (?, ?, ?)", call["share"], served, now)


def _learn(change: Transaction, row: sqlite3.Row, column: str, value: float) -> None:
    known = row[column]
    mean = value if known is None else known + _NEWER * (value - known)
    change.run(f"UPDATE instances SET {column} = ? WHERE endpoint = ?", mean, row["endpoint"])  # noqa: S608


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _decayed(row: sqlite3.Row, now: float) -> float:
    served, at = float(row["served"]), float(row["at"])
    return served * math.exp2(-max(now - at, 0.0) / _HALF_LIFE_S)


def _telling(notify: Notify, process: str, call: int) -> Callable[[], None]:
    return lambda: notify(process, call)


@lru_cache(maxsize=1024)
def _names(text: str) -> frozenset[str]:
    # Most calls need the same, and each is looked at whenever an instance becomes idle.
    return frozenset(json.loads(text))
