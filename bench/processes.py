"""The parts of a run as processes of their own, each ended with the block that started it."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from standins.guard import DONE, end_process, start_guard
from standins.laid_store import free_port

ROOT = Path(__file__).parent.parent
START_S = 60.0
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
"""What a part gets of our own environment: none of the settings of whoever runs the bench."""


class StartError(Exception):
    """A part did not become ready; the message says which, and its last words."""


@dataclass(frozen=True)
class Process:
    """A running part; `log` holds all that it says."""

    popen: "subprocess.Popen[bytes]"
    log: Path

    def said(self) -> str:
        """Its last words, for a message."""
        return self.log.read_text("utf-8", errors="replace")[-2000:]

    def wait_until(self, answer: Callable[[], Any], what: str, timeout_s: float = START_S) -> Any:
        """Ask until the answer is true, and return it. Raises StartError after `timeout_s` or when the part ended."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end and self.popen.poll() is None:
            if found := answer():
                return found
            time.sleep(0.02)
        raise StartError(f"{what} is not ready; it said:\n{self.said()}")


@contextmanager
def started(
    command: Sequence[str], log: Path, env: Mapping[str, str] | None = None, folder: Path = ROOT
) -> Iterator[Process]:
    """Run a part in a group of its own; it ends with the block, and also when this process is killed."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    with log.open("wb") as output:
        popen = subprocess.Popen(
            command, cwd=folder, env={**kept, "PYTHONUNBUFFERED": "1", **(env or {})}, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    guard = start_guard()
    assert guard.stdin is not None
    guard.stdin.write(f"{popen.pid}\n")
    guard.stdin.flush()
    try:
        yield Process(popen, log)
    finally:
        # In a hurry: nothing of it is kept, and an orderly end would take two seconds each time.
        end_process(popen.pid, lambda: popen.poll() is None, lambda: True)
        guard.communicate(DONE)


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """Run the embedded MongoDB on a new store; gives its connection string."""
    port = free_port()
    command = [sys.executable, "-m", "standins.laid_store", str(folder / "mongo"), str(port)]
    uri = f"mongodb://127.0.0.1:{port}/?retryWrites=false"
    with started(command, folder / "database.log") as process:
        process.wait_until(lambda: _answers(uri), "the database")
        yield uri


def seconds_of_writes(uri: str, count: int = 30) -> list[float]:
    """Time so many small writes to a database, one after the other."""
    took = []
    with MongoClient[dict[str, object]](uri) as client:
        for number in range(count):
            began = time.perf_counter()
            client["bench"]["writes"].insert_one({"_id": f"{began}-{number}"})
            took.append(time.perf_counter() - began)
    return took


@contextmanager
def chat(folder: Path, latency_s: float) -> Iterator[str]:
    """Run a stand-in chat service; gives its base address."""
    log, port = folder / "chat.log", free_port()
    command = [sys.executable, "-m", "standins.chat", "--port", str(port), "--latency", str(latency_s)]
    with started(command, log) as process:
        url = f"http://127.0.0.1:{port}"
        process.wait_until(lambda: fetched(f"{url}/standin/state"), "the chat service")
        yield url


@dataclass(frozen=True)
class FarmAddress:
    """Where the WebUIs listen, in the order of their names, and the port that steers them."""

    control: str
    endpoints: tuple[str, ...]


@contextmanager
def farm(folder: Path, count: int, *arguments: str) -> Iterator[FarmAddress]:
    """Run `count` stand-in WebUIs in one process, with the arguments of `python -m bench.farm`."""
    log = folder / "farm.log"
    with started([sys.executable, "-m", "bench.farm", str(count), *arguments], log) as process:
        process.wait_until(lambda: log.read_bytes().endswith(b"}\n"), "the farm")
        told = json.loads(log.read_text().splitlines()[0])
        yield FarmAddress(told["control"], tuple(told["endpoints"]))


@contextmanager
def server(folder: Path, workers: int, settings: Mapping[str, str]) -> Iterator[tuple[str, Process]]:
    """Run the server as everybody does, with these settings and no others; gives its base address and its process."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-w", str(workers), "app:app"]
    env = {**settings, "PORT": str(port), "DATA_DIR": str(folder / "data"), "LOG_LEVEL": "WARNING"}
    with started(command, folder / "server.log", env, _checkout(folder / "project")) as process:
        url = f"http://127.0.0.1:{port}"
        process.wait_until(lambda: fetched(f"{url}/ping"), "the server")
        yield url, process


def workers_of(process: Process) -> list[int]:
    """Name the worker processes of a running gunicorn."""
    children = Path(f"/proc/{process.popen.pid}/task/{process.popen.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


def memory_mb(pid: int) -> float:
    """Say how many MB of memory a process has in use (resident)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def fetched(url: str) -> bytes:
    """GET without anybody's proxy settings; empty when nobody answers well."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as response:
            return bytes(response.read())
    except (urllib.error.URLError, OSError):
        return b""


def _checkout(folder: Path) -> Path:
    # The project by links: a .env of whoever runs the bench must not reach the server.
    folder.mkdir(exist_ok=True)
    for entry in ROOT.iterdir():
        link = folder / entry.name
        if entry.name not in (".env", "data", "out") and not link.exists():
            link.symlink_to(entry)
    return folder


def _answers(uri: str) -> bool:
    with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=200) as client:
        try:
            client.admin.command("ping")
        except PyMongoError:
            return False
        return True
