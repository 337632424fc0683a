"""Jobs that paint, on stand-in WebUIs: results appear one by one, a cancel reaches its own instance and no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.host import Host
from agent.ledger import Ledger
from agent.pool import SDInstancePool
from jobs.errors import UnservableError
from jobs.pins import Pins
from jobs.run import Run
from jobs.service import Jobs
from jobs.submission import Product
from store.ids import new_id
from store.stores import Stores
from tests.job_bench import Bench, job_bench, kept, submission, until
from tests.stand_ins import StandIn, stand_in

pytestmark = pytest.mark.unit

PRESET = "sketch_create_new"


def _paints(run: Run) -> list[Product]:
    return [*run.images.paint_all(run.inputs.num, PRESET, subject="chair")]


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[StandIn, StandIn]]:
    """Run two WebUIs that draw simple pictures at once."""
    flags = ("--step-time", "0", "--load-time", "0", "--plain")
    with stand_in("webui", *flags) as first, stand_in("webui", *flags) as second:
        yield first, second


@pytest.fixture
def webuis(running: tuple[StandIn, StandIn]) -> Iterator[tuple[StandIn, StandIn]]:
    """Give the two, which have forgotten everything."""
    for webui in running:
        webui.reset()
    yield running
    for webui in running:
        webui.reset()


@pytest.fixture
def paint(stores: Stores, tmp_path: Path) -> Iterator[Any]:
    """Give a function that builds a process which paints on these WebUIs."""
    with ExitStack() as stack:
        bench = stack.enter_context(job_bench(stores, tmp_path))

        def build(*webuis: StandIn, operation: Any = _paints, **more: Any) -> Jobs:
            host = Host(bench.folder / "pool", new_id())
            pool = SDInstancePool([webui.instance() for webui in webuis], 30, ledger=Ledger(host))
            stack.callback(host.stop)
            stack.callback(pool.close)
            presets = {(1, "op"): (PRESET,)}
            return bench.jobs(operation, parts=replace(_parts(bench), pool=pool), presets=presets, **more)

        yield build


def _parts(bench: Bench) -> Any:
    return bench.parts


def _running(*webuis: StandIn) -> list[int]:
    return [int(webui.state()["running"]) for webui in webuis]


def test_a_job_runs_from_its_first_lease_on_and_says_where_its_time_went(
    paint: Any, webuis: tuple[StandIn, StandIn]
) -> None:
    jobs = paint(webuis[0])
    record = jobs.wait(jobs.run(submission()).id, 10)

    [step] = record.steps
    assert record.started_at is not None
    assert record.started_at >= step.started_at
    details = step.details
    assert (details["index"], details["batch"]) == (0, 1)
    assert details["instance"] == webuis[0].instance().name
    assert details["reason"]
    assert all(details[name] >= 0 for name in ("load_s", "paint_s", "network_s"))
    assert record.times["paint_s"] == pytest.approx(details["paint_s"], abs=0.001)


def test_the_first_picture_is_there_before_the_last(
    paint: Any, webuis: tuple[StandIn, StandIn], stores: Stores
) -> None:
    first, second = webuis
    jobs = paint(*webuis)
    second.close_gate()
    first.close_gate()
    record = jobs.submit(submission(num=2))
    until(lambda: _running(*webuis) == [1, 1])

    first.open_gate()

    [output] = until(lambda: kept(stores, record.id).outputs)
    between = kept(stores, record.id)
    assert between.state == "running"
    assert stores.contents.exists(output.image_id or "")
    assert output.step in {step.id for step in between.steps}
    second.open_gate()
    assert sorted(one.index for one in jobs.wait(record.id, 10).outputs) == [0, 1]


def test_a_batch_is_one_step_with_several_pictures(paint: Any, webuis: tuple[StandIn, StandIn], stores: Stores) -> None:
    jobs = paint(*webuis)
    singles = jobs.wait(jobs.run(submission(num=3)).id, 10)

    batched = jobs.wait(jobs.run(submission(num=3, pins=Pins(batches={PRESET: (1, 2)}))).id, 10)

    steps = sorted(batched.steps, key=lambda step: step.details["index"])
    assert [(step.details["index"], step.details["batch"], step.details["seed"]) for step in steps] == [
        (0, 1, 7),
        (1, 2, 8),
    ]
    assert len(steps[1].details["image_ids"]) == 2
    assert {o.index: o.step for o in batched.outputs} == {0: steps[0].id, 1: steps[1].id, 2: steps[1].id}
    assert {(o.index, o.image_id) for o in batched.outputs} == {(o.index, o.image_id) for o in singles.outputs}
    assert Pins.of_record(batched).sizes(PRESET, 3) == (1, 2)


def test_a_canceled_picture_is_interrupted_on_its_own_instance_and_on_no_other(
    paint: Any, webuis: tuple[StandIn, StandIn]
) -> None:
    jobs = paint(*webuis)
    for webui in webuis:
        webui.close_gate()
    records = [jobs.submit(submission(name)) for name in "AB"]
    until(lambda: _running(*webuis) == [1, 1])
    until(lambda: all(jobs.runner.job(record.id).recorder.has_begun for record in records))

    jobs.cancel(records[0].id)

    until(lambda: sum(_running(*webuis)) == 1)
    for webui in webuis:
        webui.open_gate()
    assert jobs.wait(records[1].id, 10).state == "succeeded"
    assert jobs.wait(records[0].id, 10).outputs == ()
    outcomes = sorted(entry["outcome"] for webui in webuis for entry in webui.journal())
    assert outcomes == ["done", "interrupted"]
    assert jobs.run(submission("C", num=2)).state == "succeeded"


def test_a_job_that_waits_knows_its_place_and_when_it_will_be_done(paint: Any, webuis: tuple[StandIn, StandIn]) -> None:
    jobs = paint(webuis[0])
    jobs.run(submission())
    webuis[0].close_gate()
    running = jobs.submit(submission("A"))
    until(lambda: _running(webuis[0]) == [1])
    waiting = [jobs.submit(submission("B")), jobs.submit(submission("C"))]

    places = until(lambda: (found := [jobs.view(one.id).place for one in waiting]) == [1, 2] and found)

    assert places == [1, 2]
    assert jobs.view(running.id).place == 0
    assert jobs.view(waiting[1].id).eta_s is not None
    webuis[0].open_gate()
    ended = jobs.wait(waiting[1].id, 10)
    assert ended.times["eta_first_s"] > 0


def test_what_no_instance_can_serve_is_refused_before_anything_is_kept(
    paint: Any, webuis: tuple[StandIn, StandIn], stores: Stores
) -> None:
    jobs = paint(*webuis)
    jobs.run(submission(num=2))
    count = stores.database.collection("generations").count_documents({})

    def refused() -> bool:
        try:
            jobs.submit(submission(presets=(PRESET,), pins=Pins(checkpoint="nowhere")))
        except UnservableError as exc:
            return "nowhere" in str(exc)
        return False

    until(refused)

    before = stores.database.collection("generations").count_documents({})
    with pytest.raises(UnservableError):
        jobs.submit(submission(presets=(PRESET,), pins=Pins(checkpoint="nowhere")))
    assert stores.database.collection("generations").count_documents({}) == before >= count
