"""The pool's book-keeping: each function is a part of one transaction of the ledger.

A call is entered, granted an instance, and cleared; whoever changes something that could let a call start runs
`schedule` in the same transaction, so that two processes can never grant one instance twice.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from agent.ledger import Transaction, learn
from agent.scene import CALLS, DOWN, Scene, decayed
from agent.schedule import Placed, plan

Notify = Callable[[str, int], None]
"""Tell a process that one of its calls was granted or refused: (process id, number of the call)."""

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
    if change.row(f"{CALLS} LIMIT 1") is None:
        return
    scene = Scene.of(change, now)
    if scene.is_all_down:
        for call in scene.calls:
            change.run("UPDATE calls SET endpoint = '', reason = ? WHERE id = ?", DOWN, call["id"])
            change.after.append(_telling(notify, call["process"], call["id"]))
        return
    if not scene.has_idle:
        return
    endpoints = {row["name"]: row["endpoint"] for row in scene.instances}
    calls = {row["id"]: row for row in scene.calls}
    for placed in plan(scene.waiting, scene.seats, scene.shares, overtake_s):
        if placed.now:
            _grant(change, placed, endpoints[placed.seat], calls[placed.call.id], now)
            change.after.append(_telling(notify, calls[placed.call.id]["process"], placed.call.id))


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


def load_limit_s(now_open: Transaction) -> float | None:
    """Give the seconds after which a load is taken to hang, once one was seen: many times the slowest known."""
    row = now_open.row("SELECT MAX(load_s) FROM instances")
    return None if row is None or row[0] is None else max(_LEAST_LOAD_LIMIT_S, _LOAD_PATIENCE * float(row[0]))


def _grant(change: Transaction, placed: Placed, endpoint: str, call: sqlite3.Row, now: float) -> None:
    change.run("UPDATE calls SET endpoint = ?, reason = ? WHERE id = ?", endpoint, placed.reason, call["id"])
    change.run(
        "UPDATE instances SET holder = ?, call = ?, job = ?, share = ?, task = NULL, size = ?, pictures = ?, loads = ?,"
        " since = ?, ends = ? WHERE endpoint = ?",
        call["process"], call["id"], call["job"], call["share"], call["size"], call["pictures"], int(placed.loads), now,
        now + placed.ends_in, endpoint,
    )  # fmt: skip
    row = change.row("SELECT * FROM shares WHERE share = ?", call["share"])
    served = (decayed(row, now) if row is not None else 0.0) + (placed.call.size or 1.0)
    change.run("INSERT OR REPLACE INTO shares VALUES (?, ?, ?)", call["share"], served, now)


def _learn(change: Transaction, row: sqlite3.Row, column: str, value: float) -> None:
    known = row[column]
    mean = value if known is None else known + _NEWER * (value - known)
    change.run(f"UPDATE instances SET {column} = ? WHERE endpoint = ?", mean, row["endpoint"])  # noqa: S608


def _telling(notify: Notify, process: str, call: int) -> Callable[[], None]:
    return lambda: notify(process, call)
