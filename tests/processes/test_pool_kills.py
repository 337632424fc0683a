"""`kill -9` at random moments, in the middle of whatever the pool does: no double use, nothing broken, nothing lost."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.pools import made_up, pool_of, until

pytestmark = pytest.mark.processes

# Whoever has an instance locks a file of its name: a second user of it finds that out, and says so.
WORK = """
import fcntl, sys, time
from pathlib import Path
from agent.calls import Call
from agent.errors import SDError
from agent.pool import SDInstancePool
from tests.pools import made_up
folder = Path(sys.argv[1])
pool = SDInstancePool(made_up(3), 30, folder / "pool", probes=False)
print("ready", flush=True)
number = 0
while True:
    number += 1
    with pool.lease("abc"[number % 3], call=Call(share=sys.argv[2], size=1.0)) as instance:
        with (folder / instance.name).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("TWICE", instance.name, flush=True)
            instance.loaded = "abc"[number % 3]
            time.sleep(0.001)
"""
FOR_S = 4.0


def _worker(folder: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WORK, str(folder), name], stdout=subprocess.PIPE, text=True)


def test_processes_killed_at_random_moments_harm_nobody(tmp_path: Path) -> None:
    dice, said, killed = random.Random(5), list[str](), 0
    with pool_of(made_up(3), 10.0, tmp_path / "pool") as pool, ExitStack() as stack:
        pool.start()
        workers = [_worker(tmp_path, f"worker {n}") for n in range(4)]
        stack.callback(lambda: [worker.kill() for worker in workers])
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        end = time.monotonic() + FOR_S
        while time.monotonic() < end:
            victim = dice.randrange(len(workers))
            time.sleep(dice.uniform(0.05, 0.4))
            workers[victim].kill()
            said.append(workers[victim].communicate(timeout=10)[0])
            killed += 1
            workers[victim] = _worker(tmp_path, f"worker {victim}")
        for worker in workers:
            worker.kill()
            said.append(worker.communicate(timeout=10)[0])
        ended_at = time.monotonic()
        with pool.lease(timeout=5), pool.lease(timeout=5), pool.lease(timeout=5):
            assert time.monotonic() - ended_at < 2.0
        until(lambda: pool.waiting() == 0, "the dead are forgotten")
        assert [state.state for state in pool.states()] == ["idle"] * 3
        assert sum(state.served for state in pool.states()) > 10 * killed
    assert killed >= 5
    assert "TWICE" not in "".join(said)
    with closing(sqlite3.connect(tmp_path / "pool" / "pool-2.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
