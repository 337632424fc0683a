"""uwsgi.ini, with the real program."""

import re
import signal
from pathlib import Path

import pytest

from tests.embedded import free_port
from tests.processes.harness import BIN, answers_ping, get, processes_with, program, until

pytestmark = pytest.mark.processes


WORKERS, THREADS = 4, 512


def waiting_room(data_dir: str) -> list[int]:
    """How many threads each process of the server has."""
    threads = re.compile(r"^Threads:\s+(\d+)$", re.MULTILINE)
    texts = [Path(f"/proc/{process}/status").read_text() for process in processes_with(f"DATA_DIR={data_dir}")]
    return [int(found[1]) for text in texts if (found := threads.search(text))]


def test_uwsgi_serves_by_its_ini_and_ends_on_sigterm(project: Path, settings: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {**settings, "HOST": "127.0.0.1", "PORT": str(port)}
    with program([BIN / "uwsgi", "uwsgi.ini"], project, tmp_path / "uwsgi.log", env) as server:
        until(lambda: answers_ping(url), "uWSGI")
        # A worker that is told to end while it makes its threads does not hear it.
        until(lambda: sum(count >= THREADS for count in waiting_room(settings["DATA_DIR"])) == WORKERS, "all workers")
        status, body, _headers = get(f"{url}/api/operations")
        assert status == 200 and b"brief.create_new" in body
        server.process.send_signal(signal.SIGTERM)
        server.ends_within(20)
        assert processes_with(f"DATA_DIR={settings['DATA_DIR']}") == []
