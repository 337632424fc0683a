"""Calls on real WebUIs, from the queue to the end: cancellation, progress, loads, batches, forecasts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from agent import loading
from agent.calls import Call, Cancellation, Leased
from agent.errors import CallCanceledError
from agent.outlook import Forecast
from agent.pool import SDInstancePool
from agent.sd import paint
from tests.pools import MakePool, frozen, know, state_of, until
from tests.stand_ins import CHECKPOINT, StandIn, request, stand_in

OTHER = "v1-5-pruned-emaonly"
Three = tuple[StandIn, StandIn, StandIn]


def test_a_canceled_call_that_waits_leaves_the_queue(three_webuis: Three, make_pool: MakePool) -> None:
    pool, cancellation = make_pool([three_webuis[0].instance()]), Cancellation()
    with ThreadPoolExecutor(1) as threads, pool.lease():
        run = threads.submit(paint, pool, request(seed=1), call=Call(job="j", cancellation=cancellation))
        until(lambda: pool.waiting() == 1, "it waits")
        cancellation.cancel()
        with pytest.raises(CallCanceledError):
            run.result(5)
        assert (pool.waiting(), pool.forecast("j")) == (0, None)
    assert three_webuis[0].journal() == []


def test_a_canceled_call_that_runs_is_interrupted_on_its_own_instance_and_on_no_other(
    three_webuis: Three, make_pool: MakePool
) -> None:
    webuis, cancellation = three_webuis[:2], Cancellation()
    pool = make_pool([webui.instance() for webui in webuis])
    know(pool)
    for webui in webuis:
        webui.close_gate()
    with ThreadPoolExecutor(2) as threads:
        canceled = threads.submit(paint, pool, request(seed=1), call=Call(job="j1", cancellation=cancellation))
        until(lambda: sum(webui.state()["running"] for webui in webuis) == 1, "the first runs")
        staying = threads.submit(paint, pool, request(seed=2), call=Call(job="j2"))
        until(lambda: sum(webui.state()["running"] for webui in webuis) == 2, "both run")
        cancellation.cancel()
        with pytest.raises(CallCanceledError):
            canceled.result(10)
        assert {one.job: one.state for one in pool.states()} == {None: "idle", "j2": "busy"}
        for webui in webuis:
            webui.open_gate()
        assert staying.result(10).attempts[0].error is None
    outcomes = {entry["seed"]: entry["outcome"] for webui in webuis for entry in webui.journal()}
    assert outcomes == {1: "interrupted", 2: "done"}
    assert {one.failed for one in pool.states()} == {0}


def test_a_canceled_call_that_cannot_be_interrupted_is_cut_off_and_its_instance_asked_later(
    three_webuis: Three, make_pool: MakePool, hurried: None
) -> None:
    one, cancellation = three_webuis[0], Cancellation()
    pool = make_pool([one.instance()])
    know(pool)
    one.close_gate()
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(paint, pool, request(seed=1), call=Call(cancellation=cancellation))
        until(lambda: one.state()["running"] == 1, "it runs")
        with frozen(one):
            cancellation.cancel()
            with pytest.raises(CallCanceledError):
                run.result(5)
            assert state_of(pool, one) == "idle"
    assert paint(pool, request(seed=2, steps=1)).attempts[-1].error is None
    assert one.journal()[0]["outcome"] == "interrupted"
    assert one.state()["max_queued"] == 0


def test_a_job_canceled_beforehand_takes_no_instance(three_webuis: Three, make_pool: MakePool) -> None:
    pool, cancellation = make_pool([three_webuis[0].instance()]), Cancellation()
    cancellation.cancel()
    with pytest.raises(CallCanceledError):
        paint(pool, request(), call=Call(cancellation=cancellation))
    assert (pool.waiting(), pool.states()[0].state, three_webuis[0].journal()) == (0, "idle", [])


def test_progress_and_the_lease_are_told_while_it_is_painted(make_pool: MakePool, hurried: None) -> None:
    with stand_in("webui", "--plain", "--step-time", "0.05", "--load-time", "0") as webui:
        pool, told, leases = make_pool([webui.instance()]), list[float](), list[Leased]()
        paint(pool, request(steps=20), call=Call(on_progress=told.append, on_lease=leases.append))
    assert len(told) >= 3
    assert told == sorted(told)
    assert 0 < told[0] < told[-1] <= 1
    assert (leases[0].instance, leases[0].checkpoint) == (webui.instance().name, CHECKPOINT)


def test_a_checkpoint_is_loaded_once_by_a_call_of_its_own_and_the_seconds_are_known(
    three_webuis: Three, make_pool: MakePool
) -> None:
    one = three_webuis[0]
    pool = make_pool([one.instance()])
    paint(pool, request())
    first, second, back = (
        paint(pool, request(seed=seed, checkpoint=checkpoint))
        for seed, checkpoint in ((1, OTHER), (2, f"{OTHER}.safetensors"), (3, CHECKPOINT))
    )
    assert [once.result.load_s >= 0.2 for once in (first, second, back)] == [True, False, True]
    assert second.result.load_s == 0.0
    assert first.attempts[0].load_s == first.result.load_s
    assert first.result.paint_s < 0.2 <= first.result.duration_s
    assert (first.reason, second.reason) == ("done soonest, the load included", "has the checkpoint")
    assert [entry["load_s"] for entry in one.journal()] == [0.0] * 4
    [state] = pool.states()
    assert (state.checkpoint, state.loading_s >= 0.4) == (CHECKPOINT, True)
    assert 0.2 <= (state.load_s or 0.0) < 2.0


def test_an_instance_is_seen_to_load(three_webuis: Three, make_pool: MakePool) -> None:
    pool = make_pool([three_webuis[0].instance()])
    paint(pool, request())
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(paint, pool, request(checkpoint=OTHER), call=Call(job="j"))
        until(lambda: pool.states()[0].state == "loading", "it loads")
        assert pool.states()[0].job == "j"
        run.result(10)
    paint(pool, request())


def test_a_webui_that_cannot_load_by_itself_loads_with_the_picture_and_is_known_to_have_it(
    three_webuis: Three, make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = make_pool([three_webuis[0].instance()])
    paint(pool, request())
    with monkeypatch.context() as patch:
        patch.setattr(loading, "_OPTIONS", "/sdapi/v1/no-such-call")
        once = paint(pool, request(checkpoint=OTHER))
    assert (once.result.facts.sd_model_name, once.result.load_s) == (OTHER, 0.0)
    assert pool.states()[0].checkpoint == OTHER
    paint(pool, request())


def test_the_time_of_a_batch_is_learned(three_webuis: Three, make_pool: MakePool) -> None:
    pool = make_pool([three_webuis[0].instance()], max_batch=4)
    paint(pool, request(steps=10))
    assert pool.split(4, CHECKPOINT, 1.0) == (1, 3)
    painted = paint(pool, request(steps=10, batch_size=3, seed=50)).result
    assert [image.seed for image in painted.images] == [50, 51, 52]
    factor = pool.ledger.learned("batch:3")
    assert factor is not None
    assert 0.5 < factor < 10.0


def test_the_forecast_follows_a_job_from_the_queue_to_its_end(three_webuis: Three, make_pool: MakePool) -> None:
    one = three_webuis[0]
    pool = make_pool([one.instance()])
    know(pool)
    one.close_gate()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(paint, pool, request(seed=1), call=Call(job="first"))
        until(lambda: one.state()["running"] == 1, "it runs")
        second = threads.submit(paint, pool, request(seed=2), call=Call(job="second"))
        until(lambda: _place(pool, "second") == 1, "it waits")
        assert _place(pool, "first") == 0
        one.open_gate()
        for run in (first, second):
            run.result(10)
    until(lambda: _place(pool, "second") is None, "it is forgotten")


def _place(pool: SDInstancePool, job: str) -> int | None:
    forecast: Forecast | None = pool.forecast(job)
    return forecast.place if forecast is not None else None
