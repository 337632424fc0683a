"""The command line: `flask --app app config`, and the commands of the apps."""

from typing import TYPE_CHECKING

import click
from flask import Flask

from apps.research.dataset_commands import export, import_
from apps.research.dry_run_command import dry_run_command
from apps.research.erasures import erase_command
from apps.research.people import token, user
from apps.research.replay_command import replay

if TYPE_CHECKING:
    from config import Config


def register_commands(app: Flask, config: "Config") -> None:
    """Add our commands to the `flask` command."""
    app.cli.add_command(user)
    app.cli.add_command(token)
    app.cli.add_command(replay)
    app.cli.add_command(export)
    app.cli.add_command(import_)
    app.cli.add_command(erase_command)
    app.cli.add_command(dry_run_command(config))

    @app.cli.command("config")
    def show_config() -> None:
        """Print every setting and its meaning; of secrets only whether they are set."""
        for name, value, meaning in config.rows():
            click.echo(f"{name:26} {value:32} {meaning}")
