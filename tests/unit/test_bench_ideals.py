"""The ideals that the bench compares with are right: computed by hand, and never beaten."""

from __future__ import annotations

import pytest

from bench.farm.journal import Entry
from bench.ideals import (
    double_bookings,
    longest_chain_s,
    lower_bound_s,
    makespan_s,
    percentile,
    uniform_share,
    waits_s,
)

pytestmark = pytest.mark.unit


def entry(start: float, end: float, checkpoint: str = "A", **more: object) -> Entry:
    values = {"instance": "gpu-01", "kind": "txt2img", "task_id": "t", "seed": 0, "pictures": 1, "others": 0}
    values |= {"arrived": start, "start": start, "end": end, "checkpoint": checkpoint, "outcome": "done"}
    return Entry(**(values | more))  # type: ignore[arg-type]


def test_without_a_load_the_lower_bound_is_the_work_spread_over_all_instances() -> None:
    entries = [entry(0, 1) for _ in range(12)]

    assert lower_bound_s(entries, {"gpu-01": "A", "gpu-02": "A"}, load_s=5) == pytest.approx(6, abs=0.01)


def test_a_checkpoint_that_nobody_has_loaded_costs_at_least_one_load() -> None:
    entries = [entry(0, 1) for _ in range(6)] + [entry(0, 1, "B") for _ in range(6)]

    assert lower_bound_s(entries, {"gpu-01": "A", "gpu-02": "A"}, load_s=2) == pytest.approx(7, abs=0.01)


def test_a_checkpoint_with_much_work_must_be_loaded_more_than_once() -> None:
    loaded = {"gpu-01": "A", "gpu-02": "A", "gpu-03": "A"}
    entries = [entry(0, 1) for _ in range(10)] + [entry(0, 1, "B") for _ in range(20)]

    # 30 s of work on three instances; one with B would need 20 s for it, so two must load: (30 + 2 * 3) / 3.
    assert lower_bound_s(entries, loaded, load_s=3) == pytest.approx(12, abs=0.01)


def test_failed_calls_count_as_no_work() -> None:
    entries = [entry(0, 2), entry(0, 2, outcome="failed"), entry(0, 2, kind="load")]

    assert uniform_share(entries, instances=1, makespan_s=4) == 0.5


def test_of_steps_that_may_run_side_by_side_the_longest_counts() -> None:
    seconds = {"chat": 1.0, "sam": 2.0, "paint": 4.0}

    assert longest_chain_s((("chat",), ("chat", "sam"), ("paint",)), seconds) == 7.0


def test_a_wait_ends_when_the_instance_takes_the_job_on_its_load_included() -> None:
    entries = [entry(5, 6, seed=1), entry(8, 9, seed=2, load_start=6.0, load_end=8.0)]

    assert waits_s(entries, {1: 1.0, 2: 1.0, 3: 1.0}) == {1: 4.0, 2: 5.0}
    assert makespan_s(entries, since=1.0) == 8.0


def test_each_call_that_came_to_a_busy_instance_is_a_double_booking() -> None:
    assert double_bookings([entry(0, 1), entry(0, 1, others=1), entry(0, 1, kind="sam-predict", others=2)]) == 2


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(1, 101)]

    assert percentile(values, 0.99) == 99.0
    assert percentile([3.0], 0.5) == 3.0
