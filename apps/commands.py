"""The command line: `flask --app app config`, `flask --app app check-settings`."""

from typing import TYPE_CHECKING

import click
from flask import Flask

from apps.registry import PRESETS, PROMPTS
from settings.check import check

if TYPE_CHECKING:
    from config import Config


def register_commands(app: Flask, config: "Config") -> None:
    """Add our commands to the `flask` command."""

    @app.cli.command("config")
    def show_config() -> None:
        """Print every setting and its meaning; of secrets only whether they are set."""
        for name, value, meaning in config.rows():
            click.echo(f"{name:26} {value:32} {meaning}")

    @app.cli.command("check-settings")
    def check_settings() -> None:
        """Check all prompts and presets and name every problem by file and key."""
        problems = check(config.SETTINGS_DIR, PROMPTS, PRESETS)
        for problem in problems:
            click.echo(str(problem), err=True)
        if problems:
            raise SystemExit(1)
        click.echo(f"{len(PROMPTS)} prompts and {len(PRESETS)} presets are in order")
