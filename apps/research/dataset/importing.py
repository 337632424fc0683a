"""Makes a study again from the ZIP of its data set, record by record as it was.

Everything in the ZIP is checked before anything is written, and the study itself is written last: one that was broken
off leaves no study behind, and the import may simply be started again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from apps.research.dataset.errors import NotImportableError
from apps.research.dataset.exporting import FORMAT
from apps.research.dataset.files import RECORDS
from apps.research.dataset.reopened import IMAGE, Reopened
from store.dump import document_of
from store.restore import Restore
from store.schema import SCHEMA_VERSIONS
from store.stores import Stores

logger = logging.getLogger(__name__)

AT_ONCE: Final = 50
ORDER: Final = ("settings_versions", "participants", "generations", "saved_states", "uploads", "time_records",
                "events", "assignments", "sessions")  # fmt: skip
"""What is written between the contents, which others name, and the study."""
CHECKED: Final = 0.3
Told = Callable[[float], None]


@dataclass(frozen=True)
class Import:
    """A finished import: the study, and how many records of each kind it has."""

    study_id: str
    records: dict[str, int]


def import_study(stores: Stores, path: Path, told: Told = lambda _: None) -> Import:
    """Make the study of a ZIP in a database that has none; `told` hears how far it is, 0 to 1.

    Raises:
        NotImportableError: the ZIP is none of ours, of a later version or damaged, or the database has a study.
        DuplicateError: a record of another study has the id of one of this study.
    """
    restore = Restore(stores.database, stores.contents)
    with Reopened(path, NotImportableError) as opened:
        _check_versions(opened.manifest.facts)
        if here := restore.studies():
            raise NotImportableError(
                f"this database has a study already ({', '.join(here[:3])}); import into an empty one: set MONGO_DB to "
                "another name"
            )
        opened.check_members(lambda part: told(CHECKED * part))
        done = _Import(restore, opened, told)
        done.run()
    logger.info("study %s imported", done.study_id)
    return Import(done.study_id, dict(done.counts))


def _check_versions(facts: dict[str, Any]) -> None:
    if facts.get("format_version") != FORMAT:
        raise NotImportableError(
            f"the data set is of form {facts.get('format_version')}, this server reads form {FORMAT}; use the version "
            "of StepIdeator-API that wrote it, or a later one"
        )
    for name, version in facts.get("schema_versions", {}).items():
        if version > SCHEMA_VERSIONS.get(name, version):
            raise NotImportableError(
                f"its {name} are of version {version}, this server knows {SCHEMA_VERSIONS[name]}; use a later server"
            )


class _Import:
    """One import on its way."""

    def __init__(self, restore: Restore, opened: Reopened, told: Told) -> None:
        self.counts: Counter[str] = Counter()
        self.study_id: str = opened.manifest.facts["study_id"]
        self._restore, self._opened, self._told = restore, opened, told
        self._total = max(1, sum(opened.manifest.facts["records"].values()))
        self._places = {found[1]: path for path in opened.paths if (found := IMAGE.fullmatch(path))}

    def run(self) -> None:
        """Write everything, the study last."""
        for facts in self._documents("contents"):
            self._content(facts)
        for name in ORDER:
            documents = self._documents(name)
            while some := list(islice(documents, AT_ONCE)):
                self._restore.add(name, some)
        for study in self._documents("studies"):
            self._restore.add_study(study)
        kept = {name: self.counts[name] for name in RECORDS}
        if kept != {name: self._opened.manifest.facts["records"].get(name) for name in RECORDS}:
            raise NotImportableError("the records are not as many as the manifest says")

    def _documents(self, name: str) -> Iterator[dict[str, Any]]:
        for number, line in enumerate(self._opened.lines(f"records/{name}.jsonl"), start=1):
            try:
                document = document_of(line)
            except (ValueError, TypeError) as exc:
                raise NotImportableError(f"records/{name}.jsonl, line {number}: {exc}") from exc
            self.counts[name] += 1
            yield document
            self._told(CHECKED + (1 - CHECKED) * self.counts.total() / self._total)

    def _content(self, facts: dict[str, Any]) -> None:
        if facts["media_type"].startswith("image/"):
            if facts["_id"] not in self._places:
                raise NotImportableError(f"picture {facts['_id']} is missing")
            data = self._opened.picture(self._places[facts["_id"]])[1]
        else:
            data = facts.pop("text").encode("utf-8") if "text" in facts else bytes(facts.pop("content"))
        self._restore.add_content(facts, data)
