"""The pool's rule under thousands of random loads, in simulated time: what must hold whatever comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.schedule import Seat, Waiting, fair_order, plan
from bench.schedule_simulation import (
    Ended,
    Farm,
    bursts,
    fairness,
    fifo,
    lower_bound_s,
    makespan_s,
    mixed,
    ours,
    seats_alike,
)

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent.parent
CHECKPOINTS = ("a", "b", "c")
OFFERS = frozenset({"controlnet:x", "controlnet:y"})
SLACK = 1e-6

speeds = st.sampled_from([0.25, 1.0, 1.0, 1.0, 3.0])
offers = st.none() | st.sampled_from([OFFERS, frozenset({"controlnet:x"}), frozenset()])


@st.composite
def instances(draw: st.DrawFn) -> list[Seat]:
    """Make one to five instances, fast and slow, with and without extensions."""
    count = draw(st.integers(1, 5))
    return [
        Seat(
            f"gpu{n}",
            draw(st.none() | st.sampled_from(CHECKPOINTS)),
            unit_s=draw(speeds),
            plain_s=draw(speeds),
            load_s=draw(st.sampled_from([0.0, 0.5, 2.5, 10.0])),
            offers=draw(offers),
        )
        for n in range(count)
    ]


@st.composite
def calls_for(draw: st.DrawFn, seats: Sequence[Seat]) -> list[Waiting]:
    """Make up to thirty calls that come over time, each of which some instance can serve."""
    since, calls = 0.0, list[Waiting]()
    for number in range(draw(st.integers(1, 30))):
        since += draw(st.sampled_from([0.0, 0.0, 0.1, 1.0, 4.0]))
        call = Waiting(
            number,
            since,
            draw(st.none() | st.sampled_from(CHECKPOINTS)),
            draw(st.sampled_from(["anna", "ben", "cleo"])),
            draw(st.none() | st.sampled_from([0.5, 1.0, 4.0])),
            draw(st.sampled_from([frozenset(), frozenset(), frozenset({"controlnet:x"}), OFFERS])),
            draw(st.sampled_from([frozenset(), frozenset(), frozenset({"gpu0"})])),
        )
        if not any(seat.may_take(call) for seat in seats):
            # As the pool does: a wish that nobody can meet is dropped.
            call = replace(call, needs=frozenset(), avoid=frozenset())
        calls.append(call)
    return calls


@st.composite
def loads(draw: st.DrawFn) -> tuple[list[Seat], list[Waiting], float]:
    """Make instances, calls, and the seconds for which a call may be overtaken."""
    seats = draw(instances())
    return seats, draw(calls_for(seats)), draw(st.sampled_from([0.0, 2.0, 10.0, 1000.0]))


class Watched:
    """The rule, and who was passed by it although it had waited too long and would have been done sooner."""

    def __init__(self, overtake_s: float) -> None:
        self._rule = ours(overtake_s)
        self._overtake_s = overtake_s
        self.passed: list[tuple[Waiting, Waiting]] = []

    def __call__(
        self, waiting: Sequence[Waiting], seats: Sequence[Seat], served: Mapping[str, float]
    ) -> Iterable[tuple[Waiting, str]]:
        started = list(self._rule(waiting, seats, served))
        begun = {call.id for call, _ in started}
        by_name = {seat.name: seat for seat in seats}
        for late in waiting:
            if late.id not in begun:
                self.passed += [
                    (late, call)
                    for call, name in started
                    if late.since + self._overtake_s < call.since and self._harms(late, by_name[name], seats)
                ]
        return started

    def _harms(self, late: Waiting, taken: Seat, seats: Sequence[Seat]) -> bool:
        """Whether the late call would have been done sooner there than on any other instance."""
        if not taken.may_take(late):
            return False
        others = [seat for seat in seats if seat.may_take(late) and seat.name != taken.name]
        return _end(late, taken) + SLACK < min((_end(late, seat) for seat in others), default=float("inf"))


def _end(call: Waiting, seat: Seat) -> float:
    loads = call.checkpoint not in (None, seat.checkpoint)
    return seat.free_in + seat.seconds(call) + (seat.load_s if loads else 0.0)


@settings(max_examples=400, deadline=None)
@given(loads())
def test_whatever_comes_every_call_is_served_once_and_none_too_late(
    load: tuple[list[Seat], list[Waiting], float],
) -> None:
    seats, calls, overtake_s = load
    rule = Watched(overtake_s)

    ended = Farm(seats, rule).run(calls)

    assert sorted(one.call.id for one in ended) == [call.id for call in calls]
    assert _double_bookings(ended) == []
    assert [one for one in ended if not _named(seats, one.seat).may_take(one.call)] == []
    assert rule.passed == []
    for one in ended:
        assert one.waited_s <= overtake_s + _work_before(one.call, calls, seats, overtake_s) + SLACK


def _named(seats: Sequence[Seat], name: str) -> Seat:
    return next(seat for seat in seats if seat.name == name)


def _double_bookings(ended: Sequence[Ended]) -> list[tuple[Ended, Ended]]:
    by_time = sorted(ended, key=lambda one: (one.seat, one.started, one.ended))
    pairs = zip(by_time, by_time[1:], strict=False)
    return [(one, other) for one, other in pairs if one.seat == other.seat and other.started < one.ended]


def _work_before(late: Waiting, calls: Sequence[Waiting], seats: Sequence[Seat], overtake_s: float) -> float:
    """Add up, at its slowest, all that came before the call or soon enough to pass it, and one call that had begun."""
    slowest = {call.id: max(seat.seconds(call) + seat.load_s for seat in seats) for call in calls}
    earlier = [slowest[call.id] for call in calls if call.since <= late.since + overtake_s and call.id != late.id]
    return sum(earlier) + max(slowest.values())


@settings(max_examples=250, deadline=None)
@given(st.integers(1, 6), st.lists(st.sampled_from([0.5, 1.0, 4.0]), min_size=1, max_size=40))
def test_with_one_checkpoint_it_is_list_scheduling_within_one_call(count: int, sizes: list[float]) -> None:
    seats = seats_alike(count, ["a"])
    calls = [Waiting(n, 0.0, "a", "", size) for n, size in enumerate(sizes)]

    assert makespan_s(Farm(seats, ours()).run(calls)) <= _list_scheduling(sizes, [1.0] * count) + max(sizes) + SLACK


@settings(max_examples=250, deadline=None)
@given(st.lists(speeds, min_size=1, max_size=5), st.integers(1, 40))
def test_with_unequal_instances_it_is_still_list_scheduling_within_one_call(speeds: list[float], count: int) -> None:
    seats = [Seat(f"gpu{n}", "a", unit_s=speed) for n, speed in enumerate(speeds)]
    calls = [Waiting(n, 0.0, "a", "", 1.0) for n in range(count)]

    assert makespan_s(Farm(seats, ours()).run(calls)) <= _list_scheduling([1.0] * count, speeds) + max(speeds) + SLACK


def _list_scheduling(sizes: Iterable[float], speeds: Sequence[float]) -> float:
    """Give each call to whichever instance is free first."""
    free = [0.0] * len(speeds)
    for size in sizes:
        first = free.index(min(free))
        free[first] += size * speeds[first]
    return max(free)


@settings(max_examples=150, deadline=None)
@given(loads())
def test_the_look_into_the_future_places_every_call_that_can_be_served(
    load: tuple[list[Seat], list[Waiting], float],
) -> None:
    seats, calls, overtake_s = load

    placed = plan(calls, seats, {}, overtake_s, everything=True)

    assert sorted(one.call.id for one in placed) == [call.id for call in calls]
    assert all(0 <= one.starts_in <= one.ends_in for one in placed)


@settings(max_examples=150, deadline=None)
@given(loads(), st.dictionaries(st.sampled_from(["anna", "ben"]), st.floats(0, 100)))
def test_the_fair_order_holds_everybody_once_and_nobody_behind_one_who_came_much_later(
    load: tuple[list[Seat], list[Waiting], float], served: dict[str, float]
) -> None:
    _, calls, overtake_s = load

    order = list(fair_order(calls, served, overtake_s))

    assert sorted(call.id for call in order) == [call.id for call in calls]
    newest = float("-inf")
    for call in order:
        newest = max(newest, call.since)
        assert newest <= call.since + overtake_s
    for share in {call.share for call in calls}:
        own = [call.id for call in order if call.share == share]
        assert own == sorted(own)


@pytest.mark.parametrize("order", ["in turn", "random", "in blocks"])
@pytest.mark.parametrize("count", [1, 2, 3, 6, 12, 32])
def test_three_mixed_checkpoints_are_done_near_the_lower_bound(count: int, order: str) -> None:
    seats, calls = seats_alike(count), mixed(20 * count, order)

    ended = Farm(seats, ours()).run(calls)

    assert lower_bound_s(calls, seats) / makespan_s(ended) >= 0.85


@pytest.mark.parametrize("count", [2, 6, 12])
def test_three_mixed_checkpoints_are_done_twice_as_fast_as_first_come_first_served(count: int) -> None:
    seats, calls = seats_alike(count), mixed(20 * count, "random")

    assert makespan_s(Farm(seats, fifo).run(calls)) >= 2 * makespan_s(Farm(seats, ours()).run(calls))


def test_the_page_shows_what_the_simulation_prints() -> None:
    page = (ROOT / "docs" / "scheduling.md").read_text("utf-8").splitlines()
    printed = [*islice(bursts(), 11), *fairness()]
    assert [line for line in printed if line not in page] == []
