"""The pool over several processes: one user for an instance, in order, and a killed one holds up nobody."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.errors import InstanceBusyError, InstanceTimeoutError, PoolTimeoutError
from agent.pool import SDInstance, SDInstancePool
from agent.sd import paint
from tests.stand_ins import StandIn, request, stand_in

pytestmark = pytest.mark.processes

PAINT = """
import sys
from pathlib import Path
from agent.pool import SDInstance, SDInstancePool
from agent.sd import paint
from tests.stand_ins import request
pool = SDInstancePool([SDInstance(url) for url in sys.argv[2:]], 30, Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for seed in range(8):
    paint(pool, request(seed=seed))
"""

HOLD = """
import sys
from pathlib import Path
from agent.pool import SDInstance, SDInstancePool
pool = SDInstancePool([SDInstance(url) for url in sys.argv[2:]], 30, Path(sys.argv[1]))
with pool.lease():
    print("ready", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def _process(program: str, locks_dir: Path, *urls: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", program, str(locks_dir), *urls]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def _tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it did not come about in 10 s"
        time.sleep(0.01)


def _pool(locks_dir: Path, *urls: str, timeout_s: float = 10.0) -> SDInstancePool:
    return SDInstancePool([SDInstance(url) for url in urls], timeout_s, locks_dir)


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
    urls = [webui.url for webui in webuis]
    with (
        _process(PAINT, tmp_path, *urls) as one,
        _process(PAINT, tmp_path, *urls) as two,
        _process(PAINT, tmp_path, *urls) as three,
    ):
        for process in (one, two, three):
            _tell(process)
        assert [process.wait(30) for process in (one, two, three)] == [0, 0, 0]
    journals = [webui.journal() for webui in webuis]
    assert sum(len(journal) for journal in journals) == 24
    assert all(journals)
    assert [webui.state()["max_queued"] for webui in webuis] == [0, 0]


def test_a_killed_process_frees_its_instance_at_once(tmp_path: Path) -> None:
    pool = _pool(tmp_path, "http://gpu1:7860")
    with _process(HOLD, tmp_path, "http://gpu1:7860") as holder:
        with pytest.raises(PoolTimeoutError), pool.lease(timeout=0.05):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait(5)
        began = time.monotonic()
        with pool.lease(timeout=5) as instance:
            assert time.monotonic() - began < 0.5
            assert instance.unsettled


def test_an_instance_given_back_in_order_is_settled(tmp_path: Path) -> None:
    pool = _pool(tmp_path, "http://gpu1:7860")
    with _process(HOLD, tmp_path, "http://gpu1:7860") as holder:
        _tell(holder)
        holder.wait(5)
    with pool.lease() as instance:
        assert not instance.unsettled


def test_the_job_of_a_killed_process_is_waited_for(webuis: tuple[StandIn, StandIn], tmp_path: Path) -> None:
    webui = webuis[0]
    webui.close_gate()
    with _process(PAINT, tmp_path, webui.url) as victim:
        _tell(victim)
        _until(lambda: webui.state()["running"] == 1)
        victim.send_signal(signal.SIGKILL)
    pool = _pool(tmp_path, webui.url, timeout_s=0.1)
    with pytest.raises(InstanceBusyError, match="nobody waits for"):
        paint(pool, request())
    webui.open_gate()
    assert paint(pool, request(), timeout=10).attempts[-1].error is None
    assert webui.state()["max_queued"] == 0


def test_a_process_that_came_first_is_served_first(tmp_path: Path) -> None:
    first, second = (_pool(tmp_path, "http://gpu1:7860") for _ in range(2))
    with second._queue.stand(), pytest.raises(PoolTimeoutError), first.lease(timeout=0.1):
        pass
    with first.lease(timeout=1):
        pass


def _tickets(locks_dir: Path) -> list[Path]:
    return list(locks_dir.glob("waiting-*"))


def test_a_killed_waiter_holds_up_nobody(tmp_path: Path) -> None:
    pool = _pool(tmp_path, "http://gpu1:7860")
    with pool.lease():
        command = [sys.executable, "-c", HOLD, str(tmp_path), "http://gpu1:7860"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as waiter:
            _until(lambda: bool(_tickets(tmp_path)))
            waiter.send_signal(signal.SIGKILL)
    assert _tickets(tmp_path)
    with pool.lease(timeout=1):
        pass
    assert _tickets(tmp_path) == []


def test_no_password_becomes_a_file_name(tmp_path: Path) -> None:
    with _pool(tmp_path, "http://user:hidden@gpu1:7860").lease():
        assert "hidden" not in " ".join(path.name for path in tmp_path.iterdir())


def test_a_job_left_running_is_known_to_the_next_process(tmp_path: Path) -> None:
    first, second = (_pool(tmp_path, "http://gpu1:7860") for _ in range(2))
    with pytest.raises(InstanceTimeoutError), first.lease() as instance:
        instance.unsettled = True
        raise InstanceTimeoutError("no answer")
    with second.lease() as instance:
        assert instance.unsettled
