"""The pool on real WebUIs that come and go, hang, freeze and fail: nothing is lost, and they are used again."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent import upkeep
from agent.errors import InstanceServiceError, NoInstanceUpError, SDError, UnknownInstanceError
from agent.pool import SDInstancePool
from agent.sd import PaintedOnce, paint
from agent.sdapi import post_sdapi
from tests.pools import MakePool, call_for, frozen, know, made_up, name_of, seeds_of, state_of, until
from tests.stand_ins import CHECKPOINT, StandIn, request, stand_in

OTHER = "v1-5-pruned-emaonly"
PICTURES = 160
"""So many that there is still something to paint when the last change of the pool is made, on a busy machine too."""
Three = tuple[StandIn, StandIn, StandIn]


def _knows_all(pool: SDInstancePool) -> bool:
    return pool.why_unservable("no such checkpoint") is not None


def _error(pool: SDInstancePool) -> type[SDError] | None:
    try:
        paint(pool, request())
    except SDError as exc:
        return type(exc)
    return None


def test_nothing_is_lost_while_instances_come_and_go(three_webuis: Three, make_pool: MakePool) -> None:
    one, two, three = three_webuis
    pool = make_pool([one.instance(), two.instance()], timeout_s=30.0, probes=True)
    until(lambda: _knows_all(pool), "both are known")
    with ThreadPoolExecutor(8) as threads:
        runs = [threads.submit(paint, pool, request(seed=seed, steps=20)) for seed in range(PICTURES)]
        pool.drain(name_of(one))
        until(lambda: state_of(pool, one) == "drained", "the first is drained")
        at_rest = len(one.journal())
        pool.add(three.url + "/")
        until(lambda: bool(three.journal()), "the third works")
        assert len(one.journal()) == at_rest
        pool.resume(name_of(one))
        pool.remove(two.url)
        until(lambda: state_of(pool, two) == "gone", "the second is gone")
        until(lambda: len(one.journal()) > at_rest, "the first works again")
        ran = [run.result(30) for run in runs]
    assert {once.attempts[0].error for once in ran} == {None}
    assert sorted(seeds_of(one) + seeds_of(two) + seeds_of(three)) == list(range(PICTURES))
    assert [webui.state()["max_queued"] for webui in three_webuis] == [0, 0, 0]
    pool.add(two.url)
    assert state_of(pool, two) == "idle"


def test_many_threads_paint_everything_once(three_webuis: Three, make_pool: MakePool) -> None:
    pool, done = make_pool([webui.instance() for webui in three_webuis], timeout_s=30.0), list[PaintedOnce]()
    threads = [
        threading.Thread(target=lambda seed=seed: done.append(paint(pool, request(seed=seed)))) for seed in range(60)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 60
    assert sorted(seed for webui in three_webuis for seed in seeds_of(webui)) == list(range(60))
    assert [webui.state()["max_queued"] for webui in three_webuis] == [0, 0, 0]


def test_those_who_wait_stay_while_the_only_instance_is_drained(three_webuis: Three, make_pool: MakePool) -> None:
    pool = make_pool([three_webuis[0].instance()])
    pool.drain(name_of(three_webuis[0]))
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(paint, pool, request(seed=3))
        until(lambda: pool.waiting() == 1, "it waits")
        pool.resume(name_of(three_webuis[0]))
        assert run.result(10).attempts[0].error is None


@pytest.mark.parametrize("action", ["drain", "resume", "remove"])
def test_an_unknown_instance_is_said_to_be_unknown_with_those_there_are(make_pool: MakePool, action: str) -> None:
    pool = make_pool(made_up(2))
    with pytest.raises(UnknownInstanceError, match="there are gpu0:7860, gpu1:7860"):
        getattr(pool, action)("gpu2:7860")


@pytest.mark.parametrize("address", ["gpu2:7860", "ftp://gpu2", "http://me:secret@gpu2"])
def test_an_address_that_is_none_is_not_taken_in(make_pool: MakePool, address: str) -> None:
    pool = make_pool(made_up(1))
    with pytest.raises(UnknownInstanceError) as caught:
        pool.add(address)
    assert "secret" not in caught.value.message
    assert len(pool.states()) == 1


def test_an_instance_that_hangs_is_given_up_and_the_picture_is_made_elsewhere(
    three_webuis: Three, make_pool: MakePool, hurried: None
) -> None:
    one, two, _ = three_webuis
    pool = make_pool([one.instance(), two.instance()], patience_s=1.0)
    know(pool)
    one.close_gate()
    began = time.monotonic()
    once = paint(pool, request(seed=5), call=call_for(pool, one))
    assert time.monotonic() - began < 6
    assert [attempt.error for attempt in once.attempts] == ["InstanceTimeoutError", None]
    assert "hangs: no sign of life" in str(once.attempts[0].message)
    assert "its job was interrupted" in str(once.attempts[0].message)
    assert (seeds_of(one), seeds_of(two)) == ([5], [5])
    assert one.journal()[-1]["outcome"] == "interrupted"
    assert state_of(pool, one) == "down"


def test_a_frozen_process_is_given_up_too(three_webuis: Three, make_pool: MakePool, hurried: None) -> None:
    one, two, _ = three_webuis
    pool = make_pool([one.instance(), two.instance()], patience_s=1.0)
    know(pool)
    one.close_gate()
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(paint, pool, request(seed=6), call=call_for(pool, one))
        until(lambda: one.state()["running"] == 1, "it runs")
        with frozen(one):
            once = run.result(10)
            assert [attempt.error for attempt in once.attempts] == ["InstanceTimeoutError", None]
            assert "may run on" in str(once.attempts[0].message)
            assert once.instance == name_of(two)
            assert state_of(pool, one) == "down"


def test_a_job_left_on_an_instance_is_interrupted_before_its_next_call(
    three_webuis: Three, make_pool: MakePool, hurried: None
) -> None:
    one, two, _ = three_webuis
    pool = make_pool([one.instance(), two.instance()])
    know(pool)
    one.close_gate()
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(paint, pool, request(seed=6), call=call_for(pool, one))
        until(lambda: one.state()["running"] == 1, "it runs")
        with frozen(one):
            run.result(10)
    with pool.ledger.change() as change:
        change.run("UPDATE instances SET health = 'up'")
    once = paint(pool, request(seed=7, steps=1), call=call_for(pool, one))
    assert (once.instance, once.attempts[-1].error) == (name_of(one), None)
    assert [entry["outcome"] for entry in one.journal()] == ["interrupted", "done"]
    assert one.state()["max_queued"] == 0


def test_an_instance_that_takes_its_time_but_shows_progress_is_left_alone(make_pool: MakePool, hurried: None) -> None:
    with stand_in("webui", "--plain", "--step-time", "0.2", "--load-time", "0") as slow:
        pool = make_pool([slow.instance()])
        know(pool, unit_s=0.001)
        assert [attempt.error for attempt in paint(pool, request(steps=12)).attempts] == [None]


def test_an_instance_that_answers_500s_is_set_aside_probed_and_comes_back(
    three_webuis: Three, make_pool: MakePool, hurried: None
) -> None:
    one, two, _ = three_webuis
    one.plan("error_500", forever=True, path="txt2img")
    pool = make_pool([one.instance(), two.instance()], probes=True)
    until(lambda: _knows_all(pool), "both are known")
    once = paint(pool, request(seed=8), call=call_for(pool, one))
    assert [attempt.error for attempt in once.attempts] == ["InstanceServiceError", None]
    until(lambda: len(one.journal()) >= 2, "a probe fails at painting as well")
    assert state_of(pool, one) in ("resting", "down")
    assert {paint(pool, request(seed=seed)).instance for seed in range(10, 13)} == {name_of(two)}
    one.reset()
    until(lambda: state_of(pool, one) == "idle", "it is back")
    assert [entry["steps"] for entry in one.journal()] == [1]
    assert paint(pool, request(seed=9), call=call_for(pool, one)).instance == name_of(one)


def test_a_pool_whose_only_instance_went_away_says_so_at_once_and_heals_by_itself(
    three_webuis: Three, make_pool: MakePool, hurried: None
) -> None:
    one = three_webuis[0]
    pool = make_pool([one.instance(read_timeout_s=0.4)], probes=True)
    until(lambda: _knows_all(pool), "it is known")
    with frozen(one):
        until(lambda: _error(pool) is NoInstanceUpError, "it is down")
        began = time.monotonic()
        assert _error(pool) is NoInstanceUpError
        assert time.monotonic() - began < 0.5
    until(lambda: state_of(pool, one) == "idle", "it is back")
    assert paint(pool, request()).attempts[0].error is None


def test_a_look_that_began_before_a_failure_does_not_undo_it(
    three_webuis: Three, make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = three_webuis[0]
    pool = make_pool([one.instance()])
    know(pool)
    looks = upkeep.loaded_checkpoint

    def look(*values: object) -> str | None:
        pool.blame(name_of(one), InstanceServiceError("it failed"))
        return looks(*values)  # type: ignore[arg-type]

    monkeypatch.setattr(upkeep, "loaded_checkpoint", look)
    pool._upkeep.probe(one.url)
    assert state_of(pool, one) == "resting"


def test_what_no_instance_has_is_known_soon_after_the_start(three_webuis: Three, make_pool: MakePool) -> None:
    pool = make_pool([webui.instance() for webui in three_webuis], probes=True)
    until(lambda: _knows_all(pool), "all were asked")
    assert pool.why_unservable(CHECKPOINT, ["control_v11p_sd15_lineart"]) is None
    assert "ControlNet model 'nope'" in str(pool.why_unservable(CHECKPOINT, ["nope"]))


def test_an_idle_instance_whose_checkpoint_was_changed_by_hand_is_found_out(
    three_webuis: Three, make_pool: MakePool, hurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_LOOK_AT_IDLE_S", 0.2)
    one = three_webuis[0]
    post_sdapi(one.instance(), "/sdapi/v1/options", {"sd_model_checkpoint": CHECKPOINT})
    pool = make_pool([one.instance()], probes=True)
    until(lambda: pool.states()[0].checkpoint == CHECKPOINT, "it is known")
    post_sdapi(one.instance(), "/sdapi/v1/options", {"sd_model_checkpoint": OTHER})
    until(lambda: pool.states()[0].checkpoint == OTHER, "the change is known")
