"""Worker hosts behind Redis: work reaches them, and neither a kill of a worker nor of Redis loses or doubles any."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.processes.celery_fleet import Fleet, WorkerHost, by_endpoint, fleet
from tests.processes.harness import until
from tests.redis_server import PROGRAM
from tests.stand_ins import stand_in

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(PROGRAM is None, reason="Redis is not installed here: apt-get install redis-server"),
]

FOUND_AGAIN_S = 12
"""What the jobs of a killed worker may take to run elsewhere: at most 10 s, and a moment for the test itself."""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, mongo_uri: str) -> Iterator[Fleet]:
    """Run a web server and a Redis for all tests of this file."""
    with fleet(tmp_path_factory.mktemp("fleet"), mongo_uri) as running:
        yield running


@pytest.fixture(scope="module")
def hosts(study: Fleet) -> Iterator[tuple[WorkerHost, WorkerHost]]:
    """Run two worker hosts with one WebUI each."""
    with study.host("one") as one, study.host("two") as two:
        yield one, two


@pytest.fixture(autouse=True)
def released(hosts: tuple[WorkerHost, WorkerHost]) -> Iterator[None]:
    """Leave no gate closed for the test that follows, whatever happened."""
    yield
    for host in hosts:
        host.release()


def held(hosts: tuple[WorkerHost, WorkerHost], running: int) -> None:
    """Wait until so many pictures are being painted."""
    until(lambda: sum(host.running() for host in hosts) == running, f"{running} pictures under way")


def test_work_reaches_both_hosts_and_the_pool_shows_both(study: Fleet, hosts: tuple[WorkerHost, WorkerHost]) -> None:
    assert {webui.url for host in hosts for webui in host.webuis} <= study.endpoints()
    before = [len(host.seeds()) for host in hosts]
    for host in hosts:
        host.hold()
    jobs = [study.submit(num=2, seed=10 * number) for number in range(4)]
    held(hosts, 2)
    for host in hosts:
        host.release()
    text = study.submit("brief.create_new")
    assert [len(study.ended(job)["outputs"]) for job in [*jobs, text]] == [2, 2, 2, 2, 1]
    one, two = (host.seeds()[count:] for host, count in zip(hosts, before, strict=True))
    assert one and two
    assert sorted(one + two) == [0, 1, 10, 11, 20, 21, 30, 31]


def test_a_cancel_interrupts_the_picture_on_its_host_at_once(
    study: Fleet, hosts: tuple[WorkerHost, WorkerHost]
) -> None:
    for host in hosts:
        host.hold()
    job = study.submit()
    held(hosts, 1)
    assert study.cancel(job)["state"] == "canceled"
    began_s = time.monotonic()
    held(hosts, 0)
    assert time.monotonic() - began_s < 2
    for host in hosts:
        host.release()
    assert study.ended(study.submit())["state"] == "succeeded"


def test_a_webui_of_a_host_is_drained_and_resumed_by_the_web_server(
    study: Fleet, hosts: tuple[WorkerHost, WorkerHost]
) -> None:
    (one,), (two,) = (host.webuis for host in hosts)
    before = [len(host.seeds()) for host in hosts]
    name = study.pool()[one.url]["name"]
    for action, state in (("drain", "drained"), ("resume", "idle")):
        answer = study.changed(action, instance=name)
        assert by_endpoint(answer.json())[one.url]["state"] == state
        # Each process of the web server shows it from now on.
        assert [study.pool()[one.url]["state"] for _ in range(4)] == [state] * 4
        jobs = [study.submit() for _ in range(3)] if action == "drain" else []
        assert [study.ended(job)["state"] for job in jobs] == ["succeeded"] * len(jobs)
    assert study.pool()[two.url]["state"] == "idle"
    assert [len(host.seeds()) - count for host, count in zip(hosts, before, strict=True)] == [0, 3]


def test_a_webui_is_added_to_the_host_that_is_named_and_removed_again(
    study: Fleet, hosts: tuple[WorkerHost, WorkerHost]
) -> None:
    first, second = (study.pool()[host.webuis[0].url]["host"] for host in hosts)
    with stand_in("webui", "--plain", "--step-time", "0", "--load-time", "0") as webui:
        vague, strange = study.change("add", endpoint=webui.url), study.change("add", endpoint=webui.url, host="nobody")
        assert (vague.status_code, strange.status_code) == (422, 404)
        assert first in vague.json()["message"]
        assert second in strange.json()["message"]
        for host in hosts:
            host.hold()
        # The WebUIs that were there before have their hands full, so the next job can only be painted by the new one.
        earlier = [study.submit() for _ in hosts]
        held(hosts, 2)
        added = by_endpoint(study.changed("add", endpoint=webui.url, host=second).json())
        assert added[webui.url]["host"] == second
        job = study.ended(study.submit())
        assert job["state"] == "succeeded"
        assert [entry["outcome"] for entry in webui.journal()][-1:] == ["done"]
        for host in hosts:
            host.release()
        assert [study.ended(one)["state"] for one in earlier] == ["succeeded", "succeeded"]
        assert webui.url not in by_endpoint(study.change("remove", instance=added[webui.url]["name"]).json())
    assert study.change("drain", instance="nobody").status_code == 404
    assert study.change("drain", instance="nobody", host=first).status_code == 404


def test_a_host_whose_threads_are_all_in_use_is_drained_at_once(
    study: Fleet, hosts: tuple[WorkerHost, WorkerHost]
) -> None:
    for host in hosts:
        host.hold()
    jobs = [study.submit() for _ in range(40)]
    held(hosts, 2)
    name = study.pool()[hosts[0].webuis[0].url]["name"]
    began_s = time.monotonic()
    answer = study.change("drain", instance=name)
    assert time.monotonic() - began_s < 2
    assert by_endpoint(answer.json())[hosts[0].webuis[0].url]["state"] == "draining"
    for host in hosts:
        host.release()
    assert study.change("resume", instance=name).status_code == 200
    assert {study.ended(job, 60)["state"] for job in jobs} == {"succeeded"}


def test_a_restart_of_redis_loses_no_job_and_doubles_none(study: Fleet, hosts: tuple[WorkerHost, WorkerHost]) -> None:
    before = [len(host.seeds()) for host in hosts]
    for host in hosts:
        host.hold()
    jobs = [study.submit() for _ in range(12)]
    held(hosts, 2)
    study.redis.kill()
    jobs += [study.submit() for _ in range(2)]
    for host in hosts:
        host.release()
    study.redis.start()
    ended = [study.ended(job) for job in jobs]
    assert [(job["state"], len(job["outputs"]), job["attempt"]) for job in ended] == [("succeeded", 1, 1)] * 14
    assert sum(len(host.seeds()) for host in hosts) - sum(before) == 14


def test_an_order_that_reaches_no_worker_is_refused_soon_and_reaches_it_when_redis_is_back(
    study: Fleet, hosts: tuple[WorkerHost, WorkerHost]
) -> None:
    name = study.pool()[hosts[0].webuis[0].url]["name"]
    study.redis.kill()
    began_s = time.monotonic()
    refused = study.change("drain", instance=name)
    assert time.monotonic() - began_s < 6
    assert refused.status_code == 504
    assert "broker is away" in refused.json()["message"]
    study.redis.start()
    until(lambda: study.change("resume", instance=name).status_code == 200, "an answer of the worker")
    assert study.pool()[hosts[0].webuis[0].url]["state"] == "idle"


def test_the_job_of_a_killed_worker_ends_well_on_another_host(
    study: Fleet, hosts: tuple[WorkerHost, WorkerHost]
) -> None:
    with study.host("killed") as doomed:
        for host in (*hosts, doomed):
            host.hold()
        jobs = [study.submit() for _ in range(3)]
        until(lambda: doomed.running() == 1, "a picture under way on the host that dies")
        lost = until(lambda: study.job_at(doomed.webuis[0]), "its job in the pool")
        doomed.kill()
        for host in hosts:
            host.release()
        ended = {job: study.ended(job, FOUND_AGAIN_S) for job in jobs}
        assert [(job["state"], len(job["outputs"])) for job in ended.values()] == [("succeeded", 1)] * 3
        assert ended[lost]["attempt"] == 2
        assert doomed.webuis[0].url not in study.endpoints()


def test_an_order_to_a_worker_that_has_just_died_is_answered_all_the_same(study: Fleet) -> None:
    with study.host("silent") as silent:
        name = study.pool()[silent.webuis[0].url]["name"]
        silent.kill()
        refused = study.change("drain", instance=name)
    assert refused.status_code == 504
    assert "did not answer" in refused.json()["message"]


def test_a_worker_that_is_stopped_gives_back_what_it_cannot_end(
    study: Fleet, hosts: tuple[WorkerHost, WorkerHost]
) -> None:
    with study.host("leaving", GRACEFUL_TIMEOUT="1") as leaving:
        for host in (*hosts, leaving):
            host.hold()
        jobs = [study.submit() for _ in range(9)]
        until(lambda: leaving.running() == 1, "a picture under way on the host that leaves")
        leaving.worker.process.send_signal(signal.SIGTERM)
        for host in hosts:
            host.release()
        assert leaving.worker.ends_within(15) == 0
        ended = [study.ended(job) for job in jobs]
        assert [(job["state"], len(job["outputs"])) for job in ended] == [("succeeded", 1)] * 9
        assert "Traceback" not in leaving.worker.said()
