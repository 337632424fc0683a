"""Makes the data set of a study: read the records, write the ZIP, check it, and only then give it its name."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from apps.research.dataset import description
from apps.research.dataset.archive import Members, Part, write_zip
from apps.research.dataset.checking import Checker
from apps.research.dataset.columns import stem_of
from apps.research.dataset.crate import crate_metadata, preview
from apps.research.dataset.errors import ChangedMeanwhileError, UnknownStudyError
from apps.research.dataset.files import RECORDS, Files
from apps.research.dataset.methods import methods
from apps.research.dataset.pictures import pictures
from apps.research.dataset.reading import Reader
from apps.research.dataset.readme import changes, readme
from apps.research.dataset.rows import Record
from apps.research.dataset.table_files import ENDINGS
from apps.research.dataset.tables import TABLES
from store.clock import utc_now
from store.dump import Dump
from store.schema import SCHEMA_VERSIONS
from store.stores import Stores

logger = logging.getLogger(__name__)

FORMAT: Final = 1
"""Version of what an import has to understand."""
READ, WRITTEN = 0.35, 0.75
"""How far an export is when all records are read, and when the ZIP is written; the rest is the check."""
SHOWN: Final = 24
TRIES: Final = 3
"""A write that was on its way for long may turn up while its session is read; then all is read anew."""
JOINING: Final = timedelta(hours=1)
"""Whoever has no session after so long came before sessions were kept."""
Told = Callable[[Literal["writing", "checking"], float], None]
"""Hears the state, `writing` or `checking`, and how far the export is, 0 to 1."""


@dataclass(frozen=True)
class Export:
    """A finished export: its file, size in bytes, records, and how many generations had not ended and are not in it."""

    path: Path
    size: int
    sha256: str
    records: int
    pictures: int
    under_way: int


def export_study(
    stores: Stores, study_id: str, target: Path, *, until: datetime, version: str, told: Told = lambda *_: None
) -> Export:
    """Write the data set of what a study had before `until` as a ZIP; the file appears when it has passed its check.

    Raises:
        UnknownStudyError: there is no such study.
        NotExportableError: records are missing, or change again and again while they are read.
        NotValidError: the ZIP does not hold what it should; it is removed.
        StoreError: the database cannot be read.
        OSError: the disk is full or cannot be written.
    """
    for _ in range(TRIES - 1):
        with suppress(ChangedMeanwhileError):
            return _export_once(stores, study_id, target, until, version, told)
    return _export_once(stores, study_id, target, until, version, told)


def _export_once(stores: Stores, study_id: str, target: Path, until: datetime, version: str, told: Told) -> Export:
    source = Dump(stores.database, until)
    study = source.study(study_id)
    if study is None:
        raise UnknownStudyError(study_id)
    if study.get("is_default"):
        stores.sessions.begin_missing(min(until, utc_now()) - JOINING)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        folder = Path(name)
        made = _Made(stores, study, source, folder, told, version)
        with made.files:
            sha256 = made.write(folder / "whole.zip")
        made.check(folder / "whole.zip")
        (folder / "whole.zip").replace(target)
    done = Export(target, target.stat().st_size, sha256, made.records, made.picture_count, made.under_way)
    logger.info("study %s exported: %d records, %d pictures", study_id, done.records, done.pictures)
    return done


class _Made:
    """One export on its way."""

    def __init__(self, stores: Stores, study: Record, source: Dump, folder: Path, told: Told, version: str) -> None:
        self._contents, self._study, self._folder = stores.contents, study, folder
        self._told, self._version = told, version
        self.files = Files(folder, study["_id"])
        self._reader = Reader(source, stores.contents, study, self.files)
        self._samples: list[str] = []
        self.picture_count = 0

    @property
    def records(self) -> int:
        """Give the number of records."""
        return self.files.counts.total()

    @property
    def under_way(self) -> int:
        """Give the number of generations that had not ended."""
        return self._reader.under_way

    def write(self, path: Path) -> str:
        """Read all records, write the ZIP, and give its SHA-256."""
        self._told("writing", 0.0)
        self._reader.read(self._version, lambda part: self._told("writing", READ * part))
        total, done = max(1, self.files.found.picture_bytes()), 0

        def count(size: int) -> None:
            nonlocal done
            done += size
            self._told("writing", READ + (WRITTEN - READ) * min(1.0, done / total))

        return write_zip(path, self._parts(Members(self._reader.tallies.last, count)))

    def check(self, path: Path) -> None:
        """Open the ZIP and compare all it holds with what was read."""
        self._told("checking", WRITTEN)
        checker = Checker(path, lambda part: self._told("checking", WRITTEN + (1 - WRITTEN) * part))
        checker.check(self.files.row_counts, dict(self.files.counts))

    def _parts(self, members: Members) -> Iterator[Part]:
        for picture in pictures(self._contents, self.files):
            self.picture_count += 1
            if len(self._samples) < SHOWN:
                self._samples.append(picture.path)
            yield members.of_bytes(picture.path, picture.content, picture.sha256)
        # The pictures had their rows written, so now all is known.
        self.files.finish()
        yield from self._texts(members)
        yield from self._from_disk(members)
        yield members.manifest(self._facts())

    def _texts(self, members: Members) -> Iterator[Part]:
        study, last, rows = self._study, self._reader.tallies.last, self.files.row_counts
        book = description.codebook(study["_id"])
        texts = {
            "dataset_description.json": description.as_file(
                description.dataset_description(study, last, self._version)
            ),
            "README.md": readme(study, last, rows, self.picture_count),
            "CHANGES.md": changes(study, last),
            "METHODS.md": methods(study, self._reader.tallies, self._version),
            "codebook.csv": description.codebook_csv(study["_id"]),
            "codebook.json": description.as_file(book),
            ".psychds-ignore": description.IGNORED,
            "ro-crate-metadata.json": description.as_file(crate_metadata(study, last, rows, self._version)),
            "ro-crate-preview.html": preview(study, last, rows, self._samples),
        }
        for path, text in texts.items():
            yield members.of_text(path, text)

    def _from_disk(self, members: Members) -> Iterator[Part]:
        for table in TABLES:
            for ending in ENDINGS:
                path = f"data/{stem_of(self._study['_id'], table)}.{ending}"
                yield members.of_file(path, self._folder / path, is_compressed=ending == "parquet")
        yield members.of_file("provenance/prov.json", self._folder / "provenance" / "prov.json")
        for file in sorted((self._folder / "provenance" / "sessions").iterdir()):
            yield members.of_file(f"provenance/sessions/{file.name}", file)
        for name in RECORDS:
            yield members.of_file(f"records/{name}.jsonl", self._folder / "records" / f"{name}.jsonl")

    def _facts(self) -> dict[str, Any]:
        seal = self._study.get("seal")
        return {
            "format": "stepideator-study",
            "format_version": FORMAT,
            "study_id": self._study["_id"],
            "changed_at": self._reader.tallies.last.isoformat(timespec="milliseconds"),
            "schema_versions": {name: SCHEMA_VERSIONS[name] for name in RECORDS if name in SCHEMA_VERSIONS},
            "seal": None if seal is None else {"hash": seal["hash"], "at": seal["at"].isoformat()},
            "rows": self.files.row_counts,
            "records": {name: self.files.counts[name] for name in RECORDS},
            "pictures": self.picture_count,
        }
