"""The cookie of a login: signed with one key that all processes of the server share."""

import os
import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path

from flask import Flask, Request, has_request_context, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

COOKIE = "stepideator_login"
KEY_FILE = "secret_key"
DAYS = 7


def register_login_cookie(app: Flask, secret_key: str, data_dir: Path) -> None:
    """Have logins kept in a cookie; the key is made in `data_dir` where none is given. Nothing is written yet."""
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=DAYS * 24 * 3600,
    )
    app.session_interface = _LoginCookie(lambda: secret_key or key_in(data_dir))


def key_in(data_dir: Path) -> str:
    """Read the key of a folder, made now if there is none; processes that come at once get the same one.

    Raises:
        OSError: the folder cannot be read or written.
    """
    path = data_dir / KEY_FILE
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        fresh = data_dir / f".{KEY_FILE}-{secrets.token_hex(8)}"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        # A link is made whole or not at all, and only where there is none yet: the first one stays.
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text("ascii").strip()


class _LoginCookie(SecureCookieSessionInterface):
    """Flask's own signed cookie, whose key is looked for only when somebody logs in or is logged in."""

    def __init__(self, key: Callable[[], str]) -> None:
        self._key = cache(key)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        app.secret_key = self._key()
        return super().get_signing_serializer(app)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        # Most callers are no researchers: for them there is no key to read, and no cookie to check.
        if not request.cookies.get(self.get_cookie_name(app)):
            return self.session_class()
        return super().open_session(app, request)

    def get_cookie_secure(self, app: Flask) -> bool:
        return has_request_context() and request.is_secure
