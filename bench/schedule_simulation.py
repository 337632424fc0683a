"""`python -m bench.schedule_simulation`: the pool's rule in simulated time; prints the table of docs/scheduling.md.

The rule that is measured is the one that the server runs, agent/schedule.py. Instances and calls are made up, seconds
cost nothing, and every number comes out the same each time.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import simpy

from agent.schedule import Seat, Waiting, plan

CHECKPOINTS = ("sketch", "model", "rendering")
LOAD_S = 2.5
OVERTAKE_S = 120.0

Rule = Callable[[Sequence[Waiting], Sequence[Seat], Mapping[str, float]], Iterable[tuple[Waiting, str]]]
"""Who starts now and where, from the waiting, first come first, the instances, and what each share got so far."""


@dataclass(frozen=True)
class Ended:
    """A call that was served; times in seconds of the simulation, `started` before the load if there was one."""

    call: Waiting
    seat: str
    started: float
    ended: float
    loaded: bool

    @property
    def waited_s(self) -> float:
        """How long it stood in the queue."""
        return self.started - self.call.since


class Farm:
    """Instances that paint in simulated time. A second call on a busy one is a ValueError."""

    def __init__(self, seats: Sequence[Seat], rule: Rule) -> None:
        """Begin at 0 s with idle instances; their `unit_s`, `plain_s` and `load_s` are true and known to the rule."""
        self.env = simpy.Environment()
        self.ended: list[Ended] = []
        self._rule = rule
        self._seats = {seat.name: seat for seat in seats}
        self._busy_until: dict[str, float] = {}
        self._waiting: dict[int, Waiting] = {}
        self._served: defaultdict[str, float] = defaultdict(float)

    def run(self, calls: Iterable[Waiting], until: float | None = None) -> list[Ended]:
        """Let the calls come at their times, and give those that ended (by `until`, seconds), first ended first."""
        for since, together in groupby(sorted(calls, key=lambda call: call.since), key=lambda call: call.since):
            self.env.process(self._come(since, list(together)))
        self.env.run(until)
        return self.ended

    def _come(self, since: float, calls: Iterable[Waiting]) -> Generator[simpy.Event, None, None]:
        yield self.env.timeout(since)
        self._waiting |= {call.id: call for call in calls}
        self._decide()

    def _decide(self) -> None:
        if not self._waiting or len(self._busy_until) == len(self._seats):
            return
        seats = [self._now(seat) for seat in self._seats.values()]
        for call, name in list(self._rule(list(self._waiting.values()), seats, self._served)):
            if name in self._busy_until or call.id not in self._waiting:
                raise ValueError(f"{name} was given to call {call.id} although one of them was taken")
            del self._waiting[call.id]
            self._served[call.share] += call.size or 1.0
            self._start(call, self._seats[name])

    def _start(self, call: Waiting, seat: Seat) -> None:
        loads, started = call.checkpoint not in (None, seat.checkpoint), self.env.now
        ended = started + seat.seconds(call) + (seat.load_s if loads else 0.0)
        self._busy_until[seat.name] = ended
        # The rule sees a busy instance with the checkpoint that it will have.
        self._seats[seat.name] = replace(seat, checkpoint=call.checkpoint or seat.checkpoint, last_used=started)
        self.env.process(self._serve(Ended(call, seat.name, started, ended, loads)))

    def _serve(self, one: Ended) -> Generator[simpy.Event, None, None]:
        yield self.env.timeout(one.ended - one.started)
        self.ended.append(one)
        del self._busy_until[one.seat]
        self._decide()

    def _now(self, seat: Seat) -> Seat:
        end = self._busy_until.get(seat.name)
        return replace(seat, free_in=0.0 if end is None else max(end - self.env.now, 0.001), is_idle=end is None)


def ours(overtake_s: float = OVERTAKE_S) -> Rule:
    """Give the pool's own rule."""

    def rule(
        waiting: Sequence[Waiting], seats: Sequence[Seat], served: Mapping[str, float]
    ) -> Iterable[tuple[Waiting, str]]:
        return [(one.call, one.seat) for one in plan(waiting, seats, served, overtake_s) if one.now]

    return rule


def fifo(
    waiting: Sequence[Waiting], seats: Sequence[Seat], served: Mapping[str, float]
) -> Iterator[tuple[Waiting, str]]:
    """Do what most systems do: first come, first served, by whichever instance has been idle longest."""
    idle = sorted((seat for seat in seats if seat.is_idle), key=lambda seat: (seat.last_used, seat.name))
    for call in waiting if idle else ():
        seat = next((one for one in idle if one.may_take(call)), None)
        if seat is not None:
            idle.remove(seat)
            yield call, seat.name
        if not idle:
            return


