"""`flask user …` and `flask token …`: who may see the studies. A password is never shown, a token once."""

import re
import secrets
import sys
from datetime import datetime, timedelta

import click
from flask.cli import with_appcontext

from apps import passwords
from apps.services import services
from store.api_tokens import ApiToken
from store.clock import utc_now
from store.researchers import Researcher

LOGIN = re.compile(r"[\w.@+-]{2,64}")
SHOWN = 10
"""Letters of a token's hash by which it is named: enough to tell it from others, useless to anybody else."""

from_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")


@click.group()
def user() -> None:
    """Researchers who may see the studies."""


@user.command("add")
@click.argument("login")
@from_stdin
@with_appcontext
def add_user(login: str, password_stdin: bool) -> None:
    """Make a login for a researcher; the password is asked for."""
    if not LOGIN.fullmatch(login):
        raise click.ClickException("a login has 2 to 64 letters, digits, or the signs . _ @ + -")
    researchers = services().stores.researchers
    if researchers.find(login) or not researchers.add(login, _new_hash(login, password_stdin)):
        raise click.ClickException(f"there is a login {login!r} already; `flask user password {login}` changes it")
    click.echo(f"{login} can log in at /studio/login")


@user.command("password")
@click.argument("login")
@from_stdin
@with_appcontext
def change_password(login: str, password_stdin: bool) -> None:
    """Give a researcher another password, and end all logins with the old one."""
    _known(login)
    services().stores.researchers.set_password(login, _new_hash(login, password_stdin))
    click.echo(f"{login} has another password")


@user.command("list")
@with_appcontext
def list_users() -> None:
    """Show all logins."""
    for one in services().stores.researchers.all():
        click.echo(f"{one.login:24} {'disabled' if one.is_disabled else 'enabled':9} since {_day(one.created_at)}")


@user.command("disable")
@click.argument("login")
@with_appcontext
def disable_user(login: str) -> None:
    """Take a researcher's access away at once: login, cookies and tokens."""
    _set_disabled(login, True)


@user.command("enable")
@click.argument("login")
@with_appcontext
def enable_user(login: str) -> None:
    """Give a researcher's access back."""
    _set_disabled(login, False)


@click.group()
def token() -> None:
    """Tokens for researchers' programs: `Authorization: Bearer <token>`."""


@token.command("add")
@click.argument("login")
@click.option("--name", required=True, help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it is good for; for ever if not given.")
@with_appcontext
def add_token(login: str, name: str, days: int | None) -> None:
    """Make a token for a researcher, and show it this one time."""
    fresh = f"step_{secrets.token_urlsafe(32)}"
    expires_at = utc_now() + timedelta(days=days) if days else None
    services().stores.api_tokens.add(fresh, _known(login).id, name, expires_at)
    click.echo("It is shown this one time:", err=True)
    click.echo(fresh)


@token.command("list")
@with_appcontext
def list_tokens() -> None:
    """Show all tokens by the first letters of their hash."""
    logins = {one.id: one.login for one in services().stores.researchers.all()}
    for one in services().stores.api_tokens.all():
        until = f"until {_day(one.expires_at)}" if one.expires_at else "for ever"
        used = f"last used {_day(one.last_used_at)}" if one.last_used_at else "never used"
        click.echo(f"{one.id[:SHOWN]}  {logins.get(one.researcher_id, '?'):24} {until:17} {used:21} {one.name}")


@token.command("revoke")
@click.argument("start")
@with_appcontext
def revoke_token(start: str) -> None:
    """Make a token worthless; START is what `flask token list` shows of it."""
    tokens = services().stores.api_tokens
    found: list[ApiToken] = [one for one in tokens.all() if len(start) >= 4 and one.id.startswith(start)]
    if len(found) != 1:
        raise click.ClickException(f"{len(found) or 'no'} tokens begin with {start!r}; `flask token list` shows them")
    tokens.revoke(found[0].id)
    click.echo(f"{found[0].name} is revoked")


def _known(login: str) -> Researcher:
    found = services().stores.researchers.find(login)
    if found is None:
        raise click.ClickException(f"there is no login {login!r}; `flask user list` shows them")
    return found


def _set_disabled(login: str, is_disabled: bool) -> None:
    services().stores.researchers.set_disabled(_known(login).login, is_disabled)
    click.echo(f"{login} is {'disabled' if is_disabled else 'enabled'}")


def _new_hash(login: str, is_piped: bool) -> str:
    """Read a password, from the terminal without showing it, and give what is kept of it."""
    if is_piped or not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not passwords.SHORTEST <= len(password) <= passwords.LONGEST:
        raise click.ClickException(f"a password has {passwords.SHORTEST} to {passwords.LONGEST} characters")
    if password.casefold() == login.casefold():
        raise click.ClickException("a password must not be the login")
    return passwords.hash_of(password)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
