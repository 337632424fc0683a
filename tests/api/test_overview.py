"""A study in numbers: right, cached, and renewed behind whoever looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.answers import data_of, failure_of
from tests.api.records import until
from tests.api.server import Server
from tests.api.submitting import made

pytestmark = pytest.mark.api

Serve = Callable[..., Server]
PATH = "/api/studies/default/overview"


def _default(server: Server) -> dict[str, Any]:
    [condition] = data_of(server.get(PATH))["conditions"]
    found: dict[str, Any] = condition
    return found


def test_a_study_is_summed_up_by_condition_and_renewed(serve: Serve) -> None:
    server = serve()
    made(server, username="anna", num=2)
    made(server, "brief.create_new", username="anna")
    first = _default(server)

    assert (first["sessions"], first["generations"]) == (1, 2)
    assert first["operations"] == {"brief.create_new": 1, "sketch.create_new": 1}
    assert first["waiting_s"]["n"] == 2 == sum(count for _, count in first["waiting_s"]["histogram"])
    assert first["waiting_s"]["p50"] <= first["waiting_s"]["p95"]

    made(server, username="ben")
    later = until(lambda: (found := _default(server))["generations"] == 3 and found)
    assert later and (later["sessions"], later["operations"]["sketch.create_new"]) == (2, 2)


def test_another_process_answers_from_what_is_kept(serve: Serve) -> None:
    made(first := serve(), username="anna")
    told = data_of(first.get(PATH))
    kept = first.stores.summaries.get("default")
    assert kept is not None
    assert data_of(serve().get(PATH))["conditions"] == told["conditions"]


def test_who_is_erased_is_in_no_sum(serve: Serve) -> None:
    server = serve()
    made(server, username="anna")
    assert _default(server)["sessions"] == 1
    anna = server.stores.participants.id_of("anna")
    path = f"/api/research/participants/{anna}/erase"
    assert data_of(server.post(path, {"confirm": anna}))["left"] == {}
    assert until(lambda: _default(server)["sessions"] == 0)
    assert server.stores.summaries.get(anna) is None


def test_of_an_unknown_study_there_is_none(server: Server) -> None:
    failure_of(server.get("/api/studies/x/overview"), 404)