def lower_bound_s(calls: Iterable[Waiting], seats: Sequence[Seat]) -> float:
    """Find the shortest makespan that any rule could reach, all calls being there at 0 s and all instances alike.

    Within C seconds a checkpoint with W seconds of work needs at least W / C instances, rounded up; each of them that
    does not have it at the start must load it, and work and loads must fit into C seconds of all instances.
    """
    work: defaultdict[str | None, float] = defaultdict(float)
    for call in calls:
        work[call.checkpoint] += seats[0].seconds(call)
    have = Counter(seat.checkpoint for seat in seats)

    def fits(makespan_s: float) -> bool:
        loads = sum(max(0, math.ceil(need / makespan_s) - have[name]) for name, need in work.items() if name)
        return sum(work.values()) + loads * seats[0].load_s <= len(seats) * makespan_s

    low, high = sum(work.values()) / len(seats), sum(work.values()) + len(work) * seats[0].load_s
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def makespan_s(ended: Iterable[Ended]) -> float:
    """Give the time of the last end."""
    return max(one.ended for one in ended)


def seats_alike(count: int, checkpoints: Sequence[str | None] = CHECKPOINTS) -> list[Seat]:
    """Make instances that paint a picture of size 1 in 1 s and load in 2.5 s; they have the checkpoints in turn."""
    return [Seat(f"gpu{n}", checkpoints[n % len(checkpoints)], load_s=LOAD_S) for n in range(count)]


def mixed(count: int, order: str) -> list[Waiting]:
    """Make a burst of pictures of three checkpoints, each of a participant of its own.

    `order`: "random", "in turn" (a, b, c, a, ...), or "in blocks" (all a, then all b, ...).
    """
    dice = random.Random(count)
    choose: dict[str, Callable[[int], str]] = {
        "random": lambda n: dice.choice(CHECKPOINTS),
        "in turn": lambda n: CHECKPOINTS[n % 3],
        "in blocks": lambda n: CHECKPOINTS[n * 3 // count],
    }
    return [Waiting(n, 0.0, choose[order](n), f"participant {n}", 1.0) for n in range(count)]


def greedy_crowd(others: int, pictures: int, times: int, checkpoints: Sequence[str] = CHECKPOINTS[:1]) -> list[Waiting]:
    """Make one participant who came first with `times` as many pictures as each of the others; all come at 0 s."""
    shares = ["greedy"] * (pictures * times) + [f"participant {n % others}" for n in range(others * pictures)]
    dice = random.Random(len(shares))
    return [Waiting(n, 0.0, dice.choice(checkpoints), share, 1.0) for n, share in enumerate(shares)]


def stream(rate: float, seconds: float, seed: int = 1) -> list[Waiting]:
    """Make pictures of three checkpoints that come by chance, `rate` a second, from 20 participants."""
    dice, at, calls = random.Random(seed), 0.0, list[Waiting]()
    while (at := at + dice.expovariate(rate)) < seconds:
        calls.append(Waiting(len(calls), at, dice.choice(CHECKPOINTS), f"participant {dice.randrange(20)}", 1.0))
    return calls


def bursts() -> Iterator[str]:
    """Give the table of pictures that come all at once, line by line."""
    yield "| instances | pictures | order | lower bound / makespan | loads | FIFO's makespan / ours |"
    yield "|---|---|---|---|---|---|"
    for instances in (1, 3, 6, 12, 32):
        for order in ("in turn", "random", "in blocks"):
            seats, calls = seats_alike(instances), mixed(20 * instances, order)
            ended, naive = Farm(seats, ours()).run(calls), Farm(seats, fifo).run(calls)
            share = lower_bound_s(calls, seats) / makespan_s(ended)
            yield (
                f"| {instances} | {len(calls)} | {order} | {share:.2f} | {sum(one.loaded for one in ended)} "
                f"| {makespan_s(naive) / makespan_s(ended):.1f} |"
            )


def streams() -> Iterator[str]:
    """Give the table of pictures that come by chance."""
    yield "| instances | load | rule | mean wait, s | longest wait, s | loads per picture |"
    yield "|---|---|---|---|---|---|"
    for instances, load in ((1, 0.4), (6, 0.5), (6, 0.7), (6, 0.85), (32, 0.85)):
        calls = stream(load * instances, 600.0)
        for name, rule in (("ours", ours()), ("FIFO", fifo)):
            ended = Farm(seats_alike(instances), rule).run(calls)
            waits = [one.waited_s for one in ended]
            yield (
                f"| {instances} | {load:.0%} | {name} | {sum(waits) / len(waits):.1f} | {max(waits):.1f} "
                f"| {sum(one.loaded for one in ended) / len(ended):.2f} |"
            )


def fairness() -> Iterator[str]:
    """Give the table of one who wants twenty times as much as the others."""
    yield "| rule | longest wait / mean wait | mean wait of the 39, s | of the greedy one, s |"
    yield "|---|---|---|---|"
    calls = greedy_crowd(others=39, pictures=2, times=20)
    for name, rule in (("ours", ours()), ("FIFO", fifo)):
        ended = Farm(seats_alike(6, CHECKPOINTS[:1]), rule).run(calls)
        waits, theirs = [one.waited_s for one in ended], [one.waited_s for one in ended if one.call.share != "greedy"]
        greedy = [one.waited_s for one in ended if one.call.share == "greedy"]
        yield (
            f"| {name} | {max(waits) * len(waits) / sum(waits):.2f} | {sum(theirs) / len(theirs):.1f} "
            f"| {sum(greedy) / len(greedy):.1f} |"
        )


def main() -> None:
    """Print the tables."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for table in (bursts, streams, fairness):
        for line in table():
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
