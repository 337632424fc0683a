"""What brings jobs to worker hosts: the dispatcher, a host's intake, and the look for what waits."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import pytest
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from agent.errors import SDError, SDNotConfiguredError, UnknownInstanceError
from jobs.celery_app import ADOPT_TASK, celery_app
from jobs.celery_dispatch import CeleryDispatcher
from jobs.celery_hosts import Fleet
from jobs.celery_intake import Intake
from jobs.celery_orders import Orders
from jobs.celery_places import Places, Seats, Wish
from jobs.celery_pool import HostPools
from jobs.celery_routing import queues_of
from jobs.errors import HostSilentError, UnservableError
from jobs.pins import Pins
from jobs.pool_changes import PoolOrder
from store.clock import utc_now
from store.documents import GenerationInputs, GenerationRecord
from store.ids import new_id
from store.runners import RunnerInfo
from store.stores import Stores
from tests.job_bench import job_bench, submission
from tests.processes.harness import until
from tests.redis_server import PROGRAM, redis_server

pytestmark = pytest.mark.unit

SKETCHES = "realisticVisionV60B1_v60B1VAE"


def record(operation: str = "sketch.create_new", num: int = 1) -> GenerationRecord:
    """Make a record that waits for anybody."""
    return GenerationRecord(
        app_id=1, participant_id="p", operation=operation, inputs=GenerationInputs(task="a lamp", num=num)
    )


class _Broker:
    """What the dispatcher uses of Celery."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.is_away = False
        self.asked = 0

    def send_task(self, name: str, *, args: tuple[str], queue: str, retry: bool) -> None:
        assert (name, retry) == (ADOPT_TASK, False)
        self.asked += 1
        if self.is_away:
            raise OperationalError("connection refused")
        self.sent.append((queue, args[0]))


class _Runners:
    def __init__(self, facts: dict[str, Any]) -> None:
        self.beat_at = utc_now()
        self.facts = facts

    def alive(self, within_s: float) -> tuple[RunnerInfo, ...]:
        return (RunnerInfo("r", self.beat_at, self.facts),)


def ready_facts(idle: int) -> dict[str, Any]:
    """Say what a host with so many idle WebUIs says."""
    instances = [{"state": "idle", "checkpoint": SKETCHES} for _ in range(idle)]
    queues = queues_of("a", [SKETCHES], chats=True, paints=True)
    return {"kind": "worker", "host": "a", "queues": list(queues), "instances": instances, "spare": idle}


def dispatcher(broker: _Broker, runners: _Runners) -> CeleryDispatcher:
    """Make a dispatcher for which every job needs the checkpoint of the sketches."""
    return CeleryDispatcher(
        cast(Any, broker), Fleet(cast(Any, runners)), lambda record: SKETCHES, soon=lambda work: work()
    )


def test_between_two_heartbeats_a_host_is_sent_no_more_than_it_has_room_for() -> None:
    broker = _Broker()
    sender = dispatcher(broker, _Runners(ready_facts(idle=3)))
    for waiting in (record(num=2), record(num=1), record(), record()):
        sender.dispatch(waiting)
    assert [queue for queue, _ in broker.sent] == ["host.a", "host.a", f"sd.{SKETCHES}", f"sd.{SKETCHES}"]


def test_a_broker_that_hangs_holds_up_no_submission() -> None:
    goes_on, sent = threading.Event(), threading.Event()

    class Hanging:
        def send_task(self, *_: Any, **__: Any) -> None:
            goes_on.wait(5)
            sent.set()

    sender = CeleryDispatcher(cast(Any, Hanging()), Fleet(cast(Any, _Runners({}))), lambda record: None)
    sender.dispatch(record())
    assert not sent.is_set()
    goes_on.set()
    assert sent.wait(5)


def test_a_broker_that_is_away_fails_no_submission_and_is_left_alone_for_a_while() -> None:
    broker = _Broker()
    sender = dispatcher(broker, _Runners(ready_facts(idle=1)))
    broker.is_away = True
    for _ in range(5):
        sender.dispatch(record())
    assert broker.asked == 1


class _Ability:
    """A host that can do everything, or nothing."""

    name = "here"

    def __init__(self, *, can: bool) -> None:
        self._can = can

    def serves(self, record: GenerationRecord) -> bool:
        return self._can

    is_ready = serves

    def wish(self, record: GenerationRecord) -> Wish:
        return Wish(SKETCHES, record.inputs.num, record.created_at.timestamp())


class _Host:
    """An intake whose runner only claims, and notes what it was given."""

    def __init__(self, stores: Stores, *, can: bool = True) -> None:
        self.adopted: list[str] = []
        self._generations = stores.generations
        ability, places = cast(Any, _Ability(can=can)), Places(lambda: Seats(up=4, idle=4))
        self.intake = Intake(stores.generations, places, ability, Fleet(stores.runners), self.adopt)

    def adopt(self, generation_id: str) -> bool:
        """Claim it, as a runner would."""
        self._generations.claim(generation_id, "runner")
        self.adopted.append(generation_id)
        return True


