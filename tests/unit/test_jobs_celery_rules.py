"""The rules by which jobs are spread over worker hosts: which queue, and what a host lets in."""

from __future__ import annotations

import threading
import time

import pytest

from agent.errors import UnknownInstanceError
from jobs.celery_places import Places, PlacesClosedError, Seats, Wish, lets_in
from jobs.celery_pool import host_for
from jobs.celery_routing import WorkerHost, checkpoint_queue, host_of, queues_of, route
from jobs.errors import HostNotNamedError, UnknownHostError
from jobs.pool_changes import PoolOrder

pytestmark = pytest.mark.unit

SKETCHES, SCENES = "realisticVisionV60B1_v60B1VAE", "v2-1_512-ema-pruned"


def host(name: str, *, ready: dict[str, int] | None = None, spare: int = 4) -> WorkerHost:
    """Make a host that has both checkpoints."""
    queues = queues_of(name, [SKETCHES, SCENES], chats=True, paints=True)
    return WorkerHost(name, frozenset(queues), ready or {}, spare, up=4)


@pytest.mark.parametrize(
    ("checkpoint", "hosts", "queue"),
    [
        (None, [host("a", ready={SKETCHES: 2})], "chat"),
        (SKETCHES, [host("a"), host("b", ready={SKETCHES: 1})], "host.b"),
        (SKETCHES, [host("a", ready={SKETCHES: 1}), host("b", ready={SKETCHES: 2})], "host.b"),
        (SKETCHES, [host("a", ready={SKETCHES: 1}, spare=0), host("b")], f"sd.{SKETCHES}"),
        (SKETCHES, [host("a", ready={SCENES: 3})], f"sd.{SKETCHES}"),
        (f"{SKETCHES}.safetensors [e5f3cbc5f7]", [host("a")], f"sd.{SKETCHES}"),
        ("nobody's", [host("a", ready={SKETCHES: 1})], "sd.any"),
        (SKETCHES, [], "sd.any"),
    ],
    ids=["chat", "loaded", "loaded most", "nothing spare", "loaded otherwise", "title", "unknown", "no host"],
)
def test_a_job_goes_where_its_checkpoint_is_loaded_else_to_whoever_has_the_file(
    checkpoint: str | None, hosts: list[WorkerHost], queue: str
) -> None:
    assert route(checkpoint, hosts) == queue


def test_names_that_no_queue_may_have_are_written_otherwise() -> None:
    assert checkpoint_queue("models/für alle,1.ckpt") == "sd.models%2Ff%C3%BCr%20alle%2C1"


def test_a_heartbeat_shows_what_is_ready_and_only_a_worker_is_a_host() -> None:
    instances = [
        {"name": "one", "state": "idle", "checkpoint": f"{SKETCHES}.safetensors [e5f3cbc5f7]"},
        {"name": "two", "state": "busy", "checkpoint": SKETCHES},
        {"name": "three", "state": "idle", "checkpoint": None},
    ]
    found = host_of({"kind": "worker", "host": "a", "queues": ["chat"], "instances": instances, "spare": 2})
    assert found == WorkerHost("a", frozenset({"chat"}), {SKETCHES: 1}, 2, up=3)
    assert host_of({"kind": "web", "host": "b"}) is None


def _told(host: str, *ports: int) -> dict[str, object]:
    instances = [{"name": f"127.0.0.1:{port}", "endpoint": f"http://127.0.0.1:{port}"} for port in ports]
    return {"host": host, "instances": instances}


HOSTS = (_told("a", 7860, 7861), _told("b", 7860))
"""Two hosts with a WebUI of the same name, as each calls its own machine 127.0.0.1."""


