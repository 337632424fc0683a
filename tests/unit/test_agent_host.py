"""The processes of a host: who lives, who is dead, who was never there, and a bell for each."""

from __future__ import annotations

import fcntl
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.host import Host

pytestmark = pytest.mark.unit

LIVE = """
import sys
from pathlib import Path
from agent.host import Host
host = Host(Path(sys.argv[1]), "child")
host.hear("echo", lambda words: host.tell(f"heard {words}"))
host.start()
print("ready", flush=True)
sys.stdin.readline()
"""
DAY_S = 86_400.0


@pytest.fixture
def host_of(tmp_path: Path) -> Iterator[Callable[[str], Host]]:
    """Make processes that are gone when the test is over."""
    hosts: list[Host] = []

    def make(name: str) -> Host:
        hosts.append(Host(tmp_path / "pool", name))
        hosts[-1].start()
        return hosts[-1]

    yield make
    for host in hosts:
        host.stop()


def _box(host: Host, topic: str) -> queue.Queue[str]:
    box: queue.Queue[str] = queue.Queue()
    host.hear(topic, box.put)
    return box


def test_only_the_living_are_alive(host_of: Callable[[str], Host]) -> None:
    one, other = host_of("one"), host_of("other")
    assert one.is_alive("one") is True
    assert one.is_alive("other") is True
    assert one.is_alive("never seen") is None
    other.stop()
    assert one.is_alive("other") is None


def test_a_killed_process_is_dead_at_once_for_all_who_ask(host_of: Callable[[str], Host], tmp_path: Path) -> None:
    one, other = host_of("one"), host_of("other")
    command = [sys.executable, "-c", LIVE, str(tmp_path / "pool")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        assert one.is_alive("child") is True
        child.kill()
        child.wait(5)
        assert [host.is_alive("child") for host in (one, other, one)] == [False] * 3
    one.tell("grant 1", to="child")


def test_who_asks_is_not_taken_for_the_living_by_another_who_asks(
    host_of: Callable[[str], Host], tmp_path: Path
) -> None:
    host = host_of("one")
    lock = tmp_path / "pool" / "dead.alive"
    lock.touch()
    with lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert host.is_alive("dead") is False


def test_a_message_reaches_the_one_it_is_for(host_of: Callable[[str], Host]) -> None:
    one, two, three = host_of("one"), host_of("two"), host_of("three")
    boxes = [_box(host, "grant") for host in (one, two, three)]
    one.tell("grant 17 and more", to="two")
    assert boxes[1].get(timeout=5) == "17 and more"
    assert boxes[0].empty() and boxes[2].empty()


def test_a_message_to_all_reaches_all_others(host_of: Callable[[str], Host]) -> None:
    one, two, three = host_of("one"), host_of("two"), host_of("three")
    boxes = [_box(host, "cancel") for host in (one, two, three)]
    one.tell("cancel abc")
    assert [box.get(timeout=5) for box in boxes[1:]] == ["abc", "abc"]
    assert boxes[0].empty()


def test_a_process_answers_from_its_listener(host_of: Callable[[str], Host], tmp_path: Path) -> None:
    host = host_of("one")
    box = _box(host, "heard")
    command = [sys.executable, "-c", LIVE, str(tmp_path / "pool")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        host.tell("echo ding dong", to="child")
        assert box.get(timeout=5) == "ding dong"
        child.kill()


def test_many_messages_arrive_whole_and_in_order(host_of: Callable[[str], Host]) -> None:
    one, two = host_of("one"), host_of("two")
    box = _box(two, "n")
    for number in range(200):
        one.tell(f"n {number}", to="two")
        if number % 50 == 49:
            assert [box.get(timeout=5) for _ in range(50)] == [str(n) for n in range(number - 49, number + 1)]


def test_nobody_waits_for_one_who_does_not_read(host_of: Callable[[str], Host]) -> None:
    one, two = host_of("one"), host_of("two")
    go_on = threading.Event()
    two.hear("slow", lambda _: go_on.wait(10) and None)
    began = time.monotonic()
    for _ in range(3000):
        one.tell("slow " + "x" * 300, to="two")
    assert time.monotonic() - began < 5
    go_on.set()


def test_what_nobody_listens_to_is_passed_over(host_of: Callable[[str], Host]) -> None:
    one, two = host_of("one"), host_of("two")
    box = _box(two, "known")
    one.tell("unknown words", to="two")
    one.tell("known " + "x" * 500, to="two")
    one.tell("known words", to="two")
    one.tell("known words", to="never seen")
    assert box.get(timeout=5) == "words"
    assert box.empty()


def test_a_second_start_does_nothing_and_a_stopped_one_starts_again(host_of: Callable[[str], Host]) -> None:
    one, two = host_of("one"), host_of("two")
    two.start()
    two.stop()
    two.stop()
    two.start()
    box = _box(two, "x")
    one.tell("x again", to="two")
    assert box.get(timeout=5) == "again"


def test_a_process_for_itself_needs_no_folder() -> None:
    host = Host(None, "one")
    host.start()
    host.tell("x y")
    assert (host.is_alive("one"), host.is_alive("two"), host.others()) == (True, None, [])
    host.sweep()
    host.stop()


def test_what_the_long_dead_left_is_swept_away(host_of: Callable[[str], Host], tmp_path: Path) -> None:
    host, living = host_of("one"), host_of("living")
    folder = tmp_path / "pool"
    for name in ("old", "new"):
        (folder / f"{name}.alive").touch()
        (folder / f"{name}.bell").touch()
    for name in ("old", "living"):
        os.utime(folder / f"{name}.alive", (time.time() - 2 * DAY_S,) * 2)
    host.sweep()
    assert {path.stem for path in folder.iterdir()} == {"one", "living", "new"}
    assert host.is_alive(living.id) is True
