"""The bench's own HTTP client reads whole, chunked and streamed answers, and knows a failed job from a good one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from bench.api import Api, Done, Job
from bench.client import Connection, Event, WrongAnswerError
from bench.load import all_good, closed, mixed

pytestmark = pytest.mark.unit

Result = TypeVar("Result")
ID = "01KAVJ5Q4M8X0T3N6R9W2Z7CDE"


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


HEAD = "HTTP/1.1 200 OK\r\n"
WHOLE = f'{HEAD}Content-Length: 8\r\n\r\n{{"a": 1}}'
CHUNKED = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n"


async def answered_twice(answer: str) -> list[Any]:
    """Call a server twice on one connection; it has that answer, and knows no second connection."""
    connections, is_left = 0, asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer.encode())
        writer.close()
        await writer.wait_closed()
        is_left.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        connection = Connection(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        values = [(await connection.call("GET", "/")).json() for _ in range(2)]
        connection.close()
        await is_left.wait()
    assert connections == 1
    return values


@pytest.mark.parametrize(("answer", "value"), [(WHOLE, {"a": 1}), (CHUNKED, [1, 2])], ids=["whole", "chunked"])
def test_a_connection_is_used_again_after_an_answer(answer: str, value: Any) -> None:
    assert run(answered_twice(answer)) == [value, value]


async def followed(server: HTTPServer) -> list[Event]:
    async with Connection(server.url_for("")).events("/events") as events:
        return [event async for event in events]


def test_events_are_read_whatever_the_pieces_they_come_in(httpserver: HTTPServer) -> None:
    pieces = [b"retry: 9\n\n: hello\n\nid: 1\nev", b'ent: state\ndata: {"a"', b": 1}\n\nevent: progress\ndata: 2\n\n"]
    httpserver.expect_request("/events").respond_with_response(Response(pieces, mimetype="text/event-stream"))

    assert run(followed(httpserver)) == [Event("state", {"a": 1}), Event("progress", 2)]


def serve_job(server: HTTPServer, state: str) -> None:
    def events(_request: Request) -> Response:
        return Response(f'event: state\ndata: {{"job": {{"state": "{state}"}}}}\n\n', mimetype="text/event-stream")

    server.expect_request("/api/generations", method="POST").respond_with_json({"data": {"id": ID}}, status=202)
    server.expect_request(f"/api/generations/{ID}/events").respond_with_handler(events)
    job = {"data": {"state": state, "error": {"message": "no luck"}}}
    server.expect_request(f"/api/generations/{ID}").respond_with_json(job)


@pytest.mark.parametrize(("state", "is_good", "message"), [("succeeded", True, ""), ("failed", False, "no luck")])
def test_a_job_is_followed_to_its_end(httpserver: HTTPServer, state: str, is_good: bool, message: str) -> None:
    serve_job(httpserver, state)

    done = run(Api(httpserver.url_for("")).run(Job(1)))

    assert (done.is_good, done.message) == (is_good, message)
    assert done.ended >= done.submitted


def test_a_full_queue_is_asked_again_when_it_says(httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request("/api/generations").respond_with_data(status=429, headers={"Retry-After": "0"})
    httpserver.expect_ordered_request("/api/generations").respond_with_json({"data": {"id": ID}}, status=202)

    assert run(Api(httpserver.url_for("")).submit(Job(1))) == ID


def test_one_failed_job_ends_a_measurement_that_must_lose_none() -> None:
    with pytest.raises(WrongAnswerError, match="1 of 2 jobs failed, the first: no luck"):
        all_good([Done(Job(1), 0, 1, True), Done(Job(2), 0, 1, False, "no luck")])


def test_a_closed_loop_works_every_job_once_with_so_many_clients_at_a_time() -> None:
    present: list[int] = []
    most: list[int] = []

    async def work(job: Job) -> int:
        present.append(job.number)
        most.append(len(present))
        await asyncio.sleep(0)
        present.remove(job.number)
        return job.number

    jobs = mixed(["a", "b", "c"], 30, first_number=5)

    assert sorted(run(closed(work, jobs, clients=4))) == list(range(5, 35))
    assert max(most) == 4
    assert [sum(job.operation == name for job in jobs) for name in "abc"] == [10, 10, 10]
