"""`make run`: what it starts, what it says, and that nothing is left of it."""

import functools
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import requests

from config import Config
from tests.embedded import free_port
from tests.processes.harness import ROOT, Program, answers_ping, checkout, processes_with, program, until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="finds left-over processes by /proc, which only Linux has"),
]

Launch = Callable[..., AbstractContextManager["Launched"]]


class Launched:
    """A launcher with its place: base URL, data folder, and the mark by which its processes are found."""

    def __init__(self, launcher: Program, port: int, data: Path) -> None:
        self.launcher = launcher
        self.url = f"http://127.0.0.1:{port}"
        self.data = data
        self.mark = f"DATA_DIR={data}"

    def when_ready(self) -> "Launched":
        """Wait for the table."""
        until(lambda: self._is_ready(), "the table of parts", 60)
        return self

    def _is_ready(self) -> bool:
        assert self.launcher.process.poll() is None, f"the launcher ended; it said:\n{self.launcher.said()}"
        return "is ready" in self.launcher.said()

    def living(self) -> list[int]:
        """All processes of this launcher, itself included."""
        return processes_with(self.mark)

    def is_gone(self) -> bool:
        """Whether no process is left."""
        return not self.living()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay one checkout without this machine's own settings and data."""
    return checkout(tmp_path_factory.mktemp("run") / "checkout")


@contextmanager
def start(project: Path, data: Path, *, by_make: bool = False, **settings: str) -> Iterator[Launched]:
    """Run the launcher on `data`, where a second one meets what the first left; `by_make`: as the child of a shell."""
    port = int(settings.pop("PORT", "") or free_port())
    env = {"PORT": str(port), "DATA_DIR": str(data), **settings}
    log = data.with_name(f"launcher-{data.name}-{port}-{len(list(data.parent.iterdir()))}.log")
    command = [sys.executable, "-m", "standins.run"]
    if by_make:
        command = ["sh", "-c", f"{' '.join(command)} --end-with-parent & wait"]
    with program(command, project, log, env) as launcher:
        yield Launched(launcher, port, data)


@pytest.fixture
def launch(project: Path, tmp_path: Path) -> Launch:
    """Start a launcher with data of this test."""
    return functools.partial(start, project, tmp_path / "data")


