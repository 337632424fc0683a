"""GET /api/generations: one, many, and page by page."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from store.ids import new_id
from tests.api.answers import data_of, failure_of
from tests.api.front_end import body
from tests.api.server import Server
from tests.api.submitting import made, submitted

pytestmark = pytest.mark.api


def _listed(server: Server, **query: Any) -> list[str]:
    return [job["id"] for job in data_of(server.get("/api/generations", params=query))["generations"]]


@pytest.fixture(scope="module")
def somebody(server: Server) -> tuple[str, list[dict[str, Any]]]:
    """Make a few generations of one participant, and one of another."""
    username = new_id()
    operations = ["brief.create_new", "sketch.create_new", "brief.create_new", "sketch.create_new", "brief.reference"]
    jobs = [made(server, operation, username=username) for operation in operations]
    made(server, username=new_id())
    return username, jobs


def test_generations_are_listed_newest_first_with_all_but_the_details_of_steps(
    server: Server, somebody: tuple[str, list[dict[str, Any]]]
) -> None:
    username, jobs = somebody

    page = data_of(server.get("/api/generations", params={"username": username}))

    for job in jobs:
        for step in job["steps"]:
            step["details"] = {}
    assert page == {"generations": jobs[::-1], "next": None}


def test_a_list_can_be_had_page_by_page(server: Server, somebody: tuple[str, list[dict[str, Any]]]) -> None:
    username, jobs = somebody
    seen, cursor, pages = list[str](), "", 0
    while cursor is not None:
        query = {"username": username, "limit": 2, "cursor": cursor}
        page = data_of(server.get("/api/generations", params=query))
        seen += [job["id"] for job in page["generations"]]
        cursor, pages = page["next"], pages + 1

    assert (seen, pages) == ([job["id"] for job in jobs[::-1]], 3)


def test_a_list_can_be_narrowed(server: Server, somebody: tuple[str, list[dict[str, Any]]]) -> None:
    username, jobs = somebody
    sketches = [job["id"] for job in jobs[::-1] if job["operation"] == "sketch.create_new"]

    assert _listed(server, username=username, operation="sketch.create_new") == sketches
    assert _listed(server, username=username, state="succeeded", operation="") == [job["id"] for job in jobs[::-1]]
    assert _listed(server, username=username, state="failed") == []
    assert _listed(server, username=new_id()) == []


def test_a_moment_may_be_given_in_several_forms(server: Server, somebody: tuple[str, list[dict[str, Any]]]) -> None:
    username, jobs = somebody
    since = datetime.fromisoformat(jobs[3]["created_at"])
    forms = [
        jobs[3]["created_at"],
        since.astimezone(timezone(timedelta(hours=8))).isoformat(),
        since.replace(tzinfo=None).isoformat(),
        str(round(since.timestamp() * 1000)),
    ]

    for form in forms:
        assert _listed(server, username=username, since=form) == [jobs[4]["id"], jobs[3]["id"]]
    # A plus that was not escaped arrives as a blank.
    assert _listed_raw(server, f"username={username}&since={forms[1]}") == [jobs[4]["id"], jobs[3]["id"]]


def _listed_raw(server: Server, query: str) -> list[str]:
    return [job["id"] for job in data_of(server.get(f"/api/generations?{query}"))["generations"]]


def test_the_front_ends_generations_are_in_the_list(server: Server) -> None:
    username = new_id()
    made_by = server.post("/generate", body("brief.create_new", username=username)).headers["X-Generation-ID"]

    assert _listed(server, username=username) == [made_by]


def test_a_job_that_runs_is_in_the_list(server: Server) -> None:
    username = new_id()
    job = submitted(server, username=username)

    assert _listed(server, username=username) == [job["id"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "done"}, "state"),
        ({"operation": "sketch"}, "operation"),
        ({"since": "yesterday"}, "since"),
        ({"since": "9" * 16}, "since"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "since"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "nowhere"}, "cursor"),
        ({"cursor": "x" * 200}, "cursor"),
        ({"username": "x" * 257}, "username"),
        ({"user": "P07"}, "user"),
    ],
)
def test_a_wrong_value_is_refused_by_name(server: Server, query: dict[str, str], field: str) -> None:
    assert field in failure_of(server.get("/api/generations", params=query), 422)


def test_an_unknown_generation_is_not_found(server: Server) -> None:
    for path in (new_id(), "x", "a" * 500, "%00", "..%2f"):
        failure_of(server.get(f"/api/generations/{path}"), 404)
