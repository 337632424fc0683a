"""Who is served next, and where: the rule of the pool, as a pure function. docs/scheduling.md explains it.

1. Order. Waiting calls stand in fair order: first whoever's share was served least. Nobody passes a call that came more
   than `overtake_s` earlier.
2. Change over. An idle instance is given another checkpoint only if that makes the longer queue shorter: the queue of
   the checkpoint that it leaves and that of the one that it takes are compared with and without it, the load counted.
   The gain must be worth a quarter of the load, or instances would go to and fro between queues that are nearly equal.
   A call that no instance with its checkpoint can take makes its queue endless; no call is left behind like that.
3. Place. In that order, each call is planned on the instance of its checkpoint where it will be done soonest. Those
   planned first on an idle instance start now; the others wait for the instance that is worth waiting for.
4. Bound. What would start now although a call waits that came more than `overtake_s` earlier, and that would be done
   sooner here, gives way to it.

All times are seconds from now. Nothing here knows of threads, processes or the network.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Placed", "Seat", "Waiting", "fair_order", "plan"]

_FAR = float("inf")
_LOOK_AHEAD = 48
_WORTH = 0.25


@dataclass(frozen=True)
class Waiting:
    """A call that waits. `since` is when it came, by a clock that all share; `needs` what its instance must offer."""

    id: int
    since: float
    checkpoint: str | None = None
    share: str = ""
    size: float | None = None
    needs: frozenset[str] = frozenset()
    avoid: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Seat:
    """An instance that takes work. `free_in` is 0 when it is idle; `offers` None means that nobody knows yet.

    `unit_s` are the seconds for one unit of size, `plain_s` for a call without one, `load_s` to load a checkpoint.
    """

    name: str
    checkpoint: str | None
    free_in: float = 0.0
    is_idle: bool = True
    unit_s: float = 1.0
    plain_s: float = 1.0
    load_s: float = 1.0
    last_used: float = 0.0
    offers: frozenset[str] | None = None

    def seconds(self, call: Waiting) -> float:
        """How long this call takes here, its checkpoint being loaded."""
        return self.plain_s if call.size is None else call.size * self.unit_s

    def may_take(self, call: Waiting) -> bool:
        """Whether the call can be served here at all, as far as is known."""
        return self.name not in call.avoid and (self.offers is None or call.needs <= self.offers)


@dataclass(frozen=True)
class Placed:
    """Where and when a call is planned; `now`: it starts at once. `reason` is for people."""

    call: Waiting
    seat: str
    starts_in: float
    ends_in: float
    loads: bool
    now: bool
    reason: str


def plan(
    waiting: Sequence[Waiting],
    seats: Sequence[Seat],
    served: Mapping[str, float],
    overtake_s: float,
    *,
    everything: bool = False,
) -> list[Placed]:
    """Place the calls; with `everything` also those that start later, else only until no idle instance is left.

    `served` is what each share got lately, in units of size.
    """
    if not waiting or not seats:
        return []
    return _Planner(waiting, seats, served, overtake_s).run(everything=everything)


def fair_order(waiting: Sequence[Waiting], served: Mapping[str, float], overtake_s: float) -> Iterator[Waiting]:
    """Yield the calls in the order in which they should be served: rule 1."""
    by_age = sorted(waiting, key=lambda call: (call.since, call.id))
    shares: dict[str, deque[Waiting]] = {}
    for call in by_age:
        shares.setdefault(call.share, deque()).append(call)
    got = {share: served.get(share, 0.0) for share in shares}
    heads = [(got[share], calls[0].since, calls[0].id, share) for share, calls in shares.items()]
    heapq.heapify(heads)
    taken: set[int] = set()
    for oldest in by_age:
        while oldest.id not in taken:
            _, since, _, share = heads[0]
            if since > oldest.since + overtake_s:
                # The oldest call is the first of its share, which must go before its time.
                share = oldest.share
                heads = [head for head in heads if head[3] != share]
                heapq.heapify(heads)
            else:
                heapq.heappop(heads)
            call = shares[share].popleft()
            got[share] += call.size or 1.0
            if shares[share]:
                following = shares[share][0]
                heapq.heappush(heads, (got[share], following.since, following.id, share))
            taken.add(call.id)
            yield call


class _Planner:
    """The plan in the making: for each instance the checkpoint it will have and when it will be free."""

    def __init__(
        self, waiting: Sequence[Waiting], seats: Sequence[Seat], served: Mapping[str, float], overtake_s: float
    ) -> None:
        self.seats = {seat.name: seat for seat in seats}
        self.checkpoint = {seat.name: seat.checkpoint for seat in seats}
        self.free_in = {seat.name: seat.free_in for seat in seats}
        self.idle = {seat.name for seat in seats if seat.is_idle}
        self.changed: set[str] = set()
        self.overtake_s = overtake_s
        self.able = _able(waiting, seats)
        self.avoided = frozenset[str]().union(*(call.avoid for call in waiting))
        self.order = list(fair_order(waiting, served, overtake_s))
        self.by_checkpoint: dict[str, list[Waiting]] = {}
        for call in self.order:
            if call.checkpoint is not None:
                self.by_checkpoint.setdefault(call.checkpoint, []).append(call)

    def run(self, *, everything: bool) -> list[Placed]:
        """Apply the rules 2, 3 and 4; a look into the future does without the bound, which is seldom needed."""
        self._change_over()
        placed = self._place(everything=everything)
        return placed if everything else self._bound(placed)

    def _change_over(self) -> None:
        """Rule 2, one instance after the other, as long as it helps."""
        while True:
            gains = [gain for wanted in self.by_checkpoint for gain in self._gains(wanted)]
            if not gains:
                return
            _, _, name, wanted = min(gains)
            self.free_in[name] += self.seats[name].load_s
            self.checkpoint[name] = wanted
            self.changed.add(name)

    def _gains(self, wanted: str) -> Iterator[tuple[float, float, str, str]]:
        """For each idle instance that could change over to `wanted` with a gain: (-before, after, instance, wanted)."""
        candidates = list(self._candidates(wanted))
        if not candidates:
            return
        calls, team = self.by_checkpoint[wanted], self._team(wanted)
        lost, last = self._drain(calls, team)
        for name in candidates:
            left = self.checkpoint[name]
            others = [one for one in self._team(left) if one != name]
            behind = self.by_checkpoint.get(left, []) if left is not None else []
            behind_lost, behind_last = self._drain(behind, [*others, name])
            then_lost, then_last = self._drain(behind, others)
            if then_lost > behind_lost:
                continue
            joined_lost, joined_last = self._drain(calls, [*team, name], newcomer=name)
            before = _FAR if joined_lost < lost else max(last, behind_last)
            after = max(joined_last, then_last)
            if after < before - _WORTH * self.seats[name].load_s:
                yield (-before, after, name, wanted)

    def _candidates(self, wanted: str) -> Iterator[str]:
        """Of the idle instances with one checkpoint, and of one kind, the fastest stands for all."""
        tried = set()
        idle = [self.seats[name] for name in self.idle - self.changed]
        for seat in sorted(idle, key=lambda seat: (seat.unit_s, seat.last_used, seat.name)):
            kind = (seat.checkpoint, seat.offers, seat.name in self.avoided)
            if kind not in tried and seat.checkpoint != wanted:
                tried.add(kind)
                yield seat.name

    def _team(self, checkpoint: str | None) -> list[str]:
        return [name for name, has in self.checkpoint.items() if has == checkpoint]

    def _drain(self, calls: Sequence[Waiting], team: Sequence[str], newcomer: str = "") -> tuple[int, float]:
        """Count the calls that this team cannot serve, and say when the last of the others would be done."""
        if not team:
            return len(calls), 0.0
        free = {name: self.free_in[name] + (self.seats[name].load_s if name == newcomer else 0.0) for name in team}
        lost, last = 0, 0.0
        for call in calls[:_LOOK_AHEAD]:
            able = self.able[call.id]
            ends = [(free[name] + self.seats[name].seconds(call), name) for name in team if name in able]
            if ends:
                end, name = min(ends)
                free[name], last = end, max(last, end)
            else:
                lost += 1
        # What lies beyond is shared out by speed, which is exact enough for so long a queue.
        beyond = sum(call.size or 1.0 for call in calls[_LOOK_AHEAD:])
        return lost, last + beyond / sum(1 / max(self.seats[name].unit_s, 1e-9) for name in team)

    def _place(self, *, everything: bool) -> list[Placed]:
        """Rule 3."""
        placed: list[Placed] = []
        untouched = set(self.idle)
        for call in self.order:
            if not (untouched or everything):
                break
            found = self._soonest(call, untouched, anywhere=everything)
            if found is not None:
                placed.append(self._put(call, found, now=found in untouched))
                untouched.discard(found)
        return placed

    def _soonest(self, call: Waiting, untouched: set[str], *, anywhere: bool) -> str | None:
        able = self.able[call.id]
        team = [name for name in able if call.checkpoint in (None, self.checkpoint[name])]
        if not team:
            # Rule 2 saw no gain for its queue; but where no instance that it may use has its checkpoint, and one
            # stands idle for which there is no other work, that one is it.
            team = [
                name
                for name in able
                if anywhere or (name in untouched and self.checkpoint[name] not in self.by_checkpoint)
            ]
        if not team:
            return None
        return min(team, key=lambda name: (self._ends(call, name), self.seats[name].last_used, name))

    def _ends(self, call: Waiting, name: str) -> float:
        seat = self.seats[name]
        load_s = 0.0 if call.checkpoint in (None, self.checkpoint[name]) else seat.load_s
        return self.free_in[name] + load_s + seat.seconds(call)

    def _put(self, call: Waiting, name: str, *, now: bool) -> Placed:
        seat, starts_in = self.seats[name], self.free_in[name]
        loads = call.checkpoint is not None and call.checkpoint != (seat.checkpoint if now else self.checkpoint[name])
        ends_in = self._ends(call, name)
        if now and name in self.changed:
            starts_in -= seat.load_s
        self.free_in[name] = ends_in
        if call.checkpoint is not None:
            self.checkpoint[name] = call.checkpoint
        return Placed(call, name, starts_in, ends_in, loads, now, _reason(call, seat, loads=loads))

    def _bound(self, placed: list[Placed]) -> list[Placed]:
        """Rule 4."""
        starting = {one.call.id for one in placed if one.now}
        planned = {one.call.id: one.ends_in for one in placed}
        late = sorted((c for c in self.order if c.id not in starting), key=lambda call: (call.since, call.id))
        for index, one in enumerate(placed):
            for call in late if one.now else ():
                if call.since + self.overtake_s >= one.call.since:
                    break
                instead = self._at_once(call, one.seat)
                if one.seat in self.able[call.id] and instead.ends_in < planned.get(call.id, _FAR):
                    placed[index] = instead
                    late.remove(call)
                    break
        return placed

    def _at_once(self, call: Waiting, name: str) -> Placed:
        seat = self.seats[name]
        loads = call.checkpoint not in (None, seat.checkpoint)
        ends_in = seat.seconds(call) + (seat.load_s if loads else 0.0)
        return Placed(call, name, 0.0, ends_in, loads, True, "waited too long to be passed")


def _able(waiting: Sequence[Waiting], seats: Sequence[Seat]) -> dict[int, frozenset[str]]:
    """Name for each call the instances that can serve it."""
    known: dict[tuple[frozenset[str], frozenset[str]], frozenset[str]] = {}
    for call in waiting:
        wish = (call.needs, call.avoid)
        if wish not in known:
            known[wish] = frozenset(seat.name for seat in seats if seat.may_take(call))
    return {call.id: known[call.needs, call.avoid] for call in waiting}


def _reason(call: Waiting, seat: Seat, *, loads: bool) -> str:
    if call.checkpoint is None:
        return "idle soonest"
    if not loads:
        return "has the checkpoint"
    return "done soonest, the load included" if seat.checkpoint else "nothing known to be loaded"
