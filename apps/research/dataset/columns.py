"""What a table of a data set is made of, once for all its forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import pyarrow as pa

Type = Literal["text", "integer", "number", "boolean", "time", "texts"]

ARROW: Final[dict[Type, pa.DataType]] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "time": pa.timestamp("ms", tz="UTC"),
    "texts": pa.list_(pa.string()),
}
XSD: Final[dict[Type, str]] = {
    "text": "http://www.w3.org/2001/XMLSchema#string",
    "integer": "http://www.w3.org/2001/XMLSchema#long",
    "number": "http://www.w3.org/2001/XMLSchema#double",
    "boolean": "http://www.w3.org/2001/XMLSchema#boolean",
    "time": "http://www.w3.org/2001/XMLSchema#dateTimeStamp",
    "texts": "http://www.w3.org/2001/XMLSchema#string",
}
"""The type of each value; of `texts` in CSV, where a list is one JSON array in its cell."""
FORMS: Final[dict[Type, str]] = {
    "text": "text",
    "integer": "whole number",
    "number": "number with a decimal point",
    "boolean": "true or false",
    "time": "ISO 8601 in UTC with milliseconds (2026-11-25T08:30:00.000Z)",
    "texts": "list of texts; in CSV as a JSON array",
}


@dataclass(frozen=True)
class Column:
    """One column. `missing` says what an empty cell means, empty if there is none; `allowed` lists all its values."""

    name: str
    type: Type
    meaning: str
    unit: str = ""
    allowed: tuple[str, ...] = ()
    missing: str = ""


@dataclass(frozen=True)
class Table:
    """One table: a row for each `row_of`, and a first column `row_id` that is different in each of them."""

    name: str
    row_of: str
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """Give the form of its Parquet file, the meaning of each column in it."""
        return pa.schema(
            [
                pa.field(one.name, ARROW[one.type], metadata={"description": one.meaning, "unit": one.unit})
                for one in self.columns
            ],
            metadata={"table": self.name, "row": self.row_of},
        )


def stem_of(study_id: str, table: Table) -> str:
    """Give the name of a table's files without their ending, as Psych-DS wants it: keywords and values."""
    letters = "".join(letter for letter in study_id if letter.isascii() and letter.isalnum()) or "study"
    return f"study-{letters}_description-{table.name}_data"
