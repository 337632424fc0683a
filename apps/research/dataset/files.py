"""The files that an export is made of, while the records are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from apps.research.dataset.found import FoundHashes
from apps.research.dataset.rows import Record, Row
from apps.research.dataset.table_files import TableFiles
from apps.research.dataset.tables import TABLES
from store.dump import line_of

RECORDS: Final = (
    "studies", "assignments", "sessions", "participants", "events", "generations", "saved_states", "uploads",
    "time_records", "settings_versions", "contents",
)  # fmt: skip
"""The files of records, named after their collections."""


class Files:
    """The files of one export in its folder: records as they are, rows of tables, and the hashes that they name."""

    def __init__(self, folder: Path, study_id: str) -> None:
        self.folder = folder
        self.study_id = study_id
        self.counts: Counter[str] = Counter()
        for name in ("data", "records", "provenance/sessions"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.found = FoundHashes(folder / "found.sqlite")
        self._tables = {table.name: TableFiles(folder / "data", study_id, table) for table in TABLES}
        self._records = {
            name: (folder / "records" / f"{name}.jsonl").open("w", encoding="utf-8", newline="\n") for name in RECORDS
        }

    @property
    def row_counts(self) -> dict[str, int]:
        """Give the number of rows of each table."""
        return {name: table.count for name, table in self._tables.items()}

    def keep(self, name: str, record: Record) -> None:
        """Write a record as it is, and note what it names by hash."""
        line = line_of(dict(record))
        self._records[name].write(line + "\n")
        self.counts[name] += 1
        self.found.add_all_in(line)

    def add(self, table: str, rows: Iterable[Row]) -> None:
        """Write rows of a table."""
        self._tables[table].add(rows)

    def finish(self) -> None:
        """Write what is left and close all files but that of the hashes, which is needed for longer."""
        for table in self._tables.values():
            table.close()
        for lines in self._records.values():
            lines.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.found.close()
        self.finish()
