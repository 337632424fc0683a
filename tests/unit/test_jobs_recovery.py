"""What a process left behind is found: run once more where nothing was made, else closed with the reason."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from jobs.heartbeat import BEAT_S, DEAD_AFTER_S, Heartbeat
from jobs.recovery import UNWRITTEN, Recovery
from store.documents import Output
from store.generations import as_inserted
from store.ids import new_id
from store.schema import RUNNERS, SCHEMA_VERSIONS
from store.stores import Stores
from tests.job_bench import Bench, Gate, Process, kept, record_for, submission, until

pytestmark = pytest.mark.unit


def _recovery(process: Process) -> Recovery:
    return process.jobs._shop.heartbeat._recovery


def _silent_runner(stores: Stores, beat_ago_s: float = DEAD_AFTER_S + 1) -> str:
    """Leave the heartbeat of a runner of another host that beat so long ago."""
    beat_at = datetime.now(UTC) - timedelta(seconds=beat_ago_s)
    document = {"_id": new_id(), "schema_version": SCHEMA_VERSIONS[RUNNERS], "beat_at": beat_at}
    stores.database.collection(RUNNERS).insert_one(document)
    return str(document["_id"])


def _left(stores: Stores, owner: str, *, runs: bool = True, made: bool = False, attempts: int = 1) -> str:
    """Leave a generation in the hands of a runner that took it up for the n-th time."""
    record = stores.generations.insert(record_for(owner))
    for _ in range(attempts - 1):
        stores.generations.requeue(record.id, owner)
        stores.generations.claim(record.id, owner)
    claim = stores.generations.claim_of(kept(stores, record.id))
    if runs:
        outputs = [Output(kind="image", image_id="a" * 64)] if made else []
        stores.generations.write(claim, state="running", outputs=outputs)
    return record.id


@pytest.mark.parametrize(
    ("left", "again"),
    [
        ({"runs": False}, True),
        ({"runs": True}, True),
        ({"runs": False, "attempts": 2}, True),
        ({"runs": True, "attempts": 2}, False),
        ({"runs": True, "made": True}, False),
    ],
    ids=["queued", "running", "queued twice", "tried twice", "has made something"],
)
def test_what_a_dead_process_left_is_run_once_more_or_fails_with_the_reason(
    bench: Bench, stores: Stores, left: dict[str, bool], again: bool
) -> None:
    process = bench.process()
    generation_id = _left(stores, _silent_runner(stores), **left)  # type: ignore[arg-type]

    assert _recovery(process).of_the_silent(DEAD_AFTER_S) == 1

    record = until(lambda: (found := kept(stores, generation_id)).ended_at and found)
    if again:
        assert (record.state, record.owner) == ("succeeded", process.host.id)
    else:
        assert record.error is not None
        assert (record.state, record.error.type) == ("failed", "RunnerDiedError")
        assert "send the request again" in record.error.message


def test_what_a_living_process_works_on_is_left_alone(bench: Bench, stores: Stores) -> None:
    generation_id = _left(stores, _silent_runner(stores, 0))

    assert _recovery(bench.process()).of_the_silent(DEAD_AFTER_S) == 0

    assert kept(stores, generation_id).state == "running"


def test_a_dead_process_is_dealt_with_once(bench: Bench, stores: Stores) -> None:
    _left(stores, _silent_runner(stores), made=True)

    assert [_recovery(bench.process()).of_the_silent(DEAD_AFTER_S) for _ in range(2)] == [1, 0]


def test_a_killed_process_of_this_host_is_known_to_be_dead_at_once(bench: Bench, stores: Stores) -> None:
    gate = Gate()
    killed, other = bench.process(gate), bench.process()
    record = killed.jobs.submit(submission())
    gate.wait_until_begun()
    (bench.folder / "pool" / f"{killed.host.id}.alive").touch()
    killed.die()
    # What its kernel would leave: the lock file, which nobody holds.
    (bench.folder / "pool" / f"{killed.host.id}.alive").touch()
    other.host.start()

    assert _recovery(other).of_dead_neighbours(DEAD_AFTER_S) == 1

    ended = other.jobs.wait(record.id, 10)
    assert (ended.state, ended.owner, ended.attempt) == ("succeeded", other.host.id, 2)
    gate.may_end.set()


def test_a_runner_that_was_thought_dead_and_comes_back_cannot_write_any_more(bench: Bench, stores: Stores) -> None:
    gate = Gate()
    paused, other = bench.process(gate), bench.process()
    record = paused.jobs.submit(submission())
    gate.wait_until_begun()
    recovery = _recovery(other)

    assert recovery._take_over([paused.host.id]) == 1
    assert other.jobs.wait(record.id, 10).owner == other.host.id
    before = kept(stores, record.id)
    gate.may_end.set()

    until(lambda: not paused.jobs.runner.jobs)
    assert kept(stores, record.id) == before


def test_a_job_that_another_process_took_over_is_stopped_here(bench: Bench, stores: Stores) -> None:
    gate = Gate()
    paused = bench.process(gate)
    record = paused.jobs.submit(submission())
    gate.wait_until_begun()
    stores.generations.requeue(record.id, paused.host.id)

    _recovery(paused).of_this_process()

    until(lambda: not paused.jobs.runner.jobs)
    assert gate.running == 0
    assert kept(stores, record.id).state == "queued"


def test_a_job_whose_end_could_not_be_written_is_closed_by_its_own_process(bench: Bench, stores: Stores) -> None:
    process = bench.process()
    generation_id = _left(stores, process.host.id)

    _recovery(process).of_this_process()

    assert kept(stores, generation_id).error == UNWRITTEN


def test_a_job_that_is_just_being_taken_is_not_closed(bench: Bench, stores: Stores) -> None:
    process = bench.process()
    generation_id = _left(stores, process.host.id)

    with process.jobs.runner.coming(generation_id):
        _recovery(process).of_this_process()

    assert kept(stores, generation_id).state == "running"


def test_what_waits_and_belongs_to_nobody_is_taken_up(bench: Bench, stores: Stores) -> None:
    process = bench.process()
    record = stores.generations.insert(record_for(""))
    _recovery(process).of_nobody()
    assert kept(stores, record.id).owner == "", "whoever wrote it may be about to see to it"

    _make_older(stores, record.id)
    _recovery(process).of_nobody()

    assert process.jobs.wait(record.id, 10).state == "succeeded"


def _make_older(stores: Stores, generation_id: str) -> None:
    earlier = {"$set": {"changed_at": datetime.now(UTC) - timedelta(seconds=10)}}
    stores.database.collection("generations").update_one({"_id": generation_id}, earlier)


def test_no_process_takes_more_than_it_can_begin(bench: Bench, stores: Stores) -> None:
    gate = Gate()
    process = bench.process(gate, max_started=2)
    waiting = [stores.generations.insert(record_for("")).id for _ in range(5)]
    for generation_id in waiting:
        _make_older(stores, generation_id)

    _recovery(process).of_nobody()
    gate.wait_until_begun(2)
    _recovery(process).of_nobody()

    assert [kept(stores, generation_id).owner for generation_id in waiting].count("") == 3
    gate.may_end.set()


def test_a_start_takes_up_what_waited_when_everything_ended(bench: Bench, stores: Stores) -> None:
    gate = Gate()
    first = bench.process(gate, max_started=1)
    running, waiting = (first.jobs.submit(submission()) for _ in range(2))
    gate.wait_until_begun()

    first.jobs.stop()

    assert [kept(stores, record.id).state for record in (running, waiting)] == ["queued", "queued"]
    assert [kept(stores, record.id).owner for record in (running, waiting)] == ["", ""]
    second = bench.process()
    for record in (running, waiting):
        _make_older(stores, record.id)
    second.jobs.start()
    assert [second.jobs.wait(record.id, 10).state for record in (running, waiting)] == ["succeeded"] * 2


def test_a_process_that_is_going_to_end_gives_back_what_nobody_waits_for_there(bench: Bench, stores: Stores) -> None:
    gate = Gate()
    process = bench.process(gate, presets={(1, "op"): ("sketch_create_new",)})
    unwatched, awaited = (process.jobs.submit(submission()) for _ in range(2))
    gate.wait_until_begun(2)
    ends: list[str] = []
    waiting = threading.Thread(target=lambda: ends.append(process.jobs.wait(awaited.id, 10).state))
    waiting.start()
    until(lambda: process.jobs._shop.watch.is_awaited(awaited.id))

    process.jobs.retire()

    until(lambda: kept(stores, unwatched.id).owner == "")
    _make_older(stores, unwatched.id)
    _recovery(process).of_nobody()
    assert kept(stores, unwatched.id).owner == "", "it is for another process"
    gate.may_end.set()
    waiting.join(10)
    assert ends == ["succeeded"]


def test_what_runs_may_end_by_itself_before_the_process_does(bench: Bench, stores: Stores) -> None:
    gate = Gate()
    process = bench.process(gate)
    record = process.jobs.submit(submission())
    gate.wait_until_begun()
    gate.may_end.set()

    process.jobs.stop(grace_s=10)

    assert kept(stores, record.id).state == "succeeded"
    assert stores.database.collection(RUNNERS).count_documents({}) == 0


@pytest.fixture
def ticking(bench: Bench, stores: Stores) -> Iterator[tuple[list[float], Heartbeat]]:
    """Give a heartbeat by a clock of ours, of a process that takes nothing up."""
    process, now_s = bench.process(), [1000.0]
    recovery = _recovery(process)
    recovery._dispatcher = process.jobs._shop.dispatcher
    yield now_s, Heartbeat(stores.runners, process.host.id, recovery, clock=lambda: now_s[0])


def test_after_a_pause_of_the_whole_machine_everybody_gets_time_to_beat_again(
    ticking: tuple[list[float], Heartbeat], stores: Stores
) -> None:
    now_s, heartbeat = ticking
    left = _left(stores, _silent_runner(stores), made=True)

    def state_after(seconds: float) -> str:
        now_s[0] += seconds
        heartbeat.tick()
        return kept(stores, left).state

    assert [state_after(60), state_after(1), state_after(1)] == ["running"] * 3
    assert [state_after(2) for _ in range(4)][-1] == "failed"


def test_a_job_whose_record_is_still_being_written_is_let_go_on(bench: Bench, stores: Stores) -> None:
    process = bench.process()
    runner = process.jobs.runner
    record = as_inserted(record_for(runner.id))

    def write_slowly() -> None:
        _recovery(process).of_this_process()
        stores.generations.insert(record)

    with runner.coming(record.id):
        runner.take(record, write_slowly)

    assert process.jobs.wait(record.id, 10).state == "succeeded"


def test_a_process_has_beaten_before_it_takes_anything(bench: Bench, stores: Stores) -> None:
    seen: list[int] = []
    count: Callable[[], int] = lambda: stores.database.collection(RUNNERS).count_documents({})  # noqa: E731

    bench.jobs(lambda _run: seen.append(count()) or []).run(submission())

    assert seen == [1]


def test_a_heartbeat_goes_on_and_says_what_others_may_know(bench: Bench, stores: Stores) -> None:
    process = bench.process(facts=lambda: {"kind": "web"})
    process.jobs.start()
    first = until(lambda: stores.runners.alive(60))

    until(lambda: stores.runners.alive(60)[0].beat_at > first[0].beat_at, timeout_s=3 * BEAT_S + 5)

    assert (first[0].id, first[0].facts) == (process.host.id, {"kind": "web"})
