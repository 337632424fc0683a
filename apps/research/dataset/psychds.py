"""The rules of Psych-DS 1.5.1, as far as they can be broken; what it only recommends is not asked for.

Files: `dataset_description.json` and at least one table in `data/` whose name is made of keywords. Metadata: JSON-LD of
schema.org's type Dataset with name, description and variableMeasured. Tables: a header without repetitions, rows as
long as it, every column described, every described variable in some table, no value of `row_id` twice in a table.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

DESCRIPTION: Final = "dataset_description.json"
FILE_NAME: Final = re.compile(r"[a-z]+-[a-zA-Z0-9]+(_[a-z]+-[a-zA-Z0-9]+)*_data\.(csv|tsv)")
REQUIRED: Final = ("name", "description", "variableMeasured")
CONTEXTS: Final = ("https://schema.org/", "http://schema.org/", "https://schema.org", "http://schema.org")


def is_table(path: str) -> bool:
    """Say whether a path is that of a table of a Psych-DS data set."""
    folder, _, name = path.rpartition("/")
    return folder.split("/")[0] == "data" and FILE_NAME.fullmatch(name) is not None


def broken_rules(
    paths: Collection[str], description: Mapping[str, Any] | None, headers: Mapping[str, list[str]]
) -> Iterator[str]:
    """Say what in a data set breaks the rules.

    Args:
        paths: all files of the data set.
        description: content of `dataset_description.json`, None if there is none.
        headers: the header of each table, by its path.
    """
    if description is None:
        yield f"{DESCRIPTION} is missing"
        return
    for path in paths:
        if path.startswith("data/") and path.endswith((".csv", ".tsv")) and not is_table(path):
            yield f"{path} is not named by keywords, as study-X_description-Y_data.csv is"
    if not any(is_table(path) for path in paths):
        yield "there is no table in data/"
    yield from _of_metadata(description)
    yield from _of_columns(description, headers)


def _of_metadata(description: Mapping[str, Any]) -> Iterator[str]:
    if description.get("@context") not in CONTEXTS:
        yield f"{DESCRIPTION}: @context must be https://schema.org/"
    if description.get("@type") != "Dataset":
        yield f"{DESCRIPTION}: @type must be Dataset"
    for field in REQUIRED:
        if not description.get(field):
            yield f"{DESCRIPTION}: {field} is missing"


def _of_columns(description: Mapping[str, Any], headers: Mapping[str, list[str]]) -> Iterator[str]:
    told = [one if isinstance(one, str) else one.get("name") for one in description.get("variableMeasured", ())]
    for name in sorted({str(one) for one in told if told.count(one) > 1}):
        yield f"{DESCRIPTION}: {name} is described twice"
    found: set[str] = set()
    for path, header in headers.items():
        found.update(header)
        if not header:
            yield f"{path} has no header"
        if len(set(header)) < len(header):
            yield f"{path} has two columns of one name"
        for name in sorted(set(header) - set(told)):
            yield f"{path}: column {name} is not described in {DESCRIPTION}"
    for name in sorted(str(one) for one in set(told) - found):
        yield f"{DESCRIPTION}: {name} is in no table"
