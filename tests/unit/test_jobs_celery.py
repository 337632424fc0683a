"""What brings jobs to worker hosts: the routing rule, the dispatcher, the places, and the look for what waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kombu.exceptions import OperationalError

from jobs.celery_app import ADOPT_TASK
from jobs.celery_dispatch import CeleryDispatcher
from jobs.celery_intake import Intake
from jobs.celery_places import AHEAD, Places, PlacesClosedError
from jobs.celery_routing import WorkerHost, bare, checkpoint_queue, host_of, queues_of, route
from store.clock import utc_now
from store.connection import StoreConfig
from store.documents import GenerationInputs, GenerationRecord
from store.ids import new_id
from store.runners import RunnerInfo
from store.stores import Stores, open_stores
from tests.processes.harness import until

pytestmark = pytest.mark.unit

SKETCHES, SCENES = "realisticVisionV60B1_v60B1VAE", "v2-1_512-ema-pruned"


def host(name: str, *, ready: dict[str, int] | None = None, room: int = 4) -> WorkerHost:
    """Make a host that has both checkpoints."""
    queues = queues_of(name, [SKETCHES, SCENES], chats=True, paints=True)
    return WorkerHost(name, frozenset(queues), ready or {}, room)


def record(operation: str = "sketch.create_new", num: int = 1) -> GenerationRecord:
    """Make a record that waits for anybody."""
    return GenerationRecord(
        app_id=1, participant_id="p", operation=operation, inputs=GenerationInputs(task="a lamp", num=num)
    )


@pytest.mark.parametrize(
    ("checkpoint", "hosts", "queue"),
    [
        (None, [host("a", ready={SKETCHES: 2})], "chat"),
        (SKETCHES, [host("a"), host("b", ready={SKETCHES: 1})], "host.b"),
        (SKETCHES, [host("a", ready={SKETCHES: 1}), host("b", ready={SKETCHES: 2})], "host.b"),
        (SKETCHES, [host("a", ready={SKETCHES: 1}, room=0), host("b")], f"sd.{SKETCHES}"),
        (SKETCHES, [host("a", ready={SCENES: 3})], f"sd.{SKETCHES}"),
        (f"{SKETCHES}.safetensors [e5f3cbc5f7]", [host("a")], f"sd.{SKETCHES}"),
        ("nobody's", [host("a", ready={SKETCHES: 1})], "sd.any"),
        (SKETCHES, [], "sd.any"),
    ],
    ids=["chat", "loaded", "loaded most", "no room", "loaded otherwise", "title", "unknown", "no host"],
)
def test_a_job_goes_where_its_checkpoint_is_loaded_else_to_whoever_has_the_file(
    checkpoint: str | None, hosts: list[WorkerHost], queue: str
) -> None:
    assert route(checkpoint, hosts) == queue


def test_names_that_no_queue_may_have_are_written_otherwise() -> None:
    assert checkpoint_queue("models/für alle,1.ckpt") == "sd.models%2Ff%C3%BCr%20alle%2C1"
    assert bare("a [b] c") == "a [b] c"


def test_a_heartbeat_shows_what_is_ready_and_only_a_worker_is_a_host() -> None:
    instances = [
        {"name": "one", "state": "idle", "checkpoint": f"{SKETCHES}.safetensors [e5f3cbc5f7]"},
        {"name": "two", "state": "busy", "checkpoint": SKETCHES},
        {"name": "three", "state": "idle", "checkpoint": None},
    ]
    found = host_of({"kind": "worker", "host": "a", "queues": ["chat"], "instances": instances, "room": 2})
    assert found == WorkerHost("a", frozenset({"chat"}), {SKETCHES: 1}, 2)
    assert host_of({"kind": "web", "host": "b"}) is None


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
    return {"kind": "worker", "host": "a", "queues": list(queues), "instances": instances, "room": idle}


def dispatcher(broker: _Broker, runners: _Runners) -> CeleryDispatcher:
    """Make a dispatcher for which every job needs the checkpoint of the sketches."""
    return CeleryDispatcher(broker, runners, lambda record: SKETCHES)  # type: ignore[arg-type]


def test_between_two_heartbeats_a_host_is_sent_no_more_than_it_has_room_for() -> None:
    broker = _Broker()
    sender = dispatcher(broker, _Runners(ready_facts(idle=3)))
    for waiting in (record(num=2), record(num=1), record(), record()):
        sender.dispatch(waiting)
    assert [queue for queue, _ in broker.sent] == ["host.a", "host.a", f"sd.{SKETCHES}", f"sd.{SKETCHES}"]


def test_a_broker_that_is_away_fails_no_submission_and_holds_up_only_the_first() -> None:
    broker = _Broker()
    sender = dispatcher(broker, _Runners(ready_facts(idle=1)))
    broker.is_away = True
    for _ in range(5):
        sender.dispatch(record())
    assert broker.asked == 1


def test_more_jobs_than_places_wait_until_one_is_given_back() -> None:
    places = Places(lambda: 0)
    entered = threading.Event()

    def enter() -> None:
        with places.one(paints=True):
            entered.set()

    with places.one(paints=True), places.one(paints=True):
        assert places.free(paints=True) == AHEAD - 2
        assert places.free(paints=False) > 0
        late = threading.Thread(target=enter)
        late.start()
        assert not entered.wait(0.05)
    assert entered.wait(5)
    late.join()


def test_who_waits_for_a_place_is_sent_away_when_the_worker_stops() -> None:
    places = Places(lambda: 0)
    refused = threading.Event()

    def enter() -> None:
        with pytest.raises(PlacesClosedError), places.one(paints=True):
            pass
        refused.set()

    with places.one(paints=True), places.one(paints=True):
        late = threading.Thread(target=enter)
        late.start()
        places.close()
        assert refused.wait(5)
    late.join()
    assert places.free(paints=True) == 0


@pytest.fixture
def stores(mongo_uri: str, database_name: str) -> Iterator[Stores]:
    """Give the stores of an empty database."""
    stores = open_stores(StoreConfig(mongo_uri, database_name))
    yield stores
    stores.close()


class _Host:
    """An intake whose runner only claims, and notes what it was given."""

    def __init__(self, stores: Stores, **answers: Callable[[GenerationRecord], bool]) -> None:
        self.adopted: list[str] = []
        self._generations = stores.generations
        yes: dict[str, Callable[[GenerationRecord], bool]] = dict.fromkeys(
            ("paints", "serves", "is_ready"), lambda record: True
        )
        self.intake = Intake(stores.generations, Places(lambda: 1), self.adopt, **{**yes, **answers})

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


def test_a_job_that_this_host_cannot_run_is_left_to_others(stores: Stores) -> None:
    here = _Host(stores, serves=lambda record: False)
    assert not here.intake.take(stores.generations.insert(record()).id)
    assert here.adopted == []


def test_a_record_whose_message_was_lost_is_found_by_a_host_with_places(stores: Stores) -> None:
    here = _Host(stores)
    waiting = stores.generations.insert(record())
    here.intake.start()
    try:
        until(lambda: here.adopted == [waiting.id], "the record", 10)
    finally:
        here.intake.stop()