@pytest.mark.parametrize(
    ("order", "hosts", "found"),
    [
        (PoolOrder("drain", "127.0.0.1:7861"), HOSTS, "a"),
        (PoolOrder("drain", "http://127.0.0.1:7861/"), HOSTS, "a"),
        (PoolOrder("drain", "127.0.0.1:7860", "b"), HOSTS, "b"),
        (PoolOrder("add", "http://127.0.0.1:7862", "b"), HOSTS, "b"),
        (PoolOrder("add", "http://127.0.0.1:7862"), HOSTS[:1], "a"),
        (PoolOrder("drain", "127.0.0.1:7860"), HOSTS, HostNotNamedError("a, b")),
        (PoolOrder("add", "http://127.0.0.1:7862"), HOSTS, HostNotNamedError("a, b")),
        (PoolOrder("drain", "127.0.0.1:1"), HOSTS, UnknownInstanceError("there are 127.0.0.1:7860, 127.0.0.1:7861")),
        (PoolOrder("drain", "127.0.0.1:7860", "c"), HOSTS, UnknownHostError("there are a, b")),
        (PoolOrder("add", "http://127.0.0.1:7862"), (), UnknownHostError("start one")),
        (PoolOrder("drain", "127.0.0.1:7860"), (), UnknownInstanceError("there are none")),
    ],
)
def test_an_order_goes_to_the_only_host_that_it_can_mean(
    order: PoolOrder, hosts: tuple[dict[str, object], ...], found: str | Exception
) -> None:
    if isinstance(found, str):
        assert host_for(order, hosts) == found
    else:
        with pytest.raises(type(found), match=str(found)):
            host_for(order, hosts)


SEATS = Seats(up=4, idle=0, loaded={SKETCHES: 3, SCENES: 1})
"""Four WebUIs, all busy."""


@pytest.mark.parametrize(
    ("wish", "waited_s", "in_hand", "seats", "is_let_in"),
    [
        (Wish(SKETCHES), 0.0, {}, Seats(up=4, idle=1, loaded={SCENES: 4}), True),
        (Wish(SKETCHES), 0.0, {SCENES: 4}, Seats(up=4, idle=1, loaded={SCENES: 4}), False),
        (Wish(SKETCHES), 0.5, {SKETCHES: 3, SCENES: 1}, SEATS, False),
        (Wish(SKETCHES, 4), 1.5, {SKETCHES: 4, SCENES: 1}, SEATS, True),
        (Wish(SKETCHES, 4), 1.5, {SKETCHES: 5, SCENES: 1}, SEATS, False),
        (Wish("another"), 9.0, {SKETCHES: 3, SCENES: 1}, SEATS, False),
        (Wish("another"), 11.0, {SKETCHES: 6, SCENES: 3}, SEATS, True),
        (Wish("another"), 11.0, {SKETCHES: 7, SCENES: 3}, SEATS, False),
        (Wish(SKETCHES), 99.0, {}, Seats(), False),
    ],
    ids=[
        "idle",
        "spoken for",
        "others first",
        "for later",
        "full",
        "not loaded",
        "patience",
        "full up",
        "down",
    ],
)
def test_a_host_lets_in_what_it_can_paint_soon_and_leaves_the_rest_to_others(
    wish: Wish, waited_s: float, in_hand: dict[str, int], seats: Seats, is_let_in: bool
) -> None:
    assert lets_in(wish, waited_s, in_hand, seats) is is_let_in


def test_who_waits_for_a_place_gets_it_when_one_is_given_back() -> None:
    places, wish, entered = Places(lambda: Seats(up=1, idle=1)), Wish(SKETCHES, since_s=time.time()), threading.Event()

    def enter() -> None:
        with places.one(wish):
            entered.set()

    assert places.spare() == 1
    with places.one(wish):
        late = threading.Thread(target=enter)
        late.start()
        assert not entered.wait(0.05)
    assert entered.wait(5)
    late.join()


def test_who_waits_for_a_place_is_sent_away_when_the_worker_stops() -> None:
    places, wish, refused = Places(Seats), Wish(SKETCHES), threading.Event()

    def enter() -> None:
        with pytest.raises(PlacesClosedError), places.one(wish):
            pass
        refused.set()

    late = threading.Thread(target=enter)
    late.start()
    places.close()
    assert refused.wait(5)
    late.join()
    assert not places.enter(Wish(None))
