"""The bare `gunicorn -w 4 app:app`, with what gunicorn.conf.py makes of it."""

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import requests

from store.connection import StoreConfig
from store.stores import open_stores
from tests.embedded import free_port
from tests.processes.conftest import StandIn
from tests.processes.harness import BIN, answers_ping, program, until

pytestmark = pytest.mark.processes

GUNICORN = [BIN / "gunicorn", "-w", "2", "app:app"]


def brief(base_url: str, username: str) -> bool:
    """Ask for one design brief, and wait for it."""
    stage = "设计摘要的辅助生成"
    body = {
        "username": username,
        "designTask": "台灯",
        "currentNum": 1,
        "currentAIStage": stage,
        "currentStage": "设计摘要的环境",
        "selectedTexts": [],
        "selectedCanvasRecords": [],
        "selectedButtonInfo": {"buttonText": "生成全新摘要", "aiStage": stage},
    }
    return bool(requests.post(f"{base_url}/generate", json=body, timeout=90).json()["success"])


def test_a_stopping_server_lets_a_waiting_client_have_its_answer(
    project: Path, settings: dict[str, str], chat: StandIn, tmp_path: Path
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    chat.close_gate()
    with program(GUNICORN, project, tmp_path / "gunicorn.log", {**settings, "PORT": str(port)}) as server:
        until(lambda: answers_ping(url), "the server")
        with ThreadPoolExecutor(1) as clients:
            answer = clients.submit(brief, url, "小明")
            until(lambda: chat.running() == 1, "a client that waits")
            server.process.send_signal(signal.SIGTERM)
            until(lambda: not answers_ping(url), "a server that takes nobody new")
            chat.close_gate(False)
            assert answer.result()
        assert server.ends_within(20) == 0


def test_a_server_that_may_wait_no_longer_gives_back_what_it_was_painting(
    project: Path, settings: dict[str, str], webui: StandIn, tmp_path: Path
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    webui.close_gate()
    env = {**settings, "PORT": str(port), "GRACEFUL_TIMEOUT": "6"}
    with program(GUNICORN, project, tmp_path / "gunicorn.log", env) as server:
        until(lambda: answers_ping(url), "the server")
        body = {"username": "小明", "operation": "sketch.create_new", "task": "台灯"}
        job = requests.post(f"{url}/api/generations", json=body, timeout=30).json()["data"]["id"]
        until(lambda: webui.running() == 1, "a picture that is being painted")
        server.process.send_signal(signal.SIGTERM)
        assert server.ends_within(20) == 0
        assert "SIGKILL" not in server.said()

    with closing(open_stores(StoreConfig(settings["MONGO_URI"], settings["MONGO_DB"]))) as stores:
        record = stores.generations.get(job)
    assert record is not None
    assert (record.state, record.owner) == ("queued", "")


def test_host_and_port_come_from_the_same_env_file_as_every_setting(project: Path, tmp_path: Path) -> None:
    port = free_port()
    (project / ".env").write_text(f"PORT={port}\nMONGO_URI=mongodb://127.0.0.1:9\n")
    with program([*GUNICORN, "--check-config", "--print-config"], project, tmp_path / "gunicorn.log") as checked:
        assert checked.ends_within(20) == 0
        assert f"127.0.0.1:{port}" in checked.said()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"CHAT_TIMEOUT": "-1"}, "CHAT_TIMEOUT"), ({"SETTINGS_DIR": "tests/unit/golden/small_settings"}, "prompts/")],
    ids=["setting", "prompts"],
)
def test_a_wrong_setting_or_prompt_ends_the_start_with_one_message(
    project: Path, settings: dict[str, str], tmp_path: Path, wrong: dict[str, str], named: str
) -> None:
    env = {**settings, "PORT": str(free_port()), **wrong}
    with program(GUNICORN, project, tmp_path / "gunicorn.log", env) as server:
        assert server.ends_within(30) == 1

        assert named in server.said()
        assert server.said().count("not started") == 1
        assert "Traceback" not in server.said()
        assert "Booting worker" not in server.said()
