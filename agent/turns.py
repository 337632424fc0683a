"""Who waits here for an instance, and who was called but has not sent its work yet.

A thread that gives an instance back has pictures to decode and to keep, which takes more of the processor than to send
the next call. So it stands back until those who were called have sent theirs: the instances are what is scarce.
"""

from __future__ import annotations

import threading
import time

_STAND_BACK_S = 0.1
_WRITE_S = 0.003


class Turns:
    """The waiting calls of this process, by their numbers in the ledger. Thread-safe."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._waiting: dict[int, threading.Semaphore] = {}
        self._called: set[int] = set()
        self._all_sent = threading.Condition()

    def join(self, number: int, turn: threading.Semaphore) -> None:
        """Have `turn` released when this call is granted or refused."""
        self._waiting[number] = turn

    def leave(self, number: int) -> None:
        """Wait no more; a call that has its instance counts as called until `sent`."""
        self._waiting.pop(number, None)

    def call(self, number: int) -> None:
        """Wake whoever waits with this number; nobody here is no mistake."""
        turn = self._waiting.get(number)
        if turn is not None:
            with self._all_sent:
                self._called.add(number)
            turn.release()

    def sent(self, number: int) -> None:
        """Know that a call that was called has sent its work, or will not."""
        with self._all_sent:
            self._called.discard(number)
            if not self._called:
                self._all_sent.notify_all()

    def stand_back(self) -> None:
        """Wait until all who were called have sent their work, a tenth of a second at most."""
        with self._all_sent:
            if not self._called:
                return
            self._all_sent.wait_for(lambda: not self._called, timeout=_STAND_BACK_S)
        # The last of them is about to write into its socket.
        time.sleep(_WRITE_S)

    def wake_all(self) -> None:
        """Wake everybody, to see that the pool is closed."""
        for turn in list(self._waiting.values()):
            turn.release()