@pytest.fixture(scope="module")
def running(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    """Run one launcher for all tests that only look at it."""
    with start(project, tmp_path_factory.mktemp("running") / "data", HOST="0.0.0.0") as run:
        yield run.when_ready()


def test_it_says_what_is_a_stand_in_and_where_everything_is(running: Launched) -> None:
    said = running.launcher.said()
    assert answers_ping(running.url)
    assert said.count("STAND-IN") == 4, "the database, two image services and the chat service"
    assert "a study needs a real MongoDB" in said
    assert f"{running.url}/docs" in said
    assert f"{running.url}/studio/research  (no login: open to everybody on this machine)" in said
    assert str(running.data) in said


def test_only_this_machine_can_reach_the_server_and_only_this_user_the_database(running: Launched) -> None:
    assert f"Listening at: {running.url}" in running.launcher.said()
    assert (running.data / "mongo").stat().st_mode & 0o077 == 0


def test_only_this_machine_sees_studies_without_a_login_unless_one_is_wanted(
    running: Launched, launch: Launch, mongo_uri: str
) -> None:
    me = f"{running.url}/api/me"
    assert requests.get(me, timeout=5).json()["data"] == {"login": "local", "needs_login": False}
    assert requests.get(me, headers={"X-Forwarded-For": "203.0.113.7"}, timeout=5).status_code == 403
    with launch(MONGO_URI=mongo_uri, RESEARCH_LOGIN="true") as run:
        run.when_ready()
        assert "login needed" in run.launcher.said()
        assert requests.get(f"{run.url}/api/me", timeout=5).status_code == 401


def test_a_port_in_use_is_named_at_once(running: Launched, launch: Launch) -> None:
    port = running.url.rpartition(":")[2]
    with launch(PORT=port) as second:
        assert second.launcher.ends_within(10) == 2
        assert f"port {port} is in use" in second.launcher.said()
        assert "PORT=" in second.launcher.said()


def test_two_at_once_on_the_same_data_are_refused(running: Launched, project: Path) -> None:
    with start(project, running.data) as second:
        assert second.launcher.ends_within(10) == 2
        assert "another `make run`" in second.launcher.said()
    assert answers_ping(running.url)


def test_sigterm_ends_everything_without_an_error(launch: Launch, mongo_uri: str) -> None:
    with launch(MONGO_URI=mongo_uri) as run:
        run.when_ready().launcher.process.send_signal(signal.SIGTERM)
        assert run.launcher.ends_within(20) == 0
        assert run.is_gone()


def test_ctrl_c_while_it_starts_ends_everything(launch: Launch) -> None:
    with launch() as run:
        until(lambda: len(run.living()) > 1, "the first child")
        run.launcher.process.send_signal(signal.SIGINT)
        assert run.launcher.ends_within(20) == 0
        assert run.is_gone()


def test_nothing_outlives_a_launcher_that_is_killed(launch: Launch) -> None:
    with launch() as run:
        run.when_ready().launcher.process.kill()
        until(run.is_gone, "the end of all children")


def test_nothing_outlives_a_make_that_is_killed(launch: Launch, mongo_uri: str) -> None:
    with launch(by_make=True, MONGO_URI=mongo_uri) as run:
        run.when_ready().launcher.process.kill()
        until(run.is_gone, "the end of the launcher and all children")


def test_a_child_that_dies_is_named_and_ends_everything(launch: Launch, mongo_uri: str) -> None:
    with launch(MONGO_URI=mongo_uri) as run:
        run.when_ready()
        gpu = next(pid for pid in run.living() if b"gpu-2" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(gpu, signal.SIGKILL)
        assert run.launcher.ends_within(20) == 1
        assert "gpu-2 was killed by SIGKILL" in run.launcher.said()
        assert run.is_gone()


def test_ctrl_c_leaves_nothing_but_the_data_which_the_next_run_finds(launch: Launch) -> None:
    body = {"username": "小明", "data": {"designTask": "台灯", "currentStage": "准备", "designSchemes": {}}}
    with launch() as run:
        run.when_ready()
        requests.post(f"{run.url}/paint/start", json={"username": "小明"}, timeout=10).raise_for_status()
        assert requests.post(f"{run.url}/paint/save", json=body, timeout=10).json()["success"]
        run.launcher.process.send_signal(signal.SIGINT)
        assert run.launcher.ends_within(20) == 0
        assert run.is_gone()
    with launch() as run:
        run.when_ready()
        answer = requests.post(f"{run.url}/paint/start", json={"username": "小明"}, timeout=10).json()
        assert answer["data"]["designTask"] == "台灯"


def test_what_is_configured_gets_no_stand_in_and_shows_no_password(launch: Launch, mongo_uri: str) -> None:
    with_password = mongo_uri.replace("mongodb://", "mongodb://somebody:secret@") + "/?authSource=admin"
    real = {
        "MONGO_URI": with_password,
        "SD_ENDPOINTS": "http://127.0.0.1:9",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "OPENAI_API_KEY": "hidden",
    }
    with launch(**real) as run:
        said = run.when_ready().launcher.said()
        assert "STAND-IN" not in said
        assert "secret" not in said and "hidden" not in said
        assert not (run.data / "mongo").exists()


def test_a_wrong_setting_is_named_before_anything_starts(launch: Launch) -> None:
    with launch(SD_ENDPOINTS="gpu-1:7860") as run:
        assert run.launcher.ends_within(10) == 2
        assert "SD_ENDPOINTS" in run.launcher.said()


def test_the_example_of_settings_names_each_setting_and_is_itself_a_right_configuration(tmp_path: Path) -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    settings = [line[1:] for line in lines if re.match("#[A-Z_]+=", line)]
    assert [setting.partition("=")[0] for setting in settings] == list(Config.model_fields)
    (tmp_path / ".env").write_text("\n".join(settings), "utf-8")
    assert Config(_env_file=tmp_path / ".env").CHAT_TIMEOUT > 0
