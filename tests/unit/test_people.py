"""`flask user` and `flask token`: making, listing and ending access, without ever showing a password."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from apps.factory import create_app
from apps.login_cookie import key_in
from apps.services import EXTENSION, Services
from config import load_config

pytestmark = pytest.mark.unit

PASSWORD = "correct horse battery staple"


@pytest.fixture
def app(mongo_uri: str, database_name: str, tmp_path: Path) -> Iterator[Flask]:
    """Build a server on a database of its own; it serves nobody."""
    app = create_app(load_config(_env_file=None, MONGO_URI=mongo_uri, MONGO_DB=database_name, DATA_DIR=tmp_path))
    yield app
    app.extensions[EXTENSION].close()


def _run(app: Flask, *words: str, typed: str = "") -> Result:
    return app.test_cli_runner().invoke(args=list(words), input=typed)


def _done(app: Flask, *words: str, typed: str = "") -> str:
    result = _run(app, *words, typed=typed)
    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    return str(result.stdout)


def _parts(app: Flask) -> Services:
    found: Services = app.extensions[EXTENSION]
    return found


def test_a_user_is_made_listed_disabled_and_enabled(app: Flask) -> None:
    _done(app, "user", "add", "anna", "--password-stdin", typed=f"{PASSWORD}\n")
    assert "anna" in _done(app, "user", "list") and "enabled" in _done(app, "user", "list")

    _done(app, "user", "disable", "Anna")
    assert "disabled" in _done(app, "user", "list")

    _done(app, "user", "enable", "anna")
    assert "enabled" in _done(app, "user", "list")


def test_a_password_is_kept_as_argon2id_and_can_be_changed(app: Flask) -> None:
    _done(app, "user", "add", "anna", typed=f"{PASSWORD}\n")
    first = _parts(app).stores.researchers.find("anna")
    _done(app, "user", "password", "anna", typed="a longer one than before\n")
    second = _parts(app).stores.researchers.find("anna")

    assert first is not None and second is not None
    assert first.password_hash.startswith("$argon2id$")
    assert first.password_hash != second.password_hash
    assert first.password_hash not in repr(first)


@pytest.mark.parametrize(
    ("login", "typed", "why"),
    [
        ("anna", "short\n", "10 to 1024 characters"),
        ("anna", "", "10 to 1024 characters"),
        ("anna", "x" * 1025, "10 to 1024 characters"),
        ("a", f"{PASSWORD}\n", "2 to 64"),
        ("anna b", f"{PASSWORD}\n", "2 to 64"),
        ("longlogin1", "LongLogin1\n", "must not be the login"),
    ],
    ids=str,
)
def test_what_would_be_no_protection_is_refused(app: Flask, login: str, typed: str, why: str) -> None:
    result = _run(app, "user", "add", login, typed=typed)

    assert result.exit_code == 1
    assert why in result.output
    assert _parts(app).stores.researchers.all() == []


def test_a_login_is_given_once_whatever_its_case(app: Flask) -> None:
    _done(app, "user", "add", "anna", typed=f"{PASSWORD}\n")

    again = _run(app, "user", "add", "ANNA", typed="another password\n")

    assert again.exit_code == 1 and "already" in again.output


@pytest.mark.parametrize("words", [("user", "disable"), ("user", "password"), ("token", "add", "--name", "n")], ids=str)
def test_a_login_that_there_is_not_is_named(app: Flask, words: tuple[str, ...]) -> None:
    result = _run(app, *words, "nobody", typed=f"{PASSWORD}\n")

    assert result.exit_code == 1 and "no login 'nobody'" in result.output


def test_a_token_is_shown_once_listed_by_its_hash_and_revoked(app: Flask) -> None:
    _done(app, "user", "add", "anna", typed=f"{PASSWORD}\n")
    token = _done(app, "token", "add", "anna", "--name", "notebook", "--days", "30").splitlines()[-1]

    listed = _done(app, "token", "list")

    assert _parts(app).stores.api_tokens.use(token) is not None
    assert "notebook" in listed and "anna" in listed and token not in listed
    assert "revoked" in _done(app, "token", "revoke", listed.split()[0])
    assert _done(app, "token", "list") == ""
    assert _parts(app).stores.api_tokens.use(token) is None


def test_a_token_that_is_not_meant_exactly_is_not_revoked(app: Flask) -> None:
    _done(app, "user", "add", "anna", typed=f"{PASSWORD}\n")
    _done(app, "token", "add", "anna", "--name", "one")

    assert _run(app, "token", "revoke", "").exit_code == 1
    assert _run(app, "token", "revoke", "zzzz").exit_code == 1
    assert len(_parts(app).stores.api_tokens.all()) == 1


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def key() -> str:
        together.wait()
        return key_in(tmp_path / "new")

    with ThreadPoolExecutor(8) as pool:
        keys = {future.result() for future in [pool.submit(key) for _ in range(8)]}

    assert len(keys) == 1 and len(keys.pop()) >= 60
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret_key"]
