"""The pool over several processes: one user for an instance, in order, and a killed one holds up nobody."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from agent.errors import InstanceBusyError, InstanceTimeoutError, PoolTimeoutError
from agent.instance import SDInstance
from agent.sd import paint
from tests.pools import MakePool, know, pools, until
from tests.stand_ins import StandIn, request, stand_in

pytestmark = pytest.mark.processes

START = """
import sys
from pathlib import Path
from agent.calls import Call
from agent.pool import SDInstance, SDInstancePool
from agent.sd import paint
from tests.pools import know
from tests.stand_ins import request
pool = SDInstancePool([SDInstance(url) for url in sys.argv[2:]], 30, Path(sys.argv[1]), probes=False)
pool.start()
print("ready", flush=True)
sys.stdin.readline()
"""
PAINT = (
    START
    + """
know(pool)
for seed in range(8):
    paint(pool, request(seed=seed))
"""
)
HOLD = (
    START
    + """
with pool.lease(call=Call(job="held")):
    print("holds", flush=True)
    sys.stdin.readline()
"""
)
CANNOT_CONNECT = "http://gpu1:7860"
WITHIN_S = 2.0


@contextmanager
def _process(program: str, folder: Path, *urls: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", program, str(folder), *urls]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert _said(process) == "ready\n"
            yield process
        finally:
            process.kill()


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _kill(process: subprocess.Popen[str]) -> float:
    process.send_signal(signal.SIGKILL)
    process.wait(5)
    return time.monotonic()


@pytest.fixture
def make_pool() -> Iterator[MakePool]:
    """Make pools that are closed when the test is over."""
    with pools() as make:
        yield make


@pytest.fixture(scope="module")
def two_webuis() -> Iterator[tuple[StandIn, StandIn]]:
    flags = ("--plain", "--step-time", "0.005", "--load-time", "0")
    with stand_in("webui", *flags) as one, stand_in("webui", *flags) as two:
        yield one, two


@pytest.fixture
def webuis(two_webuis: tuple[StandIn, StandIn]) -> tuple[StandIn, StandIn]:
    for webui in two_webuis:
        webui.reset()
    return two_webuis


def test_three_processes_never_meet_on_one_instance(webuis: tuple[StandIn, StandIn], tmp_path: Path) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(_process(PAINT, tmp_path, *(w.url for w in webuis))) for _ in range(3)]
        for process in processes:
            _go_on(process)
        assert [process.wait(60) for process in processes] == [0, 0, 0]
    journals = [webui.journal() for webui in webuis]
    assert sum(len(journal) for journal in journals) == 24
    assert all(journals)
    assert [webui.state()["max_queued"] for webui in webuis] == [0, 0]


def test_a_killed_process_frees_its_instance_for_one_who_waits(tmp_path: Path, make_pool: MakePool) -> None:
    pool = make_pool([SDInstance(CANNOT_CONNECT)], 10.0, tmp_path)
    with _process(HOLD, tmp_path, CANNOT_CONNECT) as holder:
        _go_on(holder)
        assert _said(holder) == "holds\n"
        assert pool.states()[0].job == "held"
        with pytest.raises(PoolTimeoutError), pool.lease(timeout=0.05):
            pass
        killed_at = _kill(holder)
        with pool.lease(timeout=5) as instance:
            assert time.monotonic() - killed_at < WITHIN_S
            assert instance.unsettled


def test_a_killed_waiter_holds_up_nobody(tmp_path: Path, make_pool: MakePool) -> None:
    pool = make_pool([SDInstance(CANNOT_CONNECT)], 10.0, tmp_path)
    with _process(HOLD, tmp_path, CANNOT_CONNECT) as waiter:
        with pool.lease():
            _go_on(waiter)
            until(lambda: pool.waiting() == 1, "it waits")
            killed_at = _kill(waiter)
        with pool.lease(timeout=5):
            assert time.monotonic() - killed_at < WITHIN_S
        assert pool.waiting() == 0


def test_an_instance_given_back_in_order_is_settled(tmp_path: Path, make_pool: MakePool) -> None:
    pool = make_pool([SDInstance(CANNOT_CONNECT)], 10.0, tmp_path)
    with _process(HOLD, tmp_path, CANNOT_CONNECT) as holder:
        _go_on(holder)
        assert _said(holder) == "holds\n"
        _go_on(holder)
        assert holder.wait(5) == 0
    with pool.lease() as instance:
        assert not instance.unsettled


def test_the_job_of_a_killed_process_is_interrupted_before_the_next_call(
    webuis: tuple[StandIn, StandIn], tmp_path: Path, make_pool: MakePool
) -> None:
    webui = webuis[0]
    pool = make_pool([SDInstance(webui.url)], 10.0, tmp_path)
    webui.close_gate()
    with _process(PAINT, tmp_path, webui.url) as victim:
        _go_on(victim)
        until(lambda: webui.state()["running"] == 1, "it paints")
        killed_at = _kill(victim)
    # The gate stays closed: only an interrupt ends the job that was left.
    assert paint(pool, request(seed=99, steps=1)).attempts[-1].error is None
    assert time.monotonic() - killed_at < WITHIN_S + 1.0
    assert [entry["outcome"] for entry in webui.journal()] == ["interrupted", "done"]
    assert webui.state()["max_queued"] == 0


def test_a_job_that_nobody_can_interrupt_is_waited_for(
    webuis: tuple[StandIn, StandIn], tmp_path: Path, make_pool: MakePool
) -> None:
    webui = webuis[0]
    pool = make_pool([SDInstance(webui.url)], 10.0, tmp_path)
    webui.close_gate()
    with _process(PAINT, tmp_path, webui.url) as victim:
        _go_on(victim)
        until(lambda: webui.state()["running"] == 1, "it paints")
        _kill(victim)
    until(lambda: pool.states()[0].state == "idle", "it is free")
    with pool.ledger.change() as change:
        change.run("UPDATE instances SET abandoned_task = NULL")
    with pytest.raises(InstanceBusyError, match="nobody waits for"):
        paint(pool, request(), timeout=0.1)
    webui.open_gate()
    assert paint(pool, request()).attempts[-1].error is None
    assert webui.state()["max_queued"] == 0


def test_a_process_that_came_first_is_served_first(tmp_path: Path, make_pool: MakePool) -> None:
    pool = make_pool([SDInstance(CANNOT_CONNECT)], 10.0, tmp_path)
    with ExitStack() as stack:
        processes = [stack.enter_context(_process(HOLD, tmp_path, CANNOT_CONNECT)) for _ in range(3)]
        with pool.lease():
            for count, process in enumerate(processes, 1):
                _go_on(process)
                until(lambda count=count: pool.waiting() == count, "it waits")  # type: ignore[misc]
        for left, process in enumerate(processes):
            assert _said(process) == "holds\n"
            assert pool.waiting() == 2 - left
            _go_on(process)


def test_no_password_becomes_a_file_name(tmp_path: Path, make_pool: MakePool) -> None:
    pool = make_pool([SDInstance("http://user:hidden@gpu1:7860")], 10.0, tmp_path)
    with pool.lease():
        assert "hidden" not in " ".join(path.name for path in tmp_path.iterdir())


def test_a_job_left_running_is_known_to_the_next_process(tmp_path: Path, make_pool: MakePool) -> None:
    first, second = (make_pool([SDInstance(CANNOT_CONNECT)], 10.0, tmp_path) for _ in range(2))
    with pytest.raises(InstanceTimeoutError), first.lease() as instance:
        instance.unsettled, instance.abandoned_task = True, "task-1"
        raise InstanceTimeoutError("no answer")
    with second.ledger.change() as change:
        change.run("UPDATE instances SET health = 'up'")
    with second.lease() as instance:
        assert (instance.unsettled, instance.abandoned_task) == (True, "task-1")


def test_what_one_process_drains_or_learns_is_so_for_all(tmp_path: Path, make_pool: MakePool) -> None:
    urls = [CANNOT_CONNECT, "http://gpu2:7860"]
    one, other = (make_pool([SDInstance(url) for url in urls], 10.0, tmp_path) for _ in range(2))
    know(one, unit_s=3.0)
    one.drain("gpu1:7860")
    one.add("http://gpu3:7860")
    assert [state.state for state in other.states()] == ["drained", "idle", "idle"]
    with other.lease() as two, other.lease() as three:
        assert {two.name, three.name} == {"gpu2:7860", "gpu3:7860"}
    with _process(START, tmp_path, *urls):
        assert [state.state for state in other.states()] == ["drained", "idle", "idle"]


def test_when_all_processes_have_ended_the_configuration_counts_again(tmp_path: Path) -> None:
    urls = [CANNOT_CONNECT, "http://gpu2:7860"]
    with pools() as make:
        pool = make([SDInstance(url) for url in urls], 10.0, tmp_path)
        pool.drain("gpu1:7860")
        pool.remove("gpu2:7860")
        pool.add("http://gpu3:7860")
    with ExitStack() as stack, pools() as make:
        for process in _at_once(stack, tmp_path, urls, 4):
            assert _said(process) == "ready\n"
        pool = make([SDInstance(url) for url in urls], 10.0, tmp_path)
        assert [(state.name, state.state) for state in pool.states()] == [("gpu1:7860", "idle"), ("gpu2:7860", "idle")]


def _at_once(stack: ExitStack, folder: Path, urls: Sequence[str], count: int) -> list[subprocess.Popen[str]]:
    command = [sys.executable, "-c", START, str(folder), *urls]
    processes = [
        stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        for _ in range(count)
    ]
    for process in processes:
        stack.callback(process.kill)
    return processes
