"""The RO-Crate of a data set: what it holds, for programs, and a page of it that opens in a browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any, Final

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from apps.research.dataset.columns import FORMS, Table, stem_of
from apps.research.dataset.rows import Record
from apps.research.dataset.tables import TABLES

MEDIA_TYPES: Final = {"csv": "text/csv", "jsonl": "application/jsonl", "parquet": "application/vnd.apache.parquet"}
PAGES: Final = {
    "dataset_description.json": ("application/json", "Psych-DS description of the data set and all its variables"),
    "README.md": ("text/markdown", "What is in the data set, and how to read it"),
    "CHANGES.md": ("text/markdown", "Dates of the data set"),
    "METHODS.md": ("text/markdown", "A paragraph on methods, with the numbers of each condition"),
    "codebook.csv": ("text/csv", "Every column of every table: meaning, unit, type, allowed values"),
    "codebook.json": ("application/json", "The codebook for programs"),
    "manifest.json": ("application/json", "Size and SHA-256 of every file, and numbers of rows"),
    "provenance/prov.json": ("application/json", "W3C PROV-JSON of the study; of each session beside it"),
}
LICENSE: Final = {
    "@type": "CreativeWork",
    "name": "No licence was given",
    "description": "All rights are reserved, unless those who publish this data set say otherwise.",
}
FOLDERS: Final = {
    "data/": "Tables as CSV, JSON Lines and Parquet",
    "images/": "Pictures by the SHA-256 of their content, 1,000 in a part",
    "provenance/sessions/": "W3C PROV-JSON of each session",
    "records/": "The server's records as they are, as JSON Lines",
}


def crate_metadata(study: Record, changed_at: datetime, counts: Mapping[str, int], version: str) -> dict[str, Any]:
    """Give the metadata of the crate (RO-Crate 1.1)."""
    crate = ROCrate(version="1.1")
    crate.name = study.get("name") or study["_id"]
    crate.description = study.get("description") or f"Data of the study {crate.name}."
    crate.root_dataset["datePublished"] = f"{changed_at:%Y-%m-%d}"
    crate.root_dataset["identifier"] = f"urn:stepideator:study:{study['_id']}"
    crate.license = crate.add(ContextEntity(crate, "#license", properties=LICENSE))
    for path, (media_type, meaning) in PAGES.items():
        crate.add_file(dest_path=path, properties={"encodingFormat": media_type, "description": meaning})
    # A ZIP has no empty folders.
    empty = {path for path, table in (("images/", "images"), ("provenance/sessions/", "sessions")) if not counts[table]}
    for path, meaning in FOLDERS.items():
        if path in empty:
            continue
        crate.add_dataset(dest_path=path, properties={"name": path, "description": meaning})
    for table in TABLES:
        for ending, media_type in MEDIA_TYPES.items():
            facts = {
                "name": f"{table.name} ({ending})",
                "encodingFormat": media_type,
                "description": f"A row for each {table.row_of}; {counts[table.name]} rows",
            }
            crate.add_file(dest_path=f"data/{stem_of(study['_id'], table)}.{ending}", properties=facts)
    found: dict[str, Any] = crate.metadata.generate()
    found["@graph"].append(
        {"@id": "#software", "@type": "SoftwareApplication", "name": "StepIdeator-API", "softwareVersion": version}
    )
    preview = {"@id": "ro-crate-preview.html", "@type": "CreativeWork", "about": {"@id": "./"}}
    if not any(one["@id"] == preview["@id"] for one in found["@graph"]):
        found["@graph"].append(preview)
    return found


def preview(study: Record, changed_at: datetime, counts: Mapping[str, int], pictures: Sequence[str]) -> str:
    """Write the page: the study, its tables with their columns, some of its pictures; it needs no network."""
    name = escape(str(study.get("name") or study["_id"]))
    shown = "".join(
        f'<a href="{escape(path)}"><img src="{escape(path)}" alt="" loading="lazy"></a>' for path in pictures
    )
    pages = "".join(f'<li><a href="{path}">{path}</a>: {escape(meaning)}</li>' for path, (_, meaning) in PAGES.items())
    tables = "".join(_table(table, study["_id"], counts[table.name]) for table in TABLES)
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{name}</title>
<style>{STYLE}</style></head>
<body><main>
<h1>{name}</h1>
<p>{escape(study.get("description") or "")}</p>
<p class="quiet">Last changed {changed_at:%Y-%m-%d}. Study {escape(study["_id"])}.</p>
<h2>Pages</h2><ul>{pages}</ul>
<h2>Tables</h2>{tables}
<h2>Pictures</h2>{f'<div class="pictures">{shown}</div>' if shown else "<p>None.</p>"}
</main></body></html>
"""


def _table(table: Table, study_id: str, count: int) -> str:
    stem = f"data/{stem_of(study_id, table)}"
    links = " · ".join(f'<a href="{stem}.{ending}">{ending.upper()}</a>' for ending in MEDIA_TYPES)
    rows = "".join(
        f"<tr><th scope=row><code>{one.name}</code></th><td>{_marked(one.meaning)}</td><td>{escape(one.unit)}</td>"
        f"<td>{escape(FORMS[one.type])}</td><td>{escape(', '.join(one.allowed))}</td></tr>"
        for one in table.columns
    )
    heads = "".join(f"<th scope=col>{head}</th>" for head in ("column", "meaning", "unit", "type", "allowed values"))
    return (
        f"<details><summary><b>{table.name}</b>: a row for each {escape(table.row_of)} "
        f"<span class=quiet>({count})</span></summary><p>{links}</p>"
        f"<div class=wide><table><tr>{heads}</tr>{rows}</table></div></details>"
    )


def _marked(text: str) -> str:
    """Show what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


STYLE: Final = """
:root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 18%,transparent)}
body{font:16px/1.5 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;margin:0}
main{max-width:70rem;margin:0 auto;padding:2rem 1.25rem}
h1{line-height:1.2}.quiet{opacity:.75}
details{border:1px solid var(--line);border-radius:10px;padding:.6rem 1rem;margin:.5rem 0}summary{cursor:pointer}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem}
td,th{border-bottom:1px solid var(--line);padding:.3rem .8rem .3rem 0;text-align:left;vertical-align:top}
.pictures{display:flex;flex-wrap:wrap;gap:.75rem}.pictures img{height:160px;border-radius:10px}
"""
