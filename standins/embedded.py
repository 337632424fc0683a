"""The database of `make run` when MONGO_URI is not set: a `mongod` from the PATH, else the embedded SecantusDB."""

import importlib.util
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from standins.laid_store import free_port
from standins.processes import StartError, Supervisor

START_TIMEOUT_S = 60.0
"""Opening a store of some 100 MB after a kill takes seconds; more than this means that it will not come."""


@dataclass(frozen=True)
class Database:
    """A database server that we start: its connection string, where its files are, and what a person must know."""

    uri: str
    folder: Path
    is_mongod: bool
    remark: str


def start_database(supervisor: Supervisor, data_folder: Path) -> Database:
    """Start the best database that this machine has; `wait_for` it before you use it.

    Raises:
        StartError: there is none to start.
    """
    port = free_port()
    mongod = shutil.which("mongod")
    database = _mongod(data_folder, port) if mongod else _secantus(data_folder, port)
    # The database protects nothing by itself: only this user may read its files, and only this machine can reach it.
    database.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = _mongod_command(mongod, database, port) if mongod else _secantus_command(database, port)
    supervisor.start("database", command)
    return database


def wait_for(supervisor: Supervisor, database: Database) -> None:
    """Return when it answers; raises what `Supervisor.wait_until` raises."""
    supervisor.wait_until(lambda: _answers(database.uri), "the database", START_TIMEOUT_S)


def _mongod(data_folder: Path, port: int) -> Database:
    # A folder of its own: the embedded database's files look alike, and a mongod would refuse or harm them.
    other = data_folder / "mongo"
    remark = f"the trial data of the embedded database in {other} is not read" if other.exists() else ""
    return Database(f"mongodb://127.0.0.1:{port}/", data_folder / "mongod", True, remark)


def _mongod_command(mongod: str, database: Database, port: int) -> list[str]:
    listen = ["--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
    return [mongod, "--dbpath", str(database.folder), *listen]


def _secantus(data_folder: Path, port: int) -> Database:
    # It forgets at a restart which writes it has applied, so the driver must not repeat one by itself; and it closes
    # connections that were idle for 300 s.
    uri = f"mongodb://127.0.0.1:{port}/?retryWrites=false&maxIdleTimeMS=120000"
    return Database(uri, data_folder / "mongo", False, "for trying out; a study needs a real MongoDB (MONGO_URI)")


def _secantus_command(database: Database, port: int) -> list[str]:
    if importlib.util.find_spec("secantus") is None:
        raise StartError(
            "no database: MONGO_URI is not set, there is no mongod on the PATH, and the embedded database is not "
            f"installed (it is made for Python 3.11 to 3.13; this is {platform.python_version()}). "
            "Set MONGO_URI, or install MongoDB."
        )
    return [sys.executable, "-m", "standins.laid_store", str(database.folder), str(port)]


def _answers(uri: str) -> bool:
    with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=500, connectTimeoutMS=500) as client:
        try:
            client.admin.command("ping")
        except PyMongoError:
            return False
        return True
