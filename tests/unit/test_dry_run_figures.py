"""A dry run's figures: scripts by lot, waits in real seconds, warnings where the machine was the limit."""

from __future__ import annotations

from typing import Any

import pytest

from standins.dry_run.crowd import Done, Findings
from standins.dry_run.pace import Pace
from standins.dry_run.plan import Act, Plan, arrival_s, script_of
from standins.dry_run.report import figures_of, percentile, table

pytestmark = pytest.mark.unit

PACE = Pace(
    scale=10, wanted=20, picture_overhead_s=0.1, base_s={"sketch.create_new": 0.5}, pictures_per_s=9, mean_steps=20
)


def _done(latency_s: float, participant: str = "p", paint_s: float = 0.2, error: str = "") -> Done:
    details = {"paint_s": paint_s, "network_s": 0.0, "load_s": 0.1, "steps": 20, "batch": 1}
    job: dict[str, Any] = {
        "steps": [{"kind": "txt2img", "error": None, "details": details, "duration_s": 1, "waited_s": 0}],
        "outputs": [{"kind": "image"}],
    }
    return Done(participant, "sketch.create_new", latency_s, {} if error else job, error)


def _figures(*done: Done, **more: Any) -> dict[str, Any]:
    found = Findings(done=list(done), waiting=[0, 4, 2], ping_s=[0.01] * 20, **more)
    return figures_of(Plan(participants=2), PACE, found, {"p": "a", "q": "b"}, 2_000_000, 60)


def test_waits_are_told_in_real_seconds_without_the_servers_own_part() -> None:
    figures = _figures(_done(1.45), _done(2.45, "q"))

    assert figures["conditions"]["a"]["waiting_s"]["mean"] == 10.0
    assert figures["conditions"]["b"]["waiting_s"]["max"] == 20.0
    assert figures["all"]["waiting_s"] == {"mean": 15.0, "p50": 10.0, "p95": 20.0, "max": 20.0}


def test_gpu_hours_storage_and_queue_follow_from_what_was_made() -> None:
    figures = _figures(*[_done(1.0)] * 1000)

    assert figures["gpu_hours"] == pytest.approx(1000 * (20 * 0.1 + 0.1 * 10) / 3600, abs=0.001)
    assert figures["storage_mb"] == {"total": 422.0, "records": 2.0, "pictures": 420.0, "per_participant": 211.0}
    assert figures["longest_queue"] == 4
    assert figures["accuracy_s"] == 0.1


def test_failures_are_counted_and_do_not_count_as_waits() -> None:
    figures = _figures(_done(1.45), _done(90, error="PoolTimeoutError"))

    assert figures["all"]["failures"] == {"PoolTimeoutError": 1}
    assert figures["all"]["waiting_s"]["max"] == 10.0


def test_a_machine_that_was_the_limit_is_warned_of() -> None:
    slow = _figures(_done(1, paint_s=0.5))

    assert slow["slowness"] == 2.5
    assert "this machine" in slow["warnings"][0]
    assert _figures(_done(1))["warnings"] == []
    assert "WARNING" in table(slow)


def test_a_script_is_a_recorded_session_or_the_usual_one_and_the_same_for_the_same_seed() -> None:
    recorded = [[Act(operation="brief.create_new", think_s=3)]]

    assert script_of(Plan(scripts=recorded), 5) == recorded[0]
    assert script_of(Plan(), 5) == script_of(Plan(), 5) != script_of(Plan(), 6)
    assert arrival_s(Plan(per_hour=8), 4) == 1800
    assert 0 <= arrival_s(Plan(), 4) <= 60


def test_a_percentile_is_one_of_the_values() -> None:
    assert (percentile([3, 1, 2], 50), percentile([1, 2], 95), percentile([], 95)) == (2, 2, 0.0)
