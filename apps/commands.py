"""The command line: `flask --app app config`."""

from typing import TYPE_CHECKING

import click
from flask import Flask

if TYPE_CHECKING:
    from config import Config


def register_commands(app: Flask, config: "Config") -> None:
    """Add our command to the `flask` command."""

    @app.cli.command("config")
    def show_config() -> None:
        """Print every setting and its meaning; of secrets only whether they are set."""
        for name, value, meaning in config.rows():
            click.echo(f"{name:26} {value:32} {meaning}")
