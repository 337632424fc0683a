"""Data sets for tests: made as the server and the command make them, and read as their README says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from apps.research.dataset.columns import stem_of
from apps.research.dataset.exporting import Export, export_study
from apps.research.dataset.tables import TABLES
from store.stores import Stores
from tests.study_records import STUDY, UNTIL


def made(stores: Stores, path: Path, study_id: str = STUDY) -> Export:
    """Export a study as the server and the command do."""
    return export_study(stores, study_id, path, until=UNTIL, version="1.0.0")


def table(folder: Path, name: str) -> pd.DataFrame:
    """Read a table as the README says."""
    found = next(one for one in TABLES if one.name == name)
    return pd.read_csv(folder / "data" / f"{stem_of(STUDY, found)}.csv", keep_default_na=False, na_values=[""])


def lines(folder: Path, path: str) -> list[dict[str, Any]]:
    """Read a file of JSON Lines."""
    return [json.loads(line) for line in (folder / path).read_text("utf-8").splitlines()]
