"""`flask replay`: in a process of its own, beside a running server and without one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from store.stores import Stores
from tests.api.records import until
from tests.api.replaying import page_of, session_with
from tests.api.server import Server
from tests.stand_ins import StandIn

pytestmark = pytest.mark.api

ROOT = Path(__file__).parents[2]
Serve = Callable[..., Server]


@pytest.fixture
def environment(settings: dict[str, Any], database_name: str, tmp_path: Path) -> dict[str, str]:
    """Say to a command what the servers of the test are told, and where their pool is."""
    own = {"MONGO_DB": database_name, "DATA_DIR": str(tmp_path)}
    return {**os.environ, **{name: str(value) for name, value in {**settings, **own}.items()}}


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "flask", "--app", "app", "replay", *arguments]


def _replay(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*arguments), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False
    )


@contextmanager
def _started(environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = _command(*arguments)
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_all_14_operations_are_equal_beside_a_running_server(serve: Serve, environment: dict[str, str]) -> None:
    server = serve()
    session_id = session_with(server)

    ended = _replay(environment, "--session", session_id, "--strict")

    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert len([line for line in lines if line.endswith("  equal")]) == 14, ended.stdout
    assert "all is equal" in lines[-1]
    [kept] = server.stores.replays.of_session(session_id)
    assert (kept.state, kept.requested_by, kept.tallies["items.equal"]) == ("done", "command line", 14)


def test_it_works_without_a_server_and_tells_by_its_exit_code_whether_all_is_equal(
    serve: Serve, environment: dict[str, str]
) -> None:
    server = serve()
    session_id = session_with(server, "sketch.create_new", "brief.create_new")
    server.services.jobs.stop()

    other = _replay(environment, "--session", session_id, "--seed", "5", "--strict")
    unchecked = _replay(environment, "--session", session_id, "--checkpoint", "v1-5-pruned-emaonly")

    assert (other.returncode, unchecked.returncode) == (1, 0), other.stderr + unchecked.stderr
    assert "another seed: 41, now 5" in other.stdout
    assert "another checkpoint was asked for" in unchecked.stdout
    assert "not all is equal" in unchecked.stdout


def test_a_replay_that_was_killed_is_taken_up_where_it_ended(
    serve: Serve, environment: dict[str, str], webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve()
    session_id = session_with(server, "brief.create_new", "sketch.create_new", "brief.extend", num=1)
    for webui in webuis:
        webui.close_gate()
    with _started(environment, "--session", session_id, "--at-once", "1") as process:
        [replay] = until(lambda: _begun(server.stores, session_id), timeout_s=30)
        process.send_signal(signal.SIGKILL)
        process.wait()
    until(lambda: page_of(server, replay)["replay"]["is_stalled"], timeout_s=20)
    for webui in webuis:
        webui.open_gate()

    ended = _replay(environment, "--resume", replay, "--strict")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    made = server.stores.generations.page(participant_id=replay).records
    assert sorted(record.operation for record in made if record.state == "succeeded") == [
        "brief.create_new",
        "brief.extend",
        "sketch.create_new",
    ]


def _begun(stores: Stores, session_id: str) -> list[str]:
    """Wait for a replay whose first item is done and whose second one is under way."""
    found = stores.replays.of_session(session_id)
    return [one.id for one in found if [i.state for i in stores.replays.items(one.id)][:2] == ["done", "running"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name either a --session"),
        (("--session", "none"), "there is no session 'none'"),
        (("--resume", "none"), "there is no replay 'none'"),
        (("--session", "s", "--prompts", "scene"), "NAME=HASH"),
        (("--session", "s", "--prompts", "scene=abc"), "64 hexadecimal digits"),
        (("--session", "s", "--seed", "-1"), "--seed"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    environment: dict[str, str], arguments: tuple[str, ...], message: str
) -> None:
    ended = _replay(environment, *arguments)

    assert ended.returncode in (1, 2)
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
