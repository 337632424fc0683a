"""What the ledger says about now and the near future: states, forecasts, and how to divide pictures into batches."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.calls import Call
from agent.capabilities import bare_checkpoint
from agent.ledger import Transaction
from agent.scene import Scene, batch_factor, free_in
from agent.schedule import Waiting, plan

State = Literal["idle", "loading", "busy", "resting", "down", "draining", "drained"]

_CLEARLY = 0.9
_ENOUGH_SAMPLES = 3


@dataclass(frozen=True)
class InstanceState:
    """One line of a status page. Times in seconds; `mean_s` is that of a call, `since_s` how long the work goes on."""

    name: str
    endpoint: str
    state: State
    checkpoint: str | None
    job: str | None
    since_s: float
    served: int
    failed: int
    mean_s: float | None
    load_s: float | None
    busy_s: float
    loading_s: float
    rest_s: float


@dataclass(frozen=True)
class Forecast:
    """When the pool's part of a job begins and ends, seconds from now; `place` counts the jobs before it from 1.

    A job whose first call has begun has place 0 and begins in 0 s.
    """

    place: int
    starts_in_s: float
    ends_in_s: float


def states(now_open: Transaction, now: float) -> tuple[InstanceState, ...]:
    """Describe every instance that is in the pool."""
    rows = now_open.rows("SELECT * FROM instances WHERE mode <> 'removed' OR holder IS NOT NULL ORDER BY rowid")
    return tuple(_state(row, now) for row in rows)


def forecasts(scene: Scene, overtake_s: float) -> dict[str, Forecast]:
    """Foresee the end of every job that has a call, waiting or under way."""
    jobs = {row["id"]: row["job"] for row in scene.calls}
    found: dict[str, Forecast] = {}
    for row in scene.instances:
        if row["job"]:
            ends_in_s = max(free_in(row, scene.now), found[row["job"]].ends_in_s if row["job"] in found else 0.0)
            found[row["job"]] = Forecast(0, 0.0, ends_in_s)
    place = 0
    for placed in plan(scene.waiting, scene.seats, scene.shares, overtake_s, everything=True):
        job = jobs[placed.call.id]
        earlier = found.get(job)
        if earlier is None:
            place += 1
            found[job] = Forecast(place, placed.starts_in, placed.ends_in)
        else:
            found[job] = Forecast(earlier.place, earlier.starts_in_s, max(earlier.ends_in_s, placed.ends_in))
    return found


def expected_s(now_open: Transaction, endpoint: str, call: Call) -> float | None:
    """Foresee the seconds of a picture, once a few of them were seen; None for work without pictures."""
    if call.size is None:
        return None
    rows = now_open.rows("SELECT endpoint, unit_s, samples FROM instances WHERE unit_s IS NOT NULL")
    if sum(row["samples"] for row in rows) < _ENOUGH_SAMPLES:
        return None
    factor = batch_factor(now_open, call.pictures) or call.pictures
    seconds: dict[str, float] = {row["endpoint"]: row["unit_s"] for row in rows}
    # An instance of which nothing is known may be as slow as the slowest.
    return call.size * factor * seconds.get(endpoint, max(seconds.values()))


def split(now_open: Transaction, now: float, num: int, checkpoint: str, size: float, max_batch: int) -> tuple[int, ...]:
    """Divide `num` pictures into batches, whichever division ends soonest; single pictures unless a batch clearly wins.

    A batch's time is learned. While nothing is known, and there are fewer idle instances than pictures, the first
    picture is made alone, so that somebody sees it soon, and the others as a batch, so that something is learned.
    """
    ones = (1,) * num
    if num == 1 or max_batch == 1:
        return ones
    scene = Scene.of(now_open, now)
    if not scene.seats:
        return ones
    if batch_factor(now_open, 2) is None:
        idle = sum(seat.is_idle for seat in scene.seats)
        return (1, num - 1) if idle < num and 2 < num <= max_batch + 1 else ones
    divisions = [_even(num, parts) for parts in range(num, 0, -1)]
    factors = {count: batch_factor(now_open, count) or float(count) for count in range(1, max_batch + 1)}
    ends = {
        division: _ends_in(scene, [size * factors[count] for count in division], checkpoint)
        for division in divisions
        if max(division) <= max_batch
    }
    best = min(ends, key=lambda division: ends[division])
    return best if ends[best] < _CLEARLY * ends[ones] else ones


def _ends_in(scene: Scene, sizes: Sequence[float], checkpoint: str) -> float:
    """Foresee when the last of these batches would be done if they were sent now, after all that waits already."""
    bare = bare_checkpoint(checkpoint)
    new = [Waiting(-1 - index, scene.now, bare, "", size) for index, size in enumerate(sizes)]
    placed = plan([*scene.waiting, *new], scene.seats, {}, 0.0, everything=True)
    return max((one.ends_in for one in placed if one.call.id < 0), default=float("inf"))


def _even(num: int, parts: int) -> tuple[int, ...]:
    return tuple(num // parts + (index < num % parts) for index in range(parts))


def _state(row: sqlite3.Row, now: float) -> InstanceState:
    calls = row["served"] + row["failed"]
    return InstanceState(
        name=row["name"],
        endpoint=row["endpoint"],
        state=_word(row),
        checkpoint=row["checkpoint"],
        job=row["job"] or None,
        since_s=max(now - row["since"], 0.0) if row["holder"] is not None else 0.0,
        served=row["served"],
        failed=row["failed"],
        mean_s=row["busy_s"] / calls if calls else None,
        load_s=row["load_s"],
        busy_s=row["busy_s"],
        loading_s=row["loading_s"],
        rest_s=max(row["rests_until"] - now, 0.0) if row["health"] != "up" else 0.0,
    )


def _word(row: sqlite3.Row) -> State:
    if row["mode"] != "open":
        return "draining" if row["holder"] is not None else "drained"
    if row["holder"] is not None:
        return "loading" if row["loads"] and row["task"] is None else "busy"
    return {"up": "idle", "resting": "resting"}.get(row["health"], "down")  # type: ignore[return-value]
