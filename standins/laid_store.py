"""`python -m standins.laid_store FOLDER …`: the embedded database on a store that a kill cannot break.

SecantusDB keeps its collections in 16 tables, by the hash of their names, and makes each at its first use. Killed while
it makes one, it can never be started on that store again (measured: 4 of 80 kills in the first half second). So a new
store is laid aside with all its tables, closed cleanly, and only then moved into its place.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from standins.guard import end_process

CONFIG = Path(__file__).with_name("secantus.toml")
NAMES = 18
"""Collections that are made and dropped again: by their hash these names reach all 16 tables (a test counts them)."""
PATIENCE_S = 30.0


def command(folder: Path, port: int, *more: str) -> list[str]:
    """Build the command line of the embedded database on a store, for this machine only."""
    listen = ["--host", "127.0.0.1", "--port", str(port), "--storage-path", str(folder)]
    own = ["--config", str(CONFIG), "--log-level", "WARNING", "--cache-size", f"{_cache_gb()}G"]
    return [sys.executable, "-m", "secantus", *own, *listen, *more]


def _cache_gb() -> int:
    """Choose the memory that the database may use: a quarter of the machine's, 1 to 4 GB.

    With its own default of 1 GB it was seen to stand still for minutes, some hundred pictures after its start: a fifth
    of the cache may be unwritten, and once that is reached its writers and readers wait for one another.
    """
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return min(max(int(memory_gb / 4), 1), 4)


def lay_store(folder: Path) -> None:
    """Make a store with all its tables in `folder`, unless there is one.

    Raises:
        TimeoutError: the database did not come up or did not end in time.
    """
    if folder.exists() and any(folder.iterdir()):
        return
    aside = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True, mode=0o700)
    port = free_port()
    with subprocess.Popen(command(aside, port), stdin=subprocess.DEVNULL) as process:
        try:
            _touch_every_table(f"mongodb://127.0.0.1:{port}/?retryWrites=false")
        finally:
            _end(process)
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


def free_port() -> int:
    """Find a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _touch_every_table(uri: str) -> None:
    with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=200) as client:
        end = time.monotonic() + PATIENCE_S
        while not _answers(client):
            if time.monotonic() > end:
                raise TimeoutError(f"the embedded database did not answer within {PATIENCE_S:g} s")
        for number in range(NAMES):
            client["tables"][f"table_{number}"].insert_one({"_id": 1})
        client.drop_database("tables")


def _answers(client: "MongoClient[dict[str, object]]") -> bool:
    try:
        client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def _end(process: "subprocess.Popen[bytes]") -> None:
    end_process(process.pid, lambda: process.poll() is None, lambda: False)
    if process.poll() != 0:
        raise TimeoutError("the embedded database did not end cleanly after it had laid its store")


def main() -> None:
    """Lay the store if it is missing, then become the database."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    lay_store(folder)
    # Without --sync-on-commit a kill loses the last writes that were acknowledged.
    arguments = command(folder, port, "--sync-on-commit")
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main()
