"""Logins on a server of several processes: made by a command, good at each of them, guessed at none."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.embedded import free_port
from tests.processes.harness import BIN, answers_ping, program, until

pytestmark = pytest.mark.processes

PASSWORD = "correct horse battery staple"
GUNICORN = [BIN / "gunicorn", "-w", "3", "app:app"]


@contextmanager
def _serving(project: Path, settings: dict[str, str], log: Path) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with program(GUNICORN, project, log, {**settings, "PORT": str(port)}):
        until(lambda: answers_ping(url), "the server")
        yield url


def _command(project: Path, settings: dict[str, str], *words: str, typed: str = "") -> str:
    ended = subprocess.run(
        [BIN / "flask", "--app", "app", *words], cwd=project, env={**settings, "PATH": "/usr/bin:/bin"},
        input=typed, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_login_by_command_is_good_at_every_process_until_it_is_disabled(
    project: Path, settings: dict[str, str], tmp_path: Path
) -> None:
    said = _command(project, settings, "user", "add", "anna", "--password-stdin", typed=PASSWORD)
    token = _command(project, settings, "token", "add", "anna", "--name", "test").strip()
    assert PASSWORD not in said
    with _serving(project, settings, tmp_path / "gunicorn.log") as url:
        login = requests.post(f"{url}/api/login", json={"login": "anna", "password": PASSWORD}, timeout=30)
        cookies = login.cookies.get_dict()

        def statuses(**more: dict[str, str]) -> set[int]:
            # Each call has a connection of its own, and so comes to any of the processes.
            return {requests.get(f"{url}/api/studies", timeout=30, **more).status_code for _ in range(12)}  # type: ignore[arg-type]

        assert statuses(cookies=cookies) == {200}
        assert statuses(headers={"Authorization": f"Bearer {token}"}) == {200}
        assert statuses() == {401}
        _command(project, settings, "user", "disable", "anna")
        assert statuses(cookies=cookies) == {401}


def test_no_process_lets_a_password_be_guessed_that_another_one_has_closed(
    project: Path, settings: dict[str, str], tmp_path: Path
) -> None:
    with _serving(project, settings, tmp_path / "gunicorn.log") as url:
        body = {"login": "anna", "password": "a guess that is wrong"}
        answers = [requests.post(f"{url}/api/login", json=body, timeout=30).status_code for _ in range(9)]

    assert answers[:5] == [401] * 5
    assert answers.count(429) >= 2
