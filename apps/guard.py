"""Who may see studies and their data: a researcher with a login or a token, on every route of a guarded blueprint.

    research = guarded(Blueprint("research", __name__))

With RESEARCH_LOGIN=false there is nobody to log in; then whoever sits at this very machine may, and nobody else.
"""

import hashlib
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, current_app, g, request, session
from flask_login import LoginManager, UserMixin, login_user, logout_user
from flask_login import current_user as _current_user

from apps.callers import host_of, is_from_here, is_loopback, is_of_a_strange_page
from apps.errors import NotAllowedError
from apps.login_cookie import register_login_cookie
from apps.services import services
from store.researchers import Researcher

if TYPE_CHECKING:
    from config import Config

READING = ("GET", "HEAD", "OPTIONS")
LOCAL = "local"
NO_LOGIN = "this needs a researcher: log in at /studio/login, or send the header Authorization: Bearer <token>"
WRONG_TOKEN = "this token is unknown, has expired, or was revoked; `flask token add` makes another"
ELSEWHERE = (
    "with RESEARCH_LOGIN=false only a caller on the server's own machine, through no proxy, may see studies; set "
    "RESEARCH_LOGIN=true and make a login with `flask user add`"
)
STRANGE_PAGE = "a page of another origin may do nothing in the name of who is logged in here; use a token"
NOT_JSON = "send this with the header Content-Type: application/json"


class _User(UserMixin):  # type: ignore[misc]  # flask-login has no types
    """A researcher as flask-login wants one. The id changes with the password, so old cookies end with it."""

    def __init__(self, researcher: Researcher) -> None:
        self.login = researcher.login
        self.id = f"{researcher.id}.{hashlib.sha256(researcher.password_hash.encode()).hexdigest()[:16]}"


def register_guard(app: Flask, config: "Config") -> None:
    """Set up logins by cookie; who is asked for is decided at each request."""
    app.config["RESEARCH_LOGIN"] = config.RESEARCH_LOGIN
    register_login_cookie(app, config.SECRET_KEY.get_secret_value(), config.DATA_DIR)
    manager = LoginManager()
    manager.session_protection = None
    manager.user_loader(_user)
    # Not by init_app: it looks at the cookie after every request, and so no picture could be cached for all.
    app.login_manager = manager  # type: ignore[attr-defined]


def guarded(blueprint: Blueprint) -> Blueprint:
    """Let nobody but researchers through to the routes of a blueprint; give it back."""
    blueprint.before_request(let_researchers_through)
    blueprint.is_guarded = True  # type: ignore[attr-defined]  # the OpenAPI document says so of each route
    return blueprint


def researcher() -> str:
    """Name the login that makes the current request of a guarded route; `local` where none is needed."""
    login: str = g.researcher
    return login


def let_researchers_through() -> None:
    """Let the current request pass if a researcher makes it.

    Raises:
        NotAllowedError: 401 without a login or token; 403 from elsewhere, or for what a strange page asks a browser.
    """
    if request.method == "OPTIONS":
        return
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        g.researcher = _login_of(token.strip())
    elif not current_app.config["RESEARCH_LOGIN"]:
        g.researcher = _local()
    elif _current_user.is_authenticated:
        check_page()
        g.researcher = _current_user.login
    else:
        raise NotAllowedError(401, NO_LOGIN)


def check_page() -> None:
    """Let a change pass that a page of ours asks for in the name of who is logged in.

    Raises:
        NotAllowedError: 403 for what a page of another origin, or a plain form, could have sent.
    """
    if request.method in READING:
        return
    if is_of_a_strange_page(request):
        raise NotAllowedError(403, STRANGE_PAGE)
    # No plain form can send JSON, and no page of another origin without asking first.
    if request.method != "DELETE" and not request.is_json:
        raise NotAllowedError(403, NOT_JSON)


def log_in(found: Researcher) -> None:
    """Give the caller of the current request the cookie of a researcher."""
    session.permanent = True
    login_user(_User(found))


def log_out() -> None:
    """Take the cookie from the caller of the current request."""
    logout_user()
    session.clear()


def _user(user_id: str) -> _User | None:
    """Give the user of a cookie; None once the password is another one or the access was taken away."""
    found = services().stores.researchers.get(user_id.partition(".")[0])
    if found is None or found.is_disabled:
        return None
    user = _User(found)
    return user if user.id == user_id else None


def _login_of(token: str) -> str:
    stores = services().stores
    found = stores.api_tokens.use(token)
    owner = stores.researchers.get(found.researcher_id) if found else None
    if owner is None or owner.is_disabled:
        raise NotAllowedError(401, WRONG_TOKEN)
    return owner.login


def _local() -> str:
    # A strange page could have its own name lead to this machine; the header Host then has that name.
    is_named_so = is_loopback(host_of(request.host_url))
    is_strange = request.headers.get("Sec-Fetch-Site") == "cross-site"
    if is_strange or not is_named_so or not is_from_here(request):
        raise NotAllowedError(403, ELSEWHERE)
    return LOCAL
