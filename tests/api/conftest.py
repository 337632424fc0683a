"""One server with its stand-ins for most tests, and servers of their own for those that break something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from config import Config
from store.ids import new_id
from tests.api.server import Server, serving
from tests.stand_ins import StandIn, stand_in

Serve = Callable[..., Server]
AT_ONCE = ("--step-time", "0", "--load-time", "0")


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> Iterator[None]:
    """Keep settings of the machine that runs the tests away from the servers under test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in Config.model_fields:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def running_webuis() -> Iterator[tuple[StandIn, StandIn]]:
    """Run two WebUIs that draw simple pictures at once."""
    with stand_in("webui", *AT_ONCE, "--plain") as first, stand_in("webui", *AT_ONCE, "--plain") as second:
        yield first, second


@pytest.fixture(scope="session")
def running_chat() -> Iterator[StandIn]:
    """Run a chat service that answers at once."""
    with stand_in("chat", "--latency", "0") as chat:
        yield chat


@pytest.fixture(scope="session")
def settings(
    running_webuis: tuple[StandIn, StandIn], running_chat: StandIn, mongo_uri: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:  # fmt: skip
    """Say where the services are; the database is added by each server."""
    return {
        "MONGO_URI": mongo_uri,
        "SD_ENDPOINTS": ",".join(webui.url for webui in running_webuis),
        "OPENAI_BASE_URL": f"{running_chat.url}/v1",
        "CHAT_MAX_RETRIES": 0,
        # Tests hold pictures back at a gate, which must not be taken for a WebUI that hangs.
        "SD_PATIENCE": 60,
        # A step for each picture, whatever was learned about batches before.
        "SD_MAX_BATCH": 1,
        # Who may see studies is the matter of test_access.py alone.
        "RESEARCH_LOGIN": False,
        "DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "LOG_LEVEL": "WARNING",
    }


@pytest.fixture(scope="session")
def server(settings: dict[str, Any]) -> Iterator[Server]:
    """Run the server that most tests use. Its instances and database are nobody's to break."""
    with serving({**settings, "MONGO_DB": f"test_{new_id().lower()}"}) as running:
        yield running


@pytest.fixture
def serve(settings: dict[str, Any], database_name: str, tmp_path: Path) -> Iterator[Serve]:
    """Give a function that runs a server with other settings, on a database and a pool of its own."""
    with ExitStack() as stack:

        def start(**others: Any) -> Server:
            own = {"MONGO_DB": database_name, "DATA_DIR": str(tmp_path)}
            context: AbstractContextManager[Server] = serving({**settings, **own, **others})
            return stack.enter_context(context)

        yield start


@pytest.fixture
def webuis(running_webuis: tuple[StandIn, StandIn]) -> Iterator[tuple[StandIn, StandIn]]:
    """Give the two WebUIs, to plan faults for and to look at; afterwards they forget."""
    for webui in running_webuis:
        webui.reset()
    yield running_webuis
    for webui in running_webuis:
        webui.reset()


@pytest.fixture
def chat(running_chat: StandIn) -> Iterator[StandIn]:
    """Give the chat service, to plan faults for and to look at; afterwards it forgets."""
    running_chat.reset()
    yield running_chat
    running_chat.reset()
