"""/api/pool: what each instance does, and changing the pool while the server runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import pytest

from agent.pool import InstanceState
from store.ids import new_id
from tests.api.answers import data_of, failure_of
from tests.api.records import until
from tests.api.server import Server
from tests.api.submitting import ended, made, submitted
from tests.embedded import free_port
from tests.stand_ins import StandIn

pytestmark = pytest.mark.api

Serve = Callable[..., Server]
PATH = "/api/pool"
TOKEN = "correct horse battery staple"


def _pool(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = data_of(server.get(PATH))
    return found


def _name(webui: StandIn) -> str:
    return urlsplit(webui.url).netloc


def _states(server: Server) -> dict[str, str]:
    return {instance["name"]: instance["state"] for instance in _pool(server)["instances"]}


def test_the_pool_tells_what_each_instance_does(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve(SD_API_AUTH="admin:secret-password")

    job = made(server)

    answer = server.get(PATH)
    found = data_of(answer)
    assert [instance["name"] for instance in found["instances"]] == [_name(webui) for webui in webuis]
    assert [instance["endpoint"] for instance in found["instances"]] == [webui.url for webui in webuis]
    assert sum(instance["served"] for instance in found["instances"]) == 1
    assert (found["waiting"], job["state"]) == (0, "succeeded")
    until(lambda: _pool(server)["admitted"] == 0)
    assert "secret-password" not in answer.text


def test_the_pool_tells_which_job_an_instance_works_for_and_who_waits(
    serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve(SD_ENDPOINTS=webuis[0].url)
    webuis[0].close_gate()
    jobs = [submitted(server) for _ in range(3)]
    until(lambda: _pool(server)["waiting"] == 2)

    found = _pool(server)

    [instance] = found["instances"]
    assert instance["state"] in ("busy", "loading")
    assert instance["job"] in [job["id"] for job in jobs]
    assert instance["since_s"] >= 0
    assert found["admitted"] == 3


def test_a_drained_instance_gets_nothing_more_until_it_is_resumed(
    serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve()
    one, other = (_name(webui) for webui in webuis)

    data_of(server.post(PATH, {"action": "drain", "instance": one}))
    assert _states(server)[one] == "drained"
    for _ in range(3):
        made(server)
    assert not webuis[0].journal()

    data_of(server.post(PATH, {"action": "drain", "instance": other}))
    data_of(server.post(PATH, {"action": "resume", "instance": one}))
    made(server)
    assert len(webuis[0].journal()) == 1


def test_an_instance_that_is_added_is_used_and_one_that_is_removed_is_gone(
    serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve(SD_ENDPOINTS=webuis[0].url)

    added = data_of(server.post(PATH, {"action": "add", "endpoint": f"{webuis[1].url}/"}))
    removed = data_of(server.post(PATH, {"action": "remove", "instance": _name(webuis[0])}))

    assert [instance["name"] for instance in added["instances"]] == [_name(webui) for webui in webuis]
    assert [instance["name"] for instance in removed["instances"]] == [_name(webuis[1])]
    made(server)
    assert (len(webuis[0].journal()), len(webuis[1].journal())) == (0, 1)


def test_a_busy_instance_finishes_before_it_is_removed(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve(SD_ENDPOINTS=webuis[0].url)
    webuis[0].close_gate()
    job = submitted(server)
    until(lambda: webuis[0].state()["running"] == 1)

    found = data_of(server.post(PATH, {"action": "remove", "instance": _name(webuis[0])}))

    assert [instance["state"] for instance in found["instances"]] == ["draining"]
    webuis[0].open_gate()
    assert ended(server, job["id"])["state"] == "succeeded"
    until(lambda: not _pool(server)["instances"])


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "action"),
        ({"action": "explode", "instance": "x"}, 422, "action"),
        ({"action": "add"}, 422, "endpoint"),
        ({"action": "add", "instance": "x"}, 422, "endpoint"),
        ({"action": "add", "endpoint": "http://x:1", "instance": "x"}, 422, "instance"),
        ({"action": "add", "endpoint": "ftp://x"}, 422, "endpoint"),
        ({"action": "add", "endpoint": "x:7860"}, 422, "endpoint"),
        ({"action": "add", "endpoint": "http://"}, 422, "endpoint"),
        ({"action": "add", "endpoint": "http://a:b@x:7860"}, 422, "endpoint"),
        ({"action": "add", "endpoint": "http://x:99999"}, 422, "endpoint"),
        ({"action": "add", "endpoint": "http://x/?a=b"}, 422, "endpoint"),
        ({"action": "drain"}, 422, "instance"),
        ({"action": "drain", "instance": ""}, 422, "instance"),
        ({"action": "drain", "instance": "nobody"}, 404, "nobody"),
        ({"action": "drain", "instance": "nobody", "force": True}, 422, "force"),
        ({"action": "drain", "instance": "nobody", "host": ""}, 422, "host"),
        ({"action": "add", "endpoint": "http://x:1", "host": "gpu-1"}, 404, "gpu-1"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused_by_name(
    serve: Serve, body: dict[str, Any], status: int, field: str
) -> None:
    server = serve()
    before = _states(server)

    message = failure_of(server.post(PATH, body), status)

    assert field in message or status == 404
    assert _states(server) == before


def test_only_who_has_the_token_may_change_the_pool_where_there_is_one(
    serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve(ADMIN_TOKEN=TOKEN)
    body = {"action": "drain", "instance": _name(webuis[0])}

    for wrong in ({}, {"Authorization": TOKEN}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}):
        answer = server.post(PATH, body, headers=wrong)
        assert TOKEN not in failure_of(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert set(_states(server).values()) == {"idle"}

    for right in (f"Bearer {TOKEN}", f"bearer {TOKEN}"):
        data_of(server.post(PATH, body, headers={"Authorization": right, "X-Forwarded-For": "203.0.113.7"}))
    assert _states(server)[_name(webuis[0])] == "drained"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.7"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
    ids=str,
)
@pytest.mark.parametrize("hops", [0, 1])
def test_without_a_token_a_caller_from_elsewhere_may_change_nothing(
    serve: Serve, webuis: tuple[StandIn, StandIn], headers: dict[str, str], hops: int
) -> None:
    server = serve(PROXY_COUNT=hops)

    answer = server.post(PATH, {"action": "drain", "instance": _name(webuis[0])}, headers=headers)

    assert "ADMIN_TOKEN" in failure_of(answer, 403)
    assert set(_states(server).values()) == {"idle"}


def test_without_a_token_a_page_of_this_machine_may_change_the_pool(
    serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve()

    answer = server.post(PATH, {"action": "drain", "instance": _name(webuis[0])}, headers={"Origin": server.url})

    assert data_of(answer)


def test_a_server_without_instances_has_an_empty_pool(serve: Serve) -> None:
    server = serve(SD_ENDPOINTS="")

    assert _pool(server) == {"instances": [], "waiting": 0, "admitted": 0}
    answer = server.post(PATH, {"action": "add", "endpoint": f"http://127.0.0.1:{free_port()}"})
    assert "SD_ENDPOINTS" in failure_of(answer, 503, code=2)


def test_with_worker_hosts_the_pool_is_theirs_to_see_and_to_change(
    serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve(JOBS_BACKEND="celery", CELERY_BROKER_URL=f"redis://127.0.0.1:{free_port()}/0")
    instance = asdict(
        InstanceState("gpu:7860", "http://gpu:7860", "idle", None, None, 0.0, 5, 0, 1.5, None, 7.5, 0.0, 0.0)
    )
    facts = {"kind": "worker", "host": "gpu-host-1", "instances": [instance], "waiting": 2}
    server.stores.runners.beat(new_id(), facts)

    found = _pool(server)
    answer = server.post(PATH, {"action": "drain", "instance": "gpu:7860"})

    assert [(one["host"], one["name"], one["served"]) for one in found["instances"]] == [("gpu-host-1", "gpu:7860", 5)]
    assert (found["waiting"], found["admitted"]) == (2, 0)
    assert "worker host 'gpu-host-1' was not reached" in failure_of(answer, 504, code=3)
    assert "gpu-host-1" in failure_of(server.post(PATH, {"action": "drain", "instance": "nobody", "host": "x"}), 404)
