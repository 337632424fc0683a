"""`python -m standins.guard`: ends the processes whose ids it reads when the one who writes them is gone.

A launcher that is killed cannot end its children, and a child need not notice. So a launcher writes the id of each
child to this process, and at an orderly end the word `done`. When the line is cut before that, they are ended here.

The kernel's own way, PR_SET_PDEATHSIG, would send SIGTERM once for each thread of the dying launcher, only on Linux,
and with nothing to follow for a child that does not heed it.
"""

import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

POLL_S = 0.05
PATIENCE = ((signal.SIGTERM, 3.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
"""What a process is sent, and for how many seconds it may then go on. The embedded database needs the whole list: a
SIGTERM that strikes while it waits in the wrong place is lost, or locks it up."""

DONE = "done"


def end_process(pid: int, is_running: Callable[[], bool], in_a_hurry: Callable[[], bool] = lambda: False) -> None:
    """Ask the leader of a process group to end, ask again, then kill; return when its whole group is gone.

    `in_a_hurry` turning true cuts the waiting short and kills at once.
    """
    for number, patience_s in PATIENCE:
        if is_running():
            # The leader only: how its workers end is its own affair.
            send(os.kill, pid, signal.SIGKILL if in_a_hurry() else number)
        if _gone_within(patience_s, is_running, in_a_hurry):
            break
    # A leader that is gone may have left workers behind.
    send(os.killpg, pid, signal.SIGKILL)


def send(how: Callable[[int, int], None], pid: int, number: int) -> bool:
    """Send a signal by `os.kill` or `os.killpg`; tell whether there was somebody to receive it."""
    try:
        how(pid, number)
    except (ProcessLookupError, PermissionError):
        # Gone already; macOS says EPERM of a group that holds only a zombie.
        return False
    return True


def start_guard() -> "subprocess.Popen[str]":
    """Start a guard that outlives us for as long as it takes; write process ids to its standard input, one a line."""
    command = [sys.executable, "-m", "standins.guard"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)


def _gone_within(seconds: float, is_running: Callable[[], bool], in_a_hurry: Callable[[], bool]) -> bool:
    was_in_a_hurry = in_a_hurry()
    end = time.monotonic() + seconds
    while is_running() and time.monotonic() < end and in_a_hurry() == was_in_a_hurry:
        time.sleep(POLL_S)
    return not is_running()


def main() -> None:
    """Read until the line is cut, and end what is left, the last named first."""
    pids: list[int] = []
    for line in sys.stdin:
        if line.strip() == DONE:
            return
        pids.append(int(line))
    for pid in reversed(pids):
        end_process(pid, functools.partial(_is_alive, pid))


def _is_alive(pid: int) -> bool:
    # Init may take a second to bury an orphan; on Linux the kernel tells a dead one from a living one.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return sys.platform != "linux" and send(os.kill, pid, 0)


if __name__ == "__main__":
    main()
