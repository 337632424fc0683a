"""`flask export` and `flask import`: a study's data set as a ZIP, and the study again from it."""

import time
from pathlib import Path

import click
from flask.cli import with_appcontext

from apps.openapi import VERSION
from apps.research.export_runs import SETTLED_AFTER_S, moment_after_all
from apps.services import services
from store.errors import StoreError

STEPS = 1000


@click.command("export")
@click.option("--study", "study_id", required=True, help="The study's id.")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The ZIP to write; it is replaced."
)
@with_appcontext
def export(study_id: str, out: Path) -> None:
    """Write the data set of a study: tables, codebook, pictures, provenance and records in one ZIP.

    It is checked before it gets its name. A server may go on meanwhile; what came before the start is in it.
    """
    # Only where it is used: what it needs is large.
    from apps.research.dataset.errors import DatasetError
    from apps.research.dataset.exporting import export_study

    stores = services().stores
    try:
        until = moment_after_all(stores)
        time.sleep(SETTLED_AFTER_S)
        out.parent.mkdir(parents=True, exist_ok=True)
        with click.progressbar(length=STEPS, label=f"Exporting {study_id}") as bar:
            done = export_study(
                stores, study_id, out, until=until, version=VERSION,
                told=lambda _state, part: bar.update(int(part * STEPS) - bar.pos),
            )  # fmt: skip
    except (DatasetError, StoreError, OSError) as exc:
        raise click.ClickException(str(exc)) from exc
    click.echo(f"{done.path}: {done.size:,} bytes, {done.records:,} records, {done.pictures:,} pictures, checked")
    if done.under_way:
        click.echo(f"generations that had not ended, and are not in it: {done.under_way}; export again later")


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def import_(file: Path) -> None:
    """Make the study of an exported ZIP again, record by record, in a database that has none.

    Everything is checked before anything is written. An import that was broken off may simply be started again.
    """
    from apps.research.dataset.errors import DatasetError
    from apps.research.dataset.importing import import_study

    try:
        with click.progressbar(length=STEPS, label=f"Importing {file.name}") as bar:
            done = import_study(services().stores, file, lambda part: bar.update(int(part * STEPS) - bar.pos))
    except (DatasetError, StoreError, OSError) as exc:
        raise click.ClickException(str(exc)) from exc
    click.echo(f"study {done.study_id}: {', '.join(f'{number} {name}' for name, number in done.records.items())}")
