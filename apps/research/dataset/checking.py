"""The check of an export before anybody gets it: the ZIP is opened anew and compared with what was read."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from prov.model import ProvDocument, ProvException

from apps.research.dataset.columns import Table, stem_of
from apps.research.dataset.errors import NotValidError
from apps.research.dataset.psychds import DESCRIPTION, broken_rules
from apps.research.dataset.reopened import IMAGE, Reopened
from apps.research.dataset.tables import TABLES

CRATE_REQUIRED = ("name", "description", "datePublished", "license")


class Checker:
    """Checks the ZIP of an export; raises NotValidError with what is wrong."""

    def __init__(self, path: Path, told: Callable[[float], None] = lambda _: None) -> None:
        self._path = path
        self._told = told

    def check(self, rows: Mapping[str, int], records: Mapping[str, int]) -> None:
        """Compare everything with the numbers of rows of each table, and of records of each kind.

        Raises:
            NotValidError: something does not agree.
        """
        with Reopened(self._path, NotValidError) as opened:
            opened.check_members(lambda part: self._told(0.8 * part))
            study_id, paths = opened.manifest.facts["study_id"], set(opened.paths)
            headers = {}
            for table in TABLES:
                path = f"data/{stem_of(study_id, table)}"
                headers[f"{path}.csv"] = self._table(opened, table, path, rows[table.name])
            for problem in broken_rules(paths, opened.json(DESCRIPTION), headers):
                raise NotValidError(f"Psych-DS: {problem}")
            self._codebook(opened, headers)
            self._records(opened, records)
            self._pictures(paths, rows["images"])
            self._provenance(opened)
            self._crate(opened.json("ro-crate-metadata.json"), paths)
        self._told(1.0)

    def _table(self, opened: Reopened, table: Table, path: str, count: int) -> list[str]:
        """Compare the three forms of a table and give its header."""
        names, found = [column.name for column in table.columns], 0
        rows = opened.rows(f"{path}.csv")
        header = next(rows, [])
        keys = array("Q")
        for row in rows:
            found += 1
            keys.append(int.from_bytes(hashlib.blake2b(row[0].encode(), digest_size=8).digest(), "big"))
            _agree(f"{path}.csv, cells of row {found}", len(row), len(names))
        _agree(f"{path}.csv, header", header, names)
        _agree(f"{path}.csv, rows", found, count)
        # Hashes in place of the keys: 8 bytes for each row, however long the keys are.
        if pc.count_distinct(pa.array(keys, pa.uint64())).as_py() < found:
            raise NotValidError(f"{path}.csv: row_id has a value twice")
        lines = 0
        for line in opened.lines(f"{path}.jsonl"):
            lines += 1
            _agree(f"{path}.jsonl, keys of line {lines}", list(json.loads(line)), names)
        _agree(f"{path}.jsonl, rows", lines, count)
        with opened.member(f"{path}.parquet") as file:
            parquet = pq.ParquetFile(file)
            _agree(f"{path}.parquet, rows", parquet.metadata.num_rows, count)
            _agree(f"{path}.parquet, columns", parquet.schema_arrow.names, names)
        return header

    def _codebook(self, opened: Reopened, headers: Mapping[str, list[str]]) -> None:
        told = [(row["file"], row["name"]) for row in opened.json("codebook.json")]
        has = [(path, name) for path, header in headers.items() for name in header]
        _agree("codebook.json", sorted(told), sorted(has))
        rows = list(opened.rows("codebook.csv"))
        _agree("codebook.csv", [(row[1], row[2]) for row in rows[1:]], told)

    def _records(self, opened: Reopened, records: Mapping[str, int]) -> None:
        for name, count in opened.manifest.facts["records"].items():
            path = f"records/{name}.jsonl"
            _agree(f"{path}, records", sum(1 for _ in opened.lines(path)), count)
            _agree(f"{path}, records in the database", records.get(name, 0), count)

    def _pictures(self, paths: set[str], count: int) -> None:
        _agree("pictures", sum(1 for path in paths if IMAGE.fullmatch(path)), count)

    def _provenance(self, opened: Reopened) -> None:
        for path in opened.paths:
            if path.startswith("provenance/"):
                try:
                    ProvDocument.deserialize(content=opened.text(path), format="json")
                except (ProvException, ValueError, KeyError, TypeError) as exc:
                    raise NotValidError(f"{path} is no PROV-JSON: {exc}") from exc

    def _crate(self, crate: Mapping[str, Any], paths: set[str]) -> None:
        entities = {one["@id"]: one for one in crate["@graph"]}
        root = entities.get("./", {})
        lacking = [name for name in CRATE_REQUIRED if not root.get(name)]
        if lacking or "ro-crate-metadata.json" not in entities:
            raise NotValidError(f"ro-crate-metadata.json: {', '.join(lacking) or 'its own entry'} is missing")
        for part in root.get("hasPart", ()):
            name = part["@id"]
            is_there = any(path.startswith(name) for path in paths) if name.endswith("/") else name in paths
            if not is_there:
                raise NotValidError(f"ro-crate-metadata.json: {name} is not in the data set")


def _agree(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise NotValidError(f"{what}: {str(found)[:200]}, but {str(expected)[:200]} was expected")
