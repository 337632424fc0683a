"""What describes a data set to programs: Psych-DS's `dataset_description.json`, and the codebook in two forms."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from apps.research.dataset.columns import FORMS, XSD, Column, Table, stem_of
from apps.research.dataset.rows import Record
from apps.research.dataset.tables import TABLES

CODEBOOK: Final = ("table", "file", "name", "meaning", "unit", "type", "allowed", "missing")
IGNORED: Final = """# Not tables: what the Psych-DS validator need not look at.
data/*.jsonl
data/*.parquet
images/
provenance/
records/
codebook.csv
codebook.json
manifest.json
METHODS.md
ro-crate-metadata.json
ro-crate-preview.html
"""


def dataset_description(study: Record, changed_at: datetime, version: str) -> dict[str, Any]:
    """Give the description of a data set, as schema.org has it and Psych-DS asks for."""
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": study.get("name") or study["_id"],
        "description": study.get("description") or f"Data of the study {study.get('name') or study['_id']}.",
        "schemaVersion": "Psych-DS 1.5.1",
        "identifier": f"urn:stepideator:study:{study['_id']}",
        "dateModified": changed_at.isoformat(timespec="milliseconds"),
        "keywords": ["design ideation", "generative AI", "human-computer interaction"],
        # Who made it only people can say; `creator` must be one of them.
        "measurementTechnique": f"StepIdeator-API {version}",
        "variableMeasured": [_variable(column, tables) for column, tables in columns_once()],
    }


def columns_once() -> Iterator[tuple[Column, list[Table]]]:
    """Give each name of a column once, with the tables that have it."""
    found: dict[str, tuple[Column, list[Table]]] = {}
    for table in TABLES:
        for column in table.columns:
            found.setdefault(column.name, (column, []))[1].append(table)
    yield from found.values()


def _variable(column: Column, tables: list[Table]) -> dict[str, Any]:
    allowed = f" One of: {', '.join(column.allowed)}." if column.allowed else ""
    missing = f" Empty: {column.missing}." if column.missing else ""
    where = f" In: {', '.join(table.name for table in tables)}."
    return {
        "@type": "PropertyValue",
        "name": column.name,
        "description": f"{column.meaning[0].upper()}{column.meaning[1:]}.{allowed}{missing}{where}",
        # schema.org has no word for the type of a value; this one may say what kind of thing it is.
        "additionalType": XSD[column.type],
        **({"unitText": column.unit} if column.unit else {}),
    }


def codebook(study_id: str) -> list[dict[str, Any]]:
    """Give the codebook: a row for each column of each table."""
    return [
        {
            "table": table.name,
            "file": f"data/{stem_of(study_id, table)}.csv",
            "name": column.name,
            "meaning": column.meaning,
            "unit": column.unit,
            "type": FORMS[column.type],
            "allowed": list(column.allowed),
            "missing": column.missing or "no value is ever missing",
        }
        for table in TABLES
        for column in table.columns
    ]


def codebook_csv(study_id: str) -> str:
    """Give the codebook as CSV; allowed values stand in one cell, with semicolons."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CODEBOOK)
    for row in codebook(study_id):
        writer.writerow(["; ".join(row[name]) if name == "allowed" else row[name] for name in CODEBOOK])
    return text.getvalue()


def as_file(value: Any) -> str:
    """Give a value as the text of a JSON file that people may read as well."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
