"""A real Redis for tests, as a process of its own with its data in a folder: it can be killed and started again."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.embedded import free_port
from tests.processes.harness import until

PROGRAM: Final = shutil.which("redis-server", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


class RedisServer:
    """One server on one folder and one port, set up as deploy/ says; start and kill it as often as you like."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Give what CELERY_BROKER_URL must be."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it on its data, and wait until it answers."""
        command = [
            PROGRAM or "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder),
            "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        ]  # fmt: skip
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=_die_with_parent)
        until(self._answers, "redis-server", 20)

    def kill(self) -> None:
        """Kill it as a crash would; its data stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def lose_everything(self) -> None:
        """Forget all messages, as a broker without its data would."""
        with self.client() as client:
            client.flushall()

    def client(self) -> Redis:
        """Give a client that asks once, without patience."""
        return Redis(port=self.port, socket_timeout=2, decode_responses=True)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisConnectionError:
            # A server that still reads its data says so with BusyLoadingError, which is one of these.
            return False


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """Run a Redis on a folder as long as the `with` lasts."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _die_with_parent() -> None:
    # PR_SET_PDEATHSIG = 1, as for the embedded MongoDB: a killed test run leaves no server behind.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
