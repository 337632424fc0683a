"""What the process tests are made of: one way to wait, and programs that are gone when a test is over."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

Answer = TypeVar("Answer")

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent
NOT_SETTINGS = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
LEFT_OUT = {".env", "data", "out"}


def until(answer: Callable[[], Answer | None], what: str, timeout_s: float = 30) -> Answer:
    """Ask again and again until the answer is true, and return it; fail with `what` after `timeout_s` seconds."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if found := answer():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {timeout_s:g} s")


def get(url: str, host: str = "", timeout_s: float = 5) -> tuple[int, bytes, Mapping[str, str]]:
    """GET without following anybody's proxy settings; (0, …) when nobody answers."""
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=timeout_s) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as exc:
        return exc.code, exc.read(), dict(exc.headers)
    except OSError:
        return 0, b"", {}


def answers_ping(base_url: str) -> bool:
    """Tell whether a server is there."""
    return get(f"{base_url}/ping", timeout_s=1)[1] == b"pong"


def checkout(folder: Path) -> Path:
    """Lay the project into `folder` by links, without this machine's own .env and data."""
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in LEFT_OUT:
            (folder / entry.name).symlink_to(entry)
    return folder


class Program:
    """One started program, with everything that it says in a file."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    def said(self) -> str:
        """Everything so far."""
        return self.log.read_text("utf-8", errors="replace")

    def ends_within(self, timeout_s: float) -> int:
        """Wait for its end and return the exit code; fail with what it said."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout_s:g} s; it said:\n{self.said()}") from None


@contextmanager
def program(
    command: Sequence[str | Path], folder: Path, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Run a program in a group of its own, with these settings and no other; none of the group outlives the block."""
    clean = {name: os.environ[name] for name in NOT_SETTINGS if name in os.environ}
    with log.open("wb") as file:
        process = subprocess.Popen(
            list(map(str, command)), cwd=folder, env={**clean, "PYTHONUNBUFFERED": "1", **(env or {})},
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield Program(process, log)
    finally:
        _end_group(process)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(10 if number == signal.SIGTERM else 5)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def processes_with(setting: str) -> list[int]:
    """The ids of the living processes whose environment has this `NAME=value`: a launcher, and all that it started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = setting.encode() in (folder / "environ").read_bytes().split(b"\0")
            is_zombie = (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue
        if is_ours and not is_zombie:
            found.append(int(folder.name))
    return found
