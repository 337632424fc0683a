"""A real MongoDB server for tests: the embedded one, as a process of its own, that can be killed and started again."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError

READY_S: Final = 30.0
PROGRAM: Final = Path(sys.executable).parent / "secantusd-py"


class EmbeddedMongo:
    """One server on one directory and one port; start and stop it as often as you like."""

    def __init__(self, storage_path: Path, port: int | None = None) -> None:
        self.storage_path = storage_path
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Give the connection string of the server."""
        return f"mongodb://127.0.0.1:{self.port}"

    @property
    def log_path(self) -> Path:
        """Give the file that holds what the server said."""
        return self.storage_path / "server.log"

    def start(self) -> None:
        """Start the server and wait until it answers; raise RuntimeError with its log if it does not.

        The server ends with the thread that started it, so start it from one that lives long enough.
        """
        data = self.storage_path / "db"
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        config = self.storage_path / "empty.toml"
        config.touch()
        command = [str(PROGRAM), "--config", str(config), "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--storage-path", str(data), "--sync-on-commit"]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=_die_with_parent)
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop the server: SIGTERM, again after 3 s (the first may be swallowed), SIGKILL after 5 s more."""
        process = self._process
        if process is None:
            return
        for patience_s in (3, 5):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(patience_s)
                break
            except subprocess.TimeoutExpired:
                continue
        self.kill()

    def kill(self) -> None:
        """Kill the server at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + READY_S
        client: MongoClient[dict[str, object]]
        with MongoClient(self.uri, serverSelectionTimeoutMS=200, retryReads=False) as client:
            while time.monotonic() < end and self._process is not None and self._process.poll() is None:
                try:
                    client.admin.command("ping")
                    return
                except PyMongoError:
                    continue
        self.kill()
        raise RuntimeError(f"the embedded MongoDB did not start:\n{self.log_path.read_text()[-2000:]}")


@contextmanager
def embedded_mongo(storage_path: Path) -> Iterator[EmbeddedMongo]:
    """Run an embedded server on a directory while the block runs; `.uri` is its connection string."""
    server = EmbeddedMongo(storage_path)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """Find a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    # PR_SET_PDEATHSIG = 1: the kernel ends the server with the thread that started it, so that a killed
    # test run leaves none behind. Only Linux has it.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
