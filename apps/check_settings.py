"""`python -m apps.check_settings`: all that is wrong in settings/, without starting the server."""

from pathlib import Path

import click

from apps.registry import PRESETS, PROMPTS
from settings.check import check


@click.command(help=__doc__)
@click.argument("folder", default="settings", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Name every problem by file and key; exit code 1 when there is one."""
    problems = check(folder, PROMPTS, PRESETS)
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems:
        raise SystemExit(1)
    click.echo(f"{len(PROMPTS)} prompts and {len(PRESETS)} presets are in order")


if __name__ == "__main__":
    main()
