"""Who is let in to the researchers' side: by login, by token, or by sitting at the machine, and nobody else."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from apps import passwords
from store.api_tokens import ApiToken
from store.clock import utc_now
from tests.api.answers import data_of, failure_of
from tests.api.server import Server

pytestmark = pytest.mark.api

Serve = Callable[..., Server]
ME, LOGIN, LOGOUT = "/api/me", "/api/login", "/api/logout"
PASSWORD = "correct horse battery staple"
BODY = {"login": "anna", "password": PASSWORD}


@pytest.fixture
def guarded(serve: Serve) -> Server:
    """Run a server that wants a login, with one researcher."""
    server = serve(RESEARCH_LOGIN=True)
    server.stores.researchers.add("anna", passwords.hash_of(PASSWORD))
    return server


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    """Give a client that keeps cookies, as a browser does."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def _token(server: Server, days: float | None = None) -> ApiToken:
    expires_at = None if days is None else utc_now() + timedelta(days=days)
    found = server.stores.researchers.find("anna")
    assert found is not None
    return server.stores.api_tokens.add("step_secret", found.id, "notebook", expires_at)


def _bearer(token: str = "step_secret") -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_without_login_or_token_nobody_is_let_in(guarded: Server) -> None:
    assert "/studio/login" in failure_of(guarded.get(ME), 401)


def test_a_login_lets_in_until_the_logout(guarded: Server, browser: requests.Session) -> None:
    answer = browser.post(guarded.url + LOGIN, json={**BODY, "login": "ANNA"})

    assert data_of(answer) == {"login": "anna", "needs_login": True}
    assert data_of(browser.get(guarded.url + ME)) == {"login": "anna", "needs_login": True}
    data_of(browser.post(guarded.url + LOGOUT, json={}))
    failure_of(browser.get(guarded.url + ME), 401)


def test_the_cookie_is_for_this_servers_pages_alone(guarded: Server) -> None:
    cookie = guarded.post(LOGIN, BODY).headers["Set-Cookie"]
    behind_tls = guarded.post(LOGIN, BODY, headers={"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]

    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Secure" not in cookie
    assert "Secure" in behind_tls


def test_whoever_is_no_researcher_gets_no_cookie_and_answers_that_may_be_cached(guarded: Server) -> None:
    answer = guarded.get("/ping")

    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"login": "berta"}], ids=str)
def test_a_wrong_login_is_refused_without_telling_which_half_is_wrong(guarded: Server, wrong: dict[str, str]) -> None:
    answer = guarded.post(LOGIN, {**BODY, **wrong})

    assert "login or password is wrong" in failure_of(answer, 401)
    assert PASSWORD not in answer.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"login": "anna"}, 422), ({**BODY, "more": 1}, 422), ({**BODY, "password": 7}, 422), ([], 422)],
    ids=str,
)
def test_a_body_that_is_no_login_is_refused(guarded: Server, body: Any, status: int) -> None:
    failure_of(guarded.post(LOGIN, body), status)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
    ],
    ids=str,
)
def test_a_page_from_elsewhere_can_do_nothing_with_somebodys_cookie(
    guarded: Server, browser: requests.Session, headers: dict[str, str]
) -> None:
    data_of(browser.post(guarded.url + LOGIN, json=BODY))

    failure_of(browser.post(guarded.url + LOGOUT, data="{}", headers=headers), 403)

    assert data_of(browser.get(guarded.url + ME))


def test_a_page_of_the_server_itself_may(guarded: Server, browser: requests.Session) -> None:
    data_of(browser.post(guarded.url + LOGIN, json=BODY, headers={"Origin": guarded.url}))
    data_of(browser.post(guarded.url + LOGOUT, json={}, headers={"Sec-Fetch-Site": "same-origin"}))


def test_a_changed_password_ends_the_logins_with_the_old_one(guarded: Server, browser: requests.Session) -> None:
    data_of(browser.post(guarded.url + LOGIN, json=BODY))

    guarded.stores.researchers.set_password("anna", passwords.hash_of("another password"))

    failure_of(browser.get(guarded.url + ME), 401)


def test_a_disabled_researcher_has_no_way_in(guarded: Server, browser: requests.Session) -> None:
    data_of(browser.post(guarded.url + LOGIN, json=BODY))
    _token(guarded)

    guarded.stores.researchers.set_disabled("anna", True)

    failure_of(browser.get(guarded.url + ME), 401)
    failure_of(guarded.get(ME, headers=_bearer()), 401)
    failure_of(guarded.post(LOGIN, BODY), 401)


def test_a_token_lets_a_program_in_until_it_is_revoked(guarded: Server) -> None:
    token = _token(guarded)

    assert data_of(guarded.get(ME, headers=_bearer()))["login"] == "anna"
    [used] = guarded.stores.api_tokens.all()
    assert used.last_used_at is not None

    guarded.stores.api_tokens.revoke(token.id)
    assert "revoked" in failure_of(guarded.get(ME, headers=_bearer()), 401)


