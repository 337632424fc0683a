"""The pages that tell people what is in a data set: README.md and CHANGES.md."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from apps.research.dataset.columns import stem_of
from apps.research.dataset.rows import Record
from apps.research.dataset.tables import TABLES, VERBS

TEXT = """# {name}

{description}

Data of a study with StepIdeator-API, last changed {changed_at}. It is a [Psych-DS](https://psych-ds.github.io) data
set and an [RO-Crate](https://www.researchobject.org/ro-crate/): open `ro-crate-preview.html` in a browser to look
around. Participants are named by pseudonyms; their names are not in here.

## In three lines

```python
import pandas as pd
events = pd.read_csv("data/{events}.csv", parse_dates=["at"])
print(events.groupby(["condition_id", "verb"]).size())
```

`pd.read_parquet("data/{events}.parquet")` gives the same with lists in `inputs` and `outputs`.

## Tables

Each as CSV (UTF-8, RFC 4180), JSON Lines and Parquet, with the same rows. `codebook.csv` has the meaning, unit, type
and allowed values of every column. In CSV an empty cell is a missing value or an empty text (the other two forms tell
these apart), and a list is a JSON array. Texts are as they were typed: do not let a spreadsheet take those that begin
with `=` for formulas.

| table | rows | a row for each |
| --- | --- | --- |
{tables}

What the verbs in `events` mean:

| verb | meaning |
| --- | --- |
{verbs}

Join them by `session_id` and `generation_id`. For linkography take `links`: each row is a link from one generation back
to an earlier one, with their places in the session.

## Before you publish

What participants typed and drew, the names of files that they sent, and how their browser calls itself are in here as
they were. Only you can see whether somebody can be known by that. No licence is stated; state one.

## The rest

- `images/part-0001/…`: {pictures} pictures, 1,000 in a part, named by the SHA-256 of what was made or sent. A PNG that
  had none was given a text chunk `parameters` (prompt, seed, model …) as the Stable Diffusion WebUI writes it; without
  this chunk it is the picture of that hash. `images` has a row for each.
- `METHODS.md`: a paragraph on methods with the numbers of each condition.
- `provenance/`: where each picture and text came from, as W3C PROV-JSON, a document for each session.
- `records/`: the server's records as they are, one JSON object in a line. `flask import` makes the study from them.
- `manifest.json`: size and SHA-256 of every file, number of rows, and versions of the forms.
"""


def readme(study: Record, changed_at: datetime, counts: Mapping[str, int], pictures: int) -> str:
    """Write README.md."""
    lines = [f"| `data/{stem_of(study['_id'], one)}` | {counts[one.name]} | {one.row_of} |" for one in TABLES]
    events = next(table for table in TABLES if table.name == "events")
    return TEXT.format(
        name=" ".join(str(study.get("name") or study["_id"]).split()),
        description=study.get("description") or "",
        changed_at=f"{changed_at:%Y-%m-%d}",
        events=stem_of(study["_id"], events),
        tables="\n".join(lines),
        verbs="\n".join(f"| {verb} | {means} |" for verb, means in VERBS),
        pictures=pictures,
    )


def changes(study: Record, changed_at: datetime) -> str:
    """Write CHANGES.md: there is one version of a data set, that of the study's last change."""
    made = study.get("created_at")
    lines = [f"- {changed_at:%Y-%m-%d}: last change of the study's records."]
    if isinstance(made, datetime):
        lines.append(f"- {made:%Y-%m-%d}: the study was made.")
    return "# Changes\n\n" + "\n".join(lines) + "\n"
