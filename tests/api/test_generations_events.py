"""GET /api/generations/<id>/events: each thing that happens is told once, also to a client that comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.api.answers import failure_of
from tests.api.records import until
from tests.api.server import Server
from tests.api.submitting import Event, job_of, made, submitted, watching
from tests.stand_ins import StandIn

pytestmark = pytest.mark.api

Serve = Callable[..., Server]


def _states(events: list[Event]) -> list[str]:
    return [event.data["state"] for event in events if event.name == "state"]


def test_a_stream_tells_the_life_of_a_job_and_ends_with_it(server: Server) -> None:
    job = submitted(server, num=2)

    with watching(server, job["id"]) as stream:
        events = stream.kept()

    assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
    assert stream.answer.headers["Cache-Control"] == "no-store"
    assert stream.answer.headers["X-Accel-Buffering"] == "no"
    assert stream.answer.headers["Access-Control-Allow-Origin"] == "*"
    assert stream.retry_ms == 2000
    assert _states(events) == ["queued", "running", "succeeded"]
    assert [event.id for event in events] == list(range(1, job_of(server, job["id"])["revision"] + 1))
    assert events[-1].data["job"]["state"] == "succeeded"
    assert [event.data["type"] for event in events] == [event.name for event in events]


def test_the_events_of_an_ended_job_are_told_from_its_beginning_as_it_stood_then(server: Server) -> None:
    job = made(server, num=2)

    with watching(server, job["id"]) as stream:
        events = stream.kept()

    assert [event.data["job"]["state"] for event in events][0] == "queued"
    outputs = [len(event.data["job"]["outputs"]) for event in events]
    assert (outputs[0], outputs[-1]) == (0, 2)
    assert all(later - earlier in (0, 1) for earlier, later in pairwise(outputs))
    told = [event.data["output"] for event in events if event.name == "output"]
    assert sorted(told, key=lambda output: output["index"]) == job["outputs"]
    steps = [event.data["step"]["id"] for event in events if event.name == "step"]
    assert steps == [step["id"] for step in job["steps"]]


def test_a_client_that_comes_back_gets_exactly_what_it_has_not_seen(server: Server) -> None:
    job = made(server, num=2)
    with watching(server, job["id"]) as stream:
        whole = stream.kept()

    for seen in range(len(whole)):
        with watching(server, job["id"], after=seen) as stream:
            assert stream.kept() == whole[seen:]


def test_a_client_that_breaks_off_after_each_event_gets_each_exactly_once(server: Server) -> None:
    job, seen = submitted(server, num=3), list[int]()

    while not seen or seen[-1] < (record := job_of(server, job["id"]))["revision"] or record["ended_at"] is None:
        with watching(server, job["id"], after=seen[-1] if seen else None) as stream:
            event = next((event for event in stream if event.id is not None), None)
        if event is not None and event.id is not None:
            seen.append(event.id)

    assert seen == list(range(1, len(seen) + 1))


def test_a_client_that_has_seen_the_end_is_told_not_to_come_back(server: Server) -> None:
    job = made(server)
    path = f"/api/generations/{job['id']}/events"

    by_header = server.get(path, headers={"Last-Event-ID": str(job["revision"])})
    by_query = server.get(path, params={"lastEventId": str(job["revision"])})

    assert [(answer.status_code, answer.content) for answer in (by_header, by_query)] == [(204, b"")] * 2


def test_a_client_that_claims_to_have_seen_the_future_still_sees_the_end(
    serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve()
    for webui in webuis:
        webui.close_gate()
    job = submitted(server)

    with watching(server, job["id"], after=999) as stream:
        for webui in webuis:
            webui.open_gate()
        assert _states(stream.kept())[-1:] == ["succeeded"]


@pytest.mark.parametrize("value", ["soon", "-1", "1.5", "9" * 30])
def test_an_id_that_no_event_has_is_refused(server: Server, value: str) -> None:
    answer = server.get(f"/api/generations/{made(server)['id']}/events", headers={"Last-Event-ID": value})

    assert "Last-Event-ID" in failure_of(answer, 400)


def test_an_unknown_job_has_no_events(server: Server) -> None:
    failure_of(server.get("/api/generations/nobody/events"), 404)


def test_a_stream_begins_at_once_and_tells_the_progress_of_a_picture(
    serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve(SD_ENDPOINTS=webuis[0].url)
    webuis[0].close_gate(at_step=10)
    job = submitted(server)

    with watching(server, job["id"]) as stream:
        told = next(event for event in stream if event.name == "progress" and event.data["job"]["progress"] > 0.2)
        webuis[0].open_gate()
        last = stream.kept()[-1]

    assert (told.id, told.data["job"]["state"]) == (None, "running")
    assert told.data["job"]["progress"] < 1
    assert last.data["job"]["progress"] == 1.0


def test_the_pictures_of_a_job_appear_one_by_one(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve(SD_MAX_BATCH=1)
    webuis[1].close_gate()
    job = submitted(server, num=4)

    with watching(server, job["id"]) as stream:
        told = (event for event in stream if event.name == "output")
        early = [len(next(told).data["job"]["outputs"]) for _ in range(3)]
        looked = job_of(server, job["id"])
        webuis[1].open_gate()
        last = [len(event.data["job"]["outputs"]) for event in told]

    assert (early, last) == ([1, 2, 3], [4])
    assert (looked["state"], len(looked["outputs"])) == ("running", 3)
    assert all(server.get(output["url"]).status_code == 200 for output in looked["outputs"])
    assert 0 < looked["progress"] < 1


def test_two_clients_that_watch_see_the_same(server: Server) -> None:
    job = submitted(server, num=2)

    with watching(server, job["id"]) as one, watching(server, job["id"]) as other:
        seen, other_seen = one.kept(), other.kept()

    assert [_happened(event) for event in seen] == [_happened(event) for event in other_seen]


def _happened(event: Event) -> object:
    # How long it will still take is foreseen anew at each look.
    return event.name, event.id, {key: value for key, value in event.data.items() if key != "job"}


def test_a_client_that_goes_away_gives_its_thread_back(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve(SD_ENDPOINTS=webuis[0].url)
    webuis[0].close_gate()
    job = submitted(server)
    for _ in range(3):
        with watching(server, job["id"]) as stream:
            next(iter(stream))
    assert _busy_threads()

    webuis[0].open_gate()
    until(lambda: not _busy_threads())


def _busy_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "process_request" in thread.name]
