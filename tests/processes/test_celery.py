"""Worker hosts behind Redis: work reaches them, and neither a kill of a worker nor of Redis loses or doubles any."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.processes.celery_fleet import Fleet, WorkerHost, fleet
from tests.processes.harness import until
from tests.redis_server import PROGRAM

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