def test_a_message_that_comes_twice_or_too_late_changes_nothing(stores: Stores) -> None:
    here = _Host(stores)
    waiting = stores.generations.insert(record())
    assert here.intake.take(waiting.id)
    assert not here.intake.take(waiting.id)
    assert not here.intake.take(new_id())
    assert here.adopted == [waiting.id]


def test_a_job_that_this_host_cannot_run_is_left_to_one_that_can(stores: Stores) -> None:
    here = _Host(stores, can=False)
    stores.runners.beat("elsewhere", ready_facts(idle=1))
    assert not here.intake.take(stores.generations.insert(record()).id)
    assert here.adopted == []


def test_a_job_that_no_host_can_run_is_taken_to_fail_at_once(stores: Stores) -> None:
    here = _Host(stores, can=False)
    stores.runners.beat("elsewhere", {**ready_facts(idle=1), "instances": [{"state": "down", "checkpoint": SKETCHES}]})
    assert here.intake.take(stores.generations.insert(record()).id)


def test_a_record_whose_message_was_lost_is_found_by_a_host_with_places(stores: Stores) -> None:
    here = _Host(stores)
    waiting = stores.generations.insert(record())
    here.intake.start()
    try:
        until(lambda: here.adopted == [waiting.id], "the record", 10)
    finally:
        here.intake.stop()


def test_what_every_host_lacks_is_told_at_once_and_what_one_may_have_is_not(stores: Stores) -> None:
    assert Fleet(stores.runners).why_unservable(["sketch"]) is None
    stores.runners.beat("one", {**ready_facts(idle=1), "lacks": {"sketch": "no WebUI has it", "scene": "nor this"}})
    stores.runners.beat("two", {**ready_facts(idle=1), "lacks": {"sketch": "no WebUI has it"}})
    fleet = Fleet(stores.runners)
    assert fleet.why_unservable(["scene", "sketch"]) == "no WebUI has it"
    assert fleet.why_unservable(["scene"]) is None
    assert fleet.why_unservable(["sketch"], SKETCHES) is None
    assert "'another'" in (fleet.why_unservable(["sketch"], "another") or "")


def test_a_submission_that_no_worker_host_can_ever_serve_is_refused_and_leaves_no_record(
    stores: Stores, tmp_path: Path
) -> None:
    stores.runners.beat("one", {**ready_facts(idle=1), "lacks": {"sketch": "no WebUI has it"}})
    sender = dispatcher(_Broker(), _Runners({}))
    with job_bench(stores, tmp_path) as bench:
        jobs = bench.jobs(dispatcher=sender, fleet=Fleet(stores.runners))
        with pytest.raises(UnservableError, match="no WebUI has it"):
            jobs.submit(submission(presets=("scene", "sketch")))
        with pytest.raises(UnservableError, match="'another'"):
            jobs.submit(submission(presets=("scene",), pins=Pins(checkpoint="another")))
        assert stores.generations.queued_count() == 0
        for accepted in (submission(presets=("scene",)), submission(pins=Pins(checkpoint="another"))):
            assert jobs.submit(accepted).state == "queued"


@pytest.mark.skipif(PROGRAM is None, reason="Redis is not installed here: apt-get install redis-server")
def test_what_a_host_answers_to_an_order_reaches_who_gave_it(stores: Stores, tmp_path: Path) -> None:
    done: list[PoolOrder] = []
    answers: dict[str, SDError] = {"no": UnknownInstanceError("not here"), "none": SDNotConfiguredError("no pool")}

    def change(order: PoolOrder) -> None:
        if order.target in answers:
            raise answers[order.target]
        done.append(order)

    with redis_server(tmp_path) as redis:
        app = celery_app(redis.url, 60)
        stores.runners.beat("one", {"kind": "worker", "host": "a", "instances": []})
        pools, orders = HostPools(app, stores.runners, answer_s=0.5), Orders(app, "a", change)
        orders.start()
        try:
            until(lambda: _reached(pools, PoolOrder("drain", "x", "a")), "an answer")
            assert done == [PoolOrder("drain", "x")]
            for target, error in answers.items():
                with pytest.raises(type(error), match=error.message):
                    pools.carry_out(PoolOrder("drain", target, "a"))
        finally:
            orders.stop()
        until(lambda: not _reached(pools, PoolOrder("drain", "y", "a")), "silence")


def _reached(pools: HostPools, order: PoolOrder) -> bool:
    try:
        pools.carry_out(order)
    except HostSilentError:
        return False
    return True


@pytest.mark.skipif(PROGRAM is None, reason="Redis is not installed here: apt-get install redis-server")
def test_an_acknowledgement_that_is_lost_with_redis_frees_its_place(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis, celery_app(redis.url, 60).connection_for_write() as connection:
        queue, channel = connection.SimpleQueue("chat"), connection.default_channel
        queue.put("id")
        message = queue.get(timeout=5)
        channel.qos.prefetch_count = 1
        assert not channel.qos.can_consume()
        redis.kill()
        with pytest.raises(RedisConnectionError):
            message.ack()
        assert channel.qos.can_consume()
