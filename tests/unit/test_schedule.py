"""The pool's rule by examples: who is served next, where, and what each sentence of docs/scheduling.md means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from agent.schedule import Placed, Seat, Waiting, fair_order, plan
from bench.schedule_simulation import Farm, greedy_crowd, makespan_s, mixed, ours, seats_alike

pytestmark = pytest.mark.unit

OVERTAKE_S = 120.0


def _started(waiting: list[Waiting], seats: list[Seat], overtake_s: float = OVERTAKE_S) -> dict[int, str]:
    return {one.call.id: one.seat for one in plan(waiting, seats, {}, overtake_s) if one.now}


def _busy(name: str, checkpoint: str, free_in: float, **more: float) -> Seat:
    return Seat(name, checkpoint, free_in, is_idle=False, **more)


def test_nothing_waits_and_nothing_is_planned() -> None:
    assert plan([], seats_alike(2), {}, OVERTAKE_S) == []
    assert plan(mixed(3, "random"), [], {}, OVERTAKE_S) == []


def test_a_call_goes_where_its_checkpoint_is() -> None:
    seats = [Seat("gpu0", "a"), Seat("gpu1", "b")]
    assert _started([Waiting(1, 0.0, "b"), Waiting(2, 0.0, "a")], seats) == {1: "gpu1", 2: "gpu0"}


def test_a_call_without_a_checkpoint_goes_to_the_idle_one_that_rested_longest() -> None:
    seats = [Seat("gpu0", "a", last_used=2.0), Seat("gpu1", "b", last_used=1.0)]
    assert _started([Waiting(1, 0.0)], seats) == {1: "gpu1"}


@pytest.mark.parametrize(("busy_for_s", "started"), [(1.0, {}), (9.0, {1: "gpu1"})])
def test_a_busy_instance_with_the_checkpoint_is_waited_for_if_a_load_would_take_longer(
    busy_for_s: float, started: dict[int, str]
) -> None:
    seats = [_busy("gpu0", "a", busy_for_s), Seat("gpu1", "b", load_s=5.0)]
    assert _started([Waiting(1, 0.0, "a", size=1.0)], seats) == started


def test_a_fast_busy_instance_is_waited_for_beside_a_slow_idle_one() -> None:
    seats = [_busy("fast", "a", 1.0, unit_s=1.0), Seat("slow", "a", unit_s=10.0)]
    assert _started([Waiting(1, 0.0, "a", size=1.0)], seats) == {}
    assert _started([Waiting(n, 0.0, "a", size=1.0) for n in range(12)], seats) == {9: "slow"}


def test_of_the_idle_instances_the_fastest_is_taken() -> None:
    seats = [Seat("gpu0", "a", unit_s=2.0), Seat("gpu1", "a", unit_s=1.0)]
    assert _started([Waiting(1, 0.0, "a", size=1.0)], seats) == {1: "gpu1"}


def test_an_instance_whose_own_queue_is_the_longer_one_keeps_its_checkpoint() -> None:
    seats = [Seat("gpu0", "a", load_s=2.5), _busy("gpu1", "b", 0.5)]
    calls = [Waiting(n, 0.0, "a", size=1.0) for n in range(3)] + [Waiting(n, 0.0, "b", size=1.0) for n in range(3, 6)]
    assert _started(calls, seats) == {0: "gpu0"}


def test_an_instance_helps_the_longer_queue_when_its_own_is_short() -> None:
    seats = [Seat("gpu0", "a", load_s=2.5), _busy("gpu1", "b", 0.5)]
    calls = [Waiting(n, 0.0, "b", size=1.0) for n in range(12)]
    [placed] = [one for one in plan(calls, seats, {}, OVERTAKE_S) if one.now]
    assert (placed.seat, placed.loads, placed.call.checkpoint) == ("gpu0", True, "b")
    assert (placed.starts_in, placed.ends_in) == (0.0, 3.5)
    assert placed.reason == "done soonest, the load included"


def test_the_example_of_the_page() -> None:
    seats = [Seat("gpu0", "sketch", unit_s=2.0, load_s=5.0), _busy("gpu1", "rendering", 1.0, unit_s=2.0, load_s=5.0)]
    calls = [Waiting(n, 0.0, "rendering", size=1.0) for n in range(6)]
    assert _started(calls[:1], seats) == {}
    assert list(_started(calls, seats).values()) == ["gpu0"]
    assert max(one.ends_in for one in plan(calls, seats, {}, OVERTAKE_S, everything=True)) == 9.0
    sketches = [Waiting(n, 0.0, "sketch", size=1.0) for n in range(6, 12)]
    assert _started([*calls, *sketches], seats) == {6: "gpu0"}


def test_queues_that_are_nearly_equal_do_not_send_instances_to_and_fro() -> None:
    seats, calls = seats_alike(32), mixed(640, "in turn")
    assert sum(one.loaded for one in Farm(seats, ours()).run(calls)) <= 4


def test_an_instance_is_given_only_what_it_offers() -> None:
    seats = [Seat("gpu0", "a", offers=frozenset()), Seat("gpu1", "b", offers=frozenset({"sam"}))]
    assert _started([Waiting(1, 0.0, needs=frozenset({"sam"}))], seats) == {1: "gpu1"}
    assert _started([Waiting(1, 0.0, "a", avoid=frozenset({"gpu0"}))], seats) == {1: "gpu1"}


def test_two_calls_that_each_need_the_others_instance_do_not_wait_for_each_other_for_ever() -> None:
    seats = [Seat("gpu0", "a"), Seat("gpu1", "b")]
    calls = [Waiting(1, 0.0, "a", avoid=frozenset({"gpu0"})), Waiting(2, 0.0, "b", avoid=frozenset({"gpu1"}))]
    assert _started(calls, seats) == {1: "gpu1", 2: "gpu0"}


def test_a_call_that_the_instances_with_its_checkpoint_cannot_take_gets_another_one() -> None:
    seats = [
        Seat("gpu0", "a", offers=frozenset()),
        Seat("gpu1", "b", offers=frozenset({"x"})),
        Seat("gpu2", "b", offers=frozenset({"x"})),
    ]
    calls = [Waiting(n, 0.0, "b", size=1.0) for n in range(6)] + [Waiting(6, 0.0, "a", size=1.0, needs=frozenset("x"))]
    assert _started(calls, seats)[6] in ("gpu1", "gpu2")


def test_who_came_first_is_served_first_among_equals() -> None:
    calls = [Waiting(n, float(n), "a", f"share {n}", 1.0) for n in (3, 1, 2)]
    assert [call.id for call in fair_order(calls, {}, OVERTAKE_S)] == [1, 2, 3]


def test_who_submits_little_goes_before_who_submits_much() -> None:
    calls = [Waiting(n, 0.0, "a", "much", 1.0) for n in range(4)] + [Waiting(9, 1.0, "a", "little", 1.0)]
    assert [call.id for call in fair_order(calls, {}, OVERTAKE_S)] == [0, 9, 1, 2, 3]
    assert [call.id for call in fair_order(calls, {"much": 5.0}, OVERTAKE_S)] == [9, 0, 1, 2, 3]


def test_a_large_call_counts_for_more_than_a_small_one() -> None:
    calls = [
        *(Waiting(n, 0.0, "a", "large", 4.0) for n in range(2)),
        *(Waiting(n, 1.0, "a", "small", 1.0) for n in range(2, 6)),
    ]
    assert [call.id for call in fair_order(calls, {}, OVERTAKE_S)] == [0, 2, 3, 4, 5, 1]


def test_fairness_ends_where_somebody_waited_too_long() -> None:
    calls = [Waiting(1, 0.0, "a", "much", 1.0), Waiting(2, 99.0, "a", "little", 1.0)]
    assert [call.id for call in fair_order(calls, {"much": 100.0}, 100.0)] == [2, 1]
    assert [call.id for call in fair_order(calls, {"much": 100.0}, 98.0)] == [1, 2]


def test_who_waited_too_long_takes_the_instance_that_another_was_to_start_on() -> None:
    calls = [Waiting(1, 0.0, "b", size=1.0), Waiting(2, 150.0, "a", size=1.0)]
    [placed] = [one for one in plan(calls, [Seat("gpu0", "a")], {}, OVERTAKE_S) if one.now]
    assert (placed.call.id, placed.loads, placed.reason) == (1, True, "waited too long to be passed")
    assert _started(calls, [Seat("gpu0", "a")], overtake_s=200.0) == {2: "gpu0"}


def test_one_that_waited_too_long_is_not_forgotten_over_an_instance_that_it_cannot_use() -> None:
    seats = [Seat("gpu0", "c"), Seat("gpu1", "b")]
    late = Waiting(1, 0.0, "a", size=1.0, avoid=frozenset({"gpu0"}))
    calls = [late, Waiting(2, 150.0, "c", size=1.0), Waiting(3, 150.0, "b", size=1.0)]
    assert _started(calls, seats) == {2: "gpu0", 1: "gpu1"}


def test_who_will_be_done_sooner_elsewhere_does_not_take_an_instance_from_others() -> None:
    seats = [_busy("gpu0", "b", 1.0), Seat("gpu1", "a", load_s=5.0)]
    calls = [Waiting(1, 0.0, "b", size=1.0), Waiting(2, 150.0, "a", size=1.0)]
    assert _started(calls, seats) == {2: "gpu1"}


def test_an_endless_stream_of_another_checkpoint_starves_nobody() -> None:
    stream = [Waiting(n, max(n - 5.0, 0.0), "b", f"share {n % 7}", 1.0) for n in range(600)]
    patient = Waiting(1000, 10.0, "a", "patient", 1.0)
    ended = Farm([Seat("gpu0", "b", load_s=2.5)], ours(30.0)).run([*stream, patient], until=300.0)
    [waited_s] = [one.waited_s for one in ended if one.call is patient]
    passed_by = [one.call for one in ended if patient.since < one.call.since and one.started < 10.0 + waited_s]
    assert 30.0 < waited_s <= 30.0 + 6.0
    assert max(call.since for call in passed_by) <= 40.0


def test_a_slow_instance_gets_less() -> None:
    seats = [Seat("gpu0", "a"), Seat("gpu1", "a"), Seat("slow", "a", unit_s=5.0)]
    ended = Farm(seats, ours()).run([Waiting(n, 0.0, "a", size=1.0) for n in range(110)])
    served = Counter(one.seat for one in ended)
    assert served == {"gpu0": 50, "gpu1": 50, "slow": 10}
    assert makespan_s(ended) == pytest.approx(50.0)


@pytest.mark.parametrize("checkpoints", [("a",), ("a", "b", "c")], ids=["one checkpoint", "three checkpoints"])
@pytest.mark.parametrize("instances", [1, 2, 3, 6])
def test_one_of_forty_who_submits_twenty_times_as_much_keeps_nobody_waiting(
    instances: int, checkpoints: tuple[str, ...]
) -> None:
    calls = greedy_crowd(others=39, pictures=2, times=20, checkpoints=checkpoints)
    ended = Farm(seats_alike(instances, checkpoints), ours()).run(calls)
    assert max(one.waited_s for one in ended) <= 3 * _mean(one.waited_s for one in ended)
    greedy = _mean(one.waited_s for one in ended if one.call.share == "greedy")
    assert _mean(one.waited_s for one in ended if one.call.share != "greedy") < 0.8 * greedy


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def test_a_forecast_says_when_each_will_start_and_end() -> None:
    seats = [Seat("gpu0", "a", load_s=2.0), _busy("gpu1", "b", 1.0)]
    calls = [Waiting(1, 0.0, "a", size=1.0), Waiting(2, 0.0, "a", size=1.0), Waiting(3, 0.0, "b", size=1.0)]
    placed = {one.call.id: one for one in plan(calls, seats, {}, OVERTAKE_S, everything=True)}
    assert _times(placed[1]) == ("gpu0", 0.0, 1.0, True)
    assert _times(placed[2]) == ("gpu0", 1.0, 2.0, False)
    assert _times(placed[3]) == ("gpu1", 1.0, 2.0, False)


def _times(one: Placed) -> tuple[str, float, float, bool]:
    return one.seat, one.starts_in, one.ends_in, one.now
