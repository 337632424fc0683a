"""A chat service and a WebUI, stand-ins that hold their answers back when told to, for the servers under test."""

import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.harness import ROOT, Program, checkout, program, until

LISTENING = re.compile(r"listening on (http://\S+)")
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try a test of this folder once more when it fails, and say so in the summary.

    What is promised here is promised in seconds, to kills and hangs of real processes, and a machine that is busy with
    something else for some seconds breaks such a promise without any fault of ours. A real fault fails twice.
    """
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))


class StandIn:
    """A running stand-in and its control calls."""

    def __init__(self, url: str) -> None:
        self.url = url

    def close_gate(self, closed: bool = True) -> None:
        """Hold answers back, or let them go."""
        body = json.dumps({"closed": closed}).encode()
        urllib.request.urlopen(f"{self.url}/standin/gate", body, timeout=5).close()

    def running(self) -> int:
        """How many callers it has right now."""
        with urllib.request.urlopen(f"{self.url}/standin/state", timeout=5) as answer:
            return int(json.load(answer)["running"])


def _address(standin: Program) -> str:
    found = until(lambda: LISTENING.search(standin.said()), "the stand-in's address")
    return found.group(1)


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[StandIn]:
    """Run a chat service that answers at once."""
    command = [sys.executable, "-m", "standins.chat", "--port", "0", "--latency", "0"]
    with program(command, ROOT, tmp_path / "chat.log") as standin:
        yield StandIn(_address(standin))


WEBUI = [sys.executable, "-m", "standins.webui", "--port", "0", "--step-time", "0", "--load-time", "0"]


@pytest.fixture
def webui(tmp_path: Path) -> Iterator[StandIn]:
    """Run a WebUI that draws trivial pictures without delay."""
    with program([*WEBUI, "--plain"], ROOT, tmp_path / "webui.log") as standin:
        yield StandIn(_address(standin))


@pytest.fixture
def drawing_webui(tmp_path: Path) -> Iterator[StandIn]:
    """Run a WebUI whose pictures show something."""
    with program(WEBUI, ROOT, tmp_path / "drawing-webui.log") as standin:
        yield StandIn(_address(standin))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Lay a checkout without this machine's own settings and data."""
    return checkout(tmp_path / "checkout")


@pytest.fixture
def settings(chat: StandIn, webui: StandIn, mongo_uri: str, database_name: str, tmp_path: Path) -> dict[str, str]:
    """Say where the services are, as `.env` would."""
    return {
        "MONGO_URI": mongo_uri,
        "MONGO_DB": database_name,
        "SD_ENDPOINTS": webui.url,
        "SD_PATIENCE": "60",
        "OPENAI_BASE_URL": f"{chat.url}/v1",
        "OPENAI_API_KEY": "stand-in",
        "DATA_DIR": str(tmp_path / "data"),
    }
