"""A browser, the front end on an origin of its own, and the server with its stand-ins behind another."""

from __future__ import annotations

import functools
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.designer import Designer
from tests.browser.participant import Participant
from tests.embedded import free_port
from tests.processes.harness import answers_ping, checkout, program, until
from tests.stand_ins import StandIn, stand_in

PAGE = Path(__file__).parent / "frontend"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    # No name but this machine's can be found: the pages have to work without internet.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]  # fmt: skip

Serve = Callable[..., str]
Seat = Callable[[str], Designer]
NewDesigner = Callable[[], Designer]
NewParticipant = Callable[..., Participant]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run the chromium of this machine, without a window."""
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        found = next(filter(None, map(shutil.which, [own, *PROGRAMS])), None)
        if found is None:
            pytest.skip(f"no browser: none of {', '.join(PROGRAMS)} is on the PATH (apt-get install chromium)")
        running = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def running_webuis() -> Iterator[list[StandIn]]:
    """Run two WebUIs that draw at once."""
    with ExitStack() as stack:
        flags = ("--step-time", "0", "--load-time", "0")
        yield [stack.enter_context(stand_in("webui", *flags)) for _ in range(2)]


@pytest.fixture
def webuis(running_webuis: list[StandIn]) -> Iterator[list[StandIn]]:
    """Give the two WebUIs, to plan faults for and to hold; afterwards they forget."""
    yield running_webuis
    for webui in running_webuis:
        webui.reset()


@pytest.fixture(scope="session")
def serve(running_webuis: list[StandIn], mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Give a function that runs the server as in production, with these settings, and returns its base URL."""
    with ExitStack() as stack:
        chat = stack.enter_context(stand_in("chat", "--latency", "0"))

        def start(**settings: str) -> str:
            folder = tmp_path_factory.mktemp("server")
            port = free_port()
            services = {
                "MONGO_URI": mongo_uri, "MONGO_DB": "browser", "OPENAI_BASE_URL": f"{chat.url}/v1",
                "SD_ENDPOINTS": ",".join(webui.url for webui in running_webuis), "SD_PATIENCE": "60",
            }  # fmt: skip
            own = {"PORT": str(port), "DATA_DIR": str(folder / "data"), **services, **settings}
            command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--graceful-timeout", "2", "app:app"]
            stack.enter_context(program(command, checkout(folder / "checkout"), folder / "server.log", own))
            url = f"http://127.0.0.1:{port}"
            until(functools.partial(answers_ping, url), "the server")
            return url

        yield start


@pytest.fixture(scope="session")
def api_url(browser: Browser, serve: Serve) -> str:
    """Run the server that most tests use; not even started when there is no browser."""
    return serve()


@pytest.fixture(scope="session")
def page_url() -> Iterator[str]:
    """Serve the front end's page from another origin, and another site, than the server's."""
    handler = functools.partial(_QuietHandler, directory=os.fspath(PAGE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def foreign_page(browser: Browser, page_url: str) -> Iterator[Page]:
    """Open something of the front end's origin that does nothing by itself, to run scripts in."""
    page = browser.new_page()
    page.goto(f"{page_url}/style.css")
    yield page
    page.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a tab in which no script may fail."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-GB", accept_downloads=True)
    tab = context.new_page()
    problems: list[str] = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    yield tab
    context.close()
    assert problems == []


@pytest.fixture
def seat(browser: Browser, page_url: str) -> Iterator[Seat]:
    """Give a function that seats another user at a browser of their own; none may have met an error at the end."""
    seated: list[Designer] = []

    def open_page(api_url: str) -> Designer:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        seated.append(Designer(context, page_url, api_url))
        return seated[-1]

    yield open_page
    for designer in seated:
        designer.page.context.close()
    assert [problem for designer in seated for problem in designer.problems] == []


@pytest.fixture
def new_designer(seat: Seat, api_url: str) -> NewDesigner:
    """Give a function that seats another user of the server that most tests use."""
    return functools.partial(seat, api_url)


@pytest.fixture
def designer(new_designer: NewDesigner) -> Designer:
    """Seat one user."""
    return new_designer()


@pytest.fixture
def new_participant(browser: Browser, api_url: str) -> Iterator[NewParticipant]:
    """Give a function that seats a participant at our own page; none may have met an error at the end."""
    seated: list[Participant] = []

    def seat_one(width: int = 1280, height: int = 860, base_url: str = api_url, **context: Any) -> Participant:
        given = {"locale": "en-GB", "reduced_motion": "reduce", **context}
        opened = browser.new_context(viewport={"width": width, "height": height}, **given)
        seated.append(Participant(opened, base_url))
        return seated[-1]

    yield seat_one
    for participant in seated:
        participant.page.context.close()
    assert [problem for participant in seated for problem in participant.problems] == []


@pytest.fixture
def participant(new_participant: NewParticipant) -> Participant:
    """Seat one participant at a laptop."""
    return new_participant()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