@pytest.mark.parametrize("days", [1, -1])
def test_a_token_is_good_until_its_day(guarded: Server, days: int) -> None:
    _token(guarded, days)
    assert guarded.get(ME, headers=_bearer()).status_code == (200 if days > 0 else 401)


def test_a_token_is_kept_as_a_hash_only(guarded: Server) -> None:
    _token(guarded)
    assert "step_secret" not in str(list(guarded.stores.database.collection("api_tokens").find({})))


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer wrong", "bearer step_secret2"])
def test_a_wrong_token_is_refused(guarded: Server, header: str) -> None:
    _token(guarded)
    failure_of(guarded.get(ME, headers={"Authorization": header}), 401)


def test_after_five_wrong_passwords_each_attempt_must_wait_longer(guarded: Server) -> None:
    for _ in range(5):
        failure_of(guarded.post(LOGIN, {**BODY, "password": "wrong"}), 401)

    answer = guarded.post(LOGIN, BODY)

    assert "too many attempts" in failure_of(answer, 429)
    assert int(answer.headers["Retry-After"]) >= 1
    elsewhere = guarded.post(LOGIN, BODY, headers={"X-Forwarded-For": "203.0.113.7"})
    assert data_of(elsewhere), "another address has its own count"


def test_many_guesses_at_once_get_no_further_than_one_after_another(guarded: Server) -> None:
    with ThreadPoolExecutor(12) as pool:
        guesses = [pool.submit(guarded.post, LOGIN, {**BODY, "password": f"guess {i}"}) for i in range(12)]

    statuses = [guess.result().status_code for guess in guesses]
    assert statuses.count(401) <= 7, "five, and one for each second that the crowd took"
    assert set(statuses) == {401, 429}


def test_a_right_password_makes_earlier_wrong_ones_forgotten(guarded: Server) -> None:
    for _ in range(3):
        for _ in range(3):
            failure_of(guarded.post(LOGIN, {**BODY, "password": "wrong"}), 401)
        data_of(guarded.post(LOGIN, BODY))


def test_pauses_double_up_to_a_quarter_of_an_hour(guarded: Server) -> None:
    attempts = guarded.stores.database.collection("login_attempts")
    pauses = []
    for count in (5, 6, 7, 20, 10_000):
        attempts.delete_many({})
        guarded.stores.login_attempts.begin("key")
        attempts.update_one({"_id": "key"}, {"$set": {"count": count}})
        pauses.append(round(guarded.stores.login_attempts.begin("key")))

    assert pauses == [1, 2, 4, 900, 900]


def test_two_servers_on_one_folder_know_each_others_logins(serve: Serve, browser: requests.Session) -> None:
    first, second = serve(RESEARCH_LOGIN=True), serve(RESEARCH_LOGIN=True)
    first.stores.researchers.add("anna", passwords.hash_of(PASSWORD))

    data_of(browser.post(first.url + LOGIN, json=BODY))

    assert data_of(browser.get(second.url + ME))["login"] == "anna"
    key_file = Path(first.config.DATA_DIR) / "secret_key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_a_cookie_signed_with_another_key_is_worthless(serve: Serve, browser: requests.Session) -> None:
    first, second = serve(RESEARCH_LOGIN=True, SECRET_KEY="a" * 32), serve(RESEARCH_LOGIN=True, SECRET_KEY="b" * 32)
    first.stores.researchers.add("anna", passwords.hash_of(PASSWORD))

    data_of(browser.post(first.url + LOGIN, json=BODY))

    failure_of(browser.get(second.url + ME), 401)
    assert not (Path(first.config.DATA_DIR) / "secret_key").exists()


def test_the_legacy_calls_need_no_login(guarded: Server) -> None:
    assert guarded.post("/paint/start", {"username": "P"}).json()["success"]
    assert data_of(guarded.get("/api/operations"))


def test_without_logins_whoever_sits_at_the_machine_is_let_in(server: Server) -> None:
    assert data_of(server.get(ME)) == {"login": "local", "needs_login": False}
    assert data_of(server.get(ME, headers={"Origin": "http://localhost:3000"}))


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "elsewhere.example"},
    ],
    ids=str,
)
def test_without_logins_nobody_else_is(server: Server, headers: dict[str, str]) -> None:
    assert "RESEARCH_LOGIN=true" in failure_of(server.get(ME, headers=headers), 403)


def test_a_browser_may_ask_what_it_would_be_allowed(guarded: Server) -> None:
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}

    answer = guarded.call("OPTIONS", ME, headers=headers)

    assert answer.status_code == 200
    assert "Access-Control-Allow-Credentials" not in answer.headers
