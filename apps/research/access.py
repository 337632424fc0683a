"""Logging in and out, and who one is."""

import hashlib

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from apps.errors import NotAllowedError, TooManyAttemptsError
from apps.guard import check_page, let_researchers_through, log_in, log_out, researcher
from apps.openapi import answers, api
from apps.passwords import is_right
from apps.research.access_schemas import LoginRequest, MeAnswer
from apps.schemas import Nothing, succeeded
from apps.services import services
from store.researchers import Researcher, id_of

access = Blueprint("access", __name__, url_prefix="/api")

WRONG = "login or password is wrong; `flask user add` makes a login, `flask user password` another password"


@access.post("/login")
@api.validate(resp=answers(MeAnswer, 400, 401, 403, 413, 415, 422, 429), tags=["researchers"])
def login(json: LoginRequest) -> ResponseReturnValue:
    """Log a researcher in: the answer carries a cookie, good for a week, for pages of this server alone.

    Five wrong passwords are free; then each attempt from the same address must wait longer than the one before.
    """
    check_page()
    found = _proven(json.login, json.password.get_secret_value())
    log_in(found)
    return succeeded({"login": found.login, "needs_login": current_app.config["RESEARCH_LOGIN"]})


@access.post("/logout")
@api.validate(resp=answers(Nothing, 403), tags=["researchers"])
def logout() -> ResponseReturnValue:
    """Log out: the cookie is taken back."""
    check_page()
    log_out()
    return succeeded(None)


@access.get("/me")
@api.validate(resp=answers(MeAnswer, 401, 403), tags=["researchers"])
def me() -> ResponseReturnValue:
    """Tell who one is.

    `needs_login` is false where the server lets everybody in who sits at its own machine.
    """
    let_researchers_through()
    return succeeded({"login": researcher(), "needs_login": current_app.config["RESEARCH_LOGIN"]})


def _proven(login: str, password: str) -> Researcher:
    """Give the researcher who has this password. Raises NotAllowedError and TooManyAttemptsError."""
    stores = services().stores
    key = hashlib.sha256(f"{id_of(login)}\0{request.remote_addr}".encode()).hexdigest()
    wait_s = stores.login_attempts.begin(key)
    if wait_s > 0:
        raise TooManyAttemptsError(wait_s)
    found = stores.researchers.find(login)
    # An unknown login takes as long as a wrong password, so that nobody learns which logins there are.
    if not is_right(password, found.password_hash if found else None) or found is None or found.is_disabled:
        raise NotAllowedError(401, WRONG)
    stores.login_attempts.forget(key)
    return found
