"""What the records of a study name by hash: pictures, texts, settings. Kept in a file, as they may be many."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HASH: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
TABLE: Final = """
CREATE TABLE found (
    hash TEXT PRIMARY KEY, role TEXT, needed INTEGER, generation_id TEXT, output_index INTEGER, parameters TEXT,
    media_type TEXT, size INTEGER, checked INTEGER
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Found:
    """A hash that some record names: where it was first met, and what a picture of this hash was made with.

    `needed` says that the content must be there; other hashes may be anything. `media_type` and `size` (bytes) are
    those of the content, empty until it is known that there is one.
    """

    hash: str
    role: str
    needed: bool = False
    generation_id: str | None = None
    output_index: int | None = None
    parameters: str | None = None
    media_type: str = ""
    size: int = 0


class FoundHashes:
    """The hashes of a study, in a file of the export's folder."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(TABLE)

    def add(self, found: Found) -> None:
        """Note where a hash was met; the first place stays, but that it is needed counts wherever it was met."""
        row = (found.hash, found.role, found.needed, found.generation_id, found.output_index, found.parameters)
        added = self._database.execute("INSERT OR IGNORE INTO found VALUES (?, ?, ?, ?, ?, ?, '', 0, 0)", row)
        if found.needed and not added.rowcount:
            self._database.execute("UPDATE found SET needed = 1 WHERE hash = ?", (found.hash,))

    def add_all_in(self, line: str) -> None:
        """Note every hash that stands anywhere in a record."""
        for name in set(HASH.findall(line)):
            self.add(Found(name, "other"))

    def has(self, name: str) -> bool:
        """Say whether a record named this hash."""
        with closing(self._database.execute("SELECT 1 FROM found WHERE hash = ?", (name,))) as rows:
            return rows.fetchone() is not None

    def unchecked(self, most: int) -> list[str]:
        """Give hashes that nobody has looked up yet, in their order, and count them as looked up."""
        query = "SELECT hash FROM found WHERE NOT checked ORDER BY hash LIMIT ?"
        with closing(self._database.execute(query, (most,))) as rows:
            some = [row[0] for row in rows]
        self._database.executemany("UPDATE found SET checked = 1 WHERE hash = ?", [(name,) for name in some])
        return some

    def pictures(self) -> Iterator[Found]:
        """Give the pictures in the order of their hashes."""
        last = ""
        # Some at a time, so that the file may be written meanwhile.
        query = "SELECT * FROM found WHERE hash > ? AND media_type LIKE 'image/%' ORDER BY hash LIMIT 500"
        while True:
            with closing(self._database.execute(query, (last,))) as rows:
                some = [Found(row[0], row[1], bool(row[2]), *row[3:8]) for row in rows]
            if not some:
                return
            yield from some
            last = some[-1].hash

    def resolve(self, name: str, media_type: str, size: int) -> None:
        """Note that a hash is that of a content."""
        self._database.execute("UPDATE found SET media_type = ?, size = ? WHERE hash = ?", (media_type, size, name))

    def lost(self) -> list[str]:
        """Give hashes whose content is needed and was not found; some of them are enough."""
        query = "SELECT hash FROM found WHERE needed AND media_type = '' ORDER BY hash LIMIT 5"
        with closing(self._database.execute(query)) as rows:
            return [row[0] for row in rows]

    def picture_bytes(self) -> int:
        """Give the size of all pictures together."""
        query = "SELECT COALESCE(SUM(size), 0) FROM found WHERE media_type LIKE 'image/%'"
        with closing(self._database.execute(query)) as rows:
            return int(rows.fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._database.close()
