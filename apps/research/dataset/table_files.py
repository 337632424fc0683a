"""A table's three files, written row by row: CSV (RFC 4180), JSON Lines, and Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from apps.research.dataset.columns import Column, Table, Type, stem_of

ROWS_AT_ONCE: Final = 1000
LARGEST: Final = 2**63
ENDINGS: Final = ("csv", "jsonl", "parquet")


class TableFiles:
    """The files of one table in a folder. What does not fit a column's type is left empty there."""

    def __init__(self, folder: Path, study_id: str, table: Table) -> None:
        self.table = table
        self.count = 0
        self._rows: list[list[Any]] = []
        paths = [folder / f"{stem_of(study_id, table)}.{ending}" for ending in ENDINGS]
        self._csv_file = paths[0].open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._csv_file, lineterminator="\r\n")
        self._csv.writerow([column.name for column in table.columns])
        self._lines = paths[1].open("w", encoding="utf-8", newline="\n")
        self._parquet = pq.ParquetWriter(paths[2], table.schema, compression="zstd")

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows, values by the names of columns; a column that is not named is empty."""
        for row in rows:
            self._rows.append([fitting(column, row.get(column.name)) for column in self.table.columns])
            self.count += 1
            if len(self._rows) == ROWS_AT_ONCE:
                self._flush()

    def close(self) -> None:
        """Write what is left and close the files; nothing happens at a second time."""
        if self._csv_file.closed:
            return
        self._flush()
        self._csv_file.close()
        self._lines.close()
        self._parquet.close()

    def _flush(self) -> None:
        if not self._rows:
            return
        columns = self.table.columns
        values = zip(*self._rows, strict=True)
        arrays = [pa.array(list(given), field.type) for given, field in zip(values, self.table.schema, strict=True)]
        self._parquet.write_batch(pa.record_batch(arrays, schema=self.table.schema))
        names = [column.name for column in columns]
        for row in self._rows:
            self._csv.writerow([_cell(value) for value in row])
            line = dict(zip(names, map(_plain, row), strict=True))
            self._lines.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
        self._rows.clear()


def fitting(column: Column, value: Any) -> Any:
    """Give a value as its column wants it; None for what does not fit."""
    return None if value is None else _FIT[column.type](value)


def _integer(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number == value and -LARGEST <= number < LARGEST else None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    # JSON has no form for these.
    return number if number - number == 0 else None


_FIT: Final[Mapping[Type, Any]] = {
    "text": lambda value: value if isinstance(value, str) else str(value),
    "integer": _integer,
    "number": _number,
    "boolean": lambda value: value if isinstance(value, bool) else None,
    "time": lambda value: value if isinstance(value, datetime) else None,
    "texts": lambda value: [str(one) for one in value] if isinstance(value, list | tuple) else None,
}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return _plain(value)
