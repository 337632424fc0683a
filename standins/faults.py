"""Faults on demand: which call goes wrong next, and how.

A fault comes from a flag (`--fault KIND:PROBABILITY`, a die for every call) or from `POST /standin/faults` (the next
`count` calls, or every call with `forever`). `path` narrows it to calls whose path ends so.
"""

import random
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Fault:
    """One planned mishap; `seconds` is meant by the kinds that take time."""

    kind: str
    count: int = 1
    forever: bool = False
    probability: float = 1.0
    seconds: float = 2.0
    path: str | None = None

    def meets(self, path: str) -> bool:
        """Whether it is meant for a call to this path."""
        return self.path is None or path.endswith(self.path)


class FaultBook:
    """The faults still to come. Thread-safe; `clear` also ends every hang."""

    def __init__(self, kinds: frozenset[str], flags: list[str] | None = None, seed: int = 0) -> None:
        """Know the legal kinds and read the flags `KIND:PROBABILITY`."""
        self.kinds = kinds
        self._changed = threading.Condition()
        self._generation = 0
        self._dice = random.Random(seed)
        self._faults = [self._from_flag(flag) for flag in flags or []]

    def _from_flag(self, flag: str) -> Fault:
        kind, _, probability = flag.partition(":")
        return self._checked(Fault(kind=kind, forever=True, probability=float(probability or 1)))

    def _checked(self, fault: Fault) -> Fault:
        if fault.kind not in self.kinds:
            raise ValueError(f"unknown fault {fault.kind!r}; known: {', '.join(sorted(self.kinds))}")
        return fault

    def add(self, wish: dict[str, Any]) -> None:
        """Plan a fault from the body of `POST /standin/faults`; ValueError names an unknown kind or key."""
        try:
            fault = Fault(**wish)
        except TypeError as exc:
            raise ValueError(f"a fault needs kind and may have count, forever, seconds, path: {exc}") from exc
        with self._changed:
            self._faults.append(self._checked(fault))

    def clear(self) -> None:
        """Forget all faults and let hanging calls go on."""
        with self._changed:
            self._faults.clear()
            self._generation += 1
            self._changed.notify_all()

    def as_list(self) -> list[dict[str, Any]]:
        """The faults still planned."""
        with self._changed:
            return [asdict(fault) for fault in self._faults]

    def take(self, path: str) -> Fault | None:
        """The fault that this call meets, if any; a counted one is used up by it."""
        with self._changed:
            for fault in self._faults:
                if fault.meets(path) and (fault.probability >= 1 or self._dice.random() < fault.probability):
                    self._use(fault)
                    return fault
        return None

    def _use(self, fault: Fault) -> None:
        if not fault.forever:
            fault.count -= 1
            if fault.count <= 0:
                self._faults.remove(fault)

    def hang(self, seconds: float) -> None:
        """Wait so long, or until `clear`."""
        end = time.monotonic() + seconds
        with self._changed:
            generation = self._generation
            while generation == self._generation and time.monotonic() < end:
                self._changed.wait(end - time.monotonic())
