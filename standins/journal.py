"""The journal: one entry per heavy call, kept in memory and, if asked for, as JSON lines in a file."""

import json
import threading
from pathlib import Path
from typing import Any


class Journal:
    """Entries in the order in which the calls ended. Times are seconds of `time.time()`."""

    def __init__(self, path: str | None = None) -> None:
        """Append to `path` if it is given; older lines there stay."""
        self._lock = threading.Lock()
        self._entries: list[dict[str, Any]] = []
        self._path = Path(path) if path else None

    def write(self, entry: dict[str, Any]) -> None:
        """Add one entry; a line is flushed before the call is answered."""
        with self._lock:
            self._entries.append(entry)
            if self._path:
                with self._path.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def entries(self) -> list[dict[str, Any]]:
        """A copy of everything written since the start or the last `clear`."""
        with self._lock:
            return list(self._entries)

    def clear(self) -> None:
        """Forget the entries in memory; the file keeps them."""
        with self._lock:
            self._entries.clear()
