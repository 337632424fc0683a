"""A real MongoDB server for tests: the embedded one, as a process of its own, that can be killed and started again."""

from __future__ import annotations

import atexit
import ctypes
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from standins.laid_store import command, free_port, lay_store

__all__ = ["EmbeddedMongo", "embedded_mongo", "free_port"]

READY_S: Final = 30.0


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
        if not data.exists():
            shutil.copytree(_laid_store(), data)
        program = command(data, self.port, "--sync-on-commit")
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(program, stdout=log, stderr=log, preexec_fn=_die_with_parent)
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


@cache
def _laid_store() -> Path:
    """Lay one store for all servers of a test run: a copy is there at once, a new one takes a second."""
    folder = Path(tempfile.mkdtemp(prefix="laid-store-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    lay_store(folder / "db")
    return folder / "db"


def _die_with_parent() -> None:
    # PR_SET_PDEATHSIG = 1: the kernel ends the server with the thread that started it, so that a killed
    # test run leaves none behind. Only Linux has it.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
