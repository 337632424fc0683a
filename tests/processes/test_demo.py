"""`make demo` against a server: what it leaves, and what it says when an operation failed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.embedded import free_port
from tests.processes.conftest import StandIn
from tests.processes.harness import BIN, Program, answers_ping, program, until

pytestmark = pytest.mark.processes

DEMO = [sys.executable, "-m", "standins.demo"]


@contextmanager
def demo_at(project: Path, settings: dict[str, str], tmp_path: Path) -> Iterator[Program]:
    """Run the demo against a server with these settings."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = program(
        [BIN / "gunicorn", "-w", "1", "app:app"], project, tmp_path / "gunicorn.log", settings | {"PORT": str(port)}
    )
    with server:
        until(lambda: answers_ping(url), "the server")
        with program(DEMO, project, tmp_path / "demo.log", {"BASE_URL": url}) as demo:
            yield demo


def test_the_demo_leaves_every_text_and_picture_and_one_sheet(
    project: Path, settings: dict[str, str], drawing_webui: StandIn, tmp_path: Path
) -> None:
    with demo_at(project, settings | {"SD_ENDPOINTS": drawing_webui.url}, tmp_path) as demo:
        assert demo.ends_within(90) == 0, demo.said()
    left = {path.name for path in (project / "out").iterdir()}
    assert {name[:2] for name in left if name[0].isdigit()} == {f"{number:02}" for number in range(1, 15)}
    assert len([name for name in left if name.startswith("09-") and "canvas" not in name]) == 6
    with Image.open(project / "out" / "contact-sheet.png") as sheet:
        assert sheet.width > 2000


def test_the_demo_names_what_failed(project: Path, settings: dict[str, str], tmp_path: Path) -> None:
    with demo_at(project, settings | {"SD_ENDPOINTS": "http://127.0.0.1:9"}, tmp_path) as demo:
        assert demo.ends_within(90) == 1, demo.said()
        assert "3 of 14 operations answered" in demo.said()
        assert "New sketches: " in demo.said()
    assert (project / "out" / "contact-sheet.png").exists()


def test_the_demo_says_when_nobody_answers_at_the_address_it_was_given(project: Path, tmp_path: Path) -> None:
    with program(DEMO, project, tmp_path / "demo.log", {"BASE_URL": "http://127.0.0.1:9"}) as demo:
        assert demo.ends_within(20) == 2
        assert "no server answers at http://127.0.0.1:9" in demo.said()
