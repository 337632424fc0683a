"""Everything that a dry run needs, as processes that end with it; nothing of it touches what is configured."""

import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import requests

from config import Config
from standins.embedded import start_database, wait_for
from standins.laid_store import free_port
from standins.processes import STOP_SIGNALS, Child, StopRequested, Supervisor

ROOT = Path(__file__).parents[2]
START_S = 60.0
LISTENING = re.compile(r"listening on (http://\S+)")


@dataclass(frozen=True)
class Stage:
    """Where everything is."""

    url: str
    webuis: tuple[str, ...]
    chat: str
    mongo_uri: str

    def set_times(self, step_s: float, load_s: float, chat_s: float) -> None:
        """Say how long the stand-ins take from now on."""
        for webui in self.webuis:
            _steer(webui, {"step_time": step_s, "load_time": load_s})
        _steer(self.chat, {"latency": chat_s})


@contextmanager
def staged(instances: int, more: Mapping[str, str]) -> Iterator[Stage]:
    """Run a whole server on stand-ins as long as the block lasts; `more` are settings of the server."""
    for name in Config.model_fields:
        os.environ.pop(name, None)
    before = Path.cwd()
    with TemporaryDirectory(prefix="dry-run-") as name:
        # Away from a `.env` of ours: the children read settings where they are started.
        os.chdir(name)
        os.environ["PYTHONPATH"] = str(ROOT)
        try:
            with Supervisor(Path(name) / "logs", is_quiet=True) as supervisor:
                stage = _started(supervisor, Path(name), instances, more)
                # Nobody asks the supervisor any more, so a signal speaks for itself; its end puts back what was there.
                for number in STOP_SIGNALS:
                    signal.signal(number, _stop)
                yield stage
        finally:
            os.chdir(before)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise StopRequested


def _started(supervisor: Supervisor, folder: Path, instances: int, more: Mapping[str, str]) -> Stage:
    database = start_database(supervisor, folder)
    names = [f"gpu-{number}" for number in range(1, instances + 1)]
    children = [supervisor.start(name, _standin("webui", "--plain", "--name", name)) for name in names]
    chat_child = supervisor.start("chat", _standin("chat"))
    webuis = tuple(_address(supervisor, child) for child in children)
    chat, port = _address(supervisor, chat_child), free_port()
    wait_for(supervisor, database)
    env = {
        "MONGO_URI": database.uri, "MONGO_DB": "dry_run", "DATA_DIR": str(folder / "data"), "PORT": str(port),
        "HOST": "127.0.0.1", "SD_ENDPOINTS": ",".join(webuis), "OPENAI_BASE_URL": f"{chat}/v1",
        "OPENAI_API_KEY": "stand-in", "OPENAI_MODEL": "stand-in", "RESEARCH_LOGIN": "false", "LOG_LEVEL": "WARNING",
        **more,
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "--workers", "2", "app:app"]
    supervisor.start("server", command, env)
    url = f"http://127.0.0.1:{port}"
    supervisor.wait_until(lambda: _answers(url), "the server", START_S)
    return Stage(url, webuis, chat, database.uri)


def _standin(kind: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"standins.{kind}", "--host", "127.0.0.1", "--port", "0", *arguments]


def _address(supervisor: Supervisor, child: Child) -> str:
    found = supervisor.wait_until(lambda: child.heard(LISTENING.search), f"the stand-in {child.name}", START_S)
    return str(found.group(1))


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/ping", timeout=2).ok
    except requests.RequestException:
        return False


def _steer(url: str, times: dict[str, float]) -> None:
    requests.post(f"{url}/standin/timing", json=times, timeout=10).raise_for_status()
