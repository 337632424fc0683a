"""What programs do with /api/generations: submit, look, and read a stream of events as a browser does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from tests.api.answers import data_of
from tests.api.front_end import TASK
from tests.api.records import until
from tests.api.server import TIMEOUT_S, Server

ENDED = ("succeeded", "failed", "canceled")


def wanted(operation: str = "sketch.create_new", **more: Any) -> dict[str, Any]:
    """Make the body of a submission."""
    return {"operation": operation, "task": TASK, **more}


def submitted(server: Server, operation: str = "sketch.create_new", **more: Any) -> dict[str, Any]:
    """Submit and return the job."""
    answer = server.post("/api/generations", wanted(operation, **more))
    assert answer.status_code == 202, answer.text
    return job_in(answer)


def made(server: Server, operation: str = "sketch.create_new", **more: Any) -> dict[str, Any]:
    """Submit, wait for the end, and return the job."""
    answer = server.post("/api/generations", wanted(operation, **more), headers={"Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text
    return job_in(answer)


def job_in(answer: requests.Response) -> dict[str, Any]:
    """Check the envelope of a job and return it."""
    envelope = answer.json()
    assert (envelope["success"], envelope["code"], envelope["message"]) == (True, 0, "")
    job: dict[str, Any] = envelope["data"]
    return job


def job_of(server: Server, generation_id: str) -> dict[str, Any]:
    """Look at a job."""
    job: dict[str, Any] = data_of(server.get(f"/api/generations/{generation_id}"))
    return job


def ended(server: Server, generation_id: str) -> dict[str, Any]:
    """Look at a job until it has ended."""

    def look() -> dict[str, Any] | None:
        job = job_of(server, generation_id)
        return job if job["state"] in ENDED else None

    return until(look) or {}


@dataclass(frozen=True)
class Event:
    """One event of a stream; `id` is None where it has none."""

    name: str
    id: int | None
    data: dict[str, Any]


class EventStream:
    """An open stream of events."""

    def __init__(self, answer: requests.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines(chunk_size=1, decode_unicode=True)
        self.comments = 0
        self.retry_ms: int | None = None

    def __iter__(self) -> Iterator[Event]:
        """Read the events as they come, by the rules of the HTML standard that are used here."""
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(":")
            if line.startswith(":"):
                self.comments += 1
            elif name == "retry":
                self.retry_ms = int(value)
            elif line:
                fields[name] = value.removeprefix(" ")
            elif "data" in fields:
                number = int(fields["id"]) if "id" in fields else None
                yield Event(fields["event"], number, json.loads(fields["data"]))
                fields = {}

    def kept(self) -> list[Event]:
        """Read to the end, and leave out what has no id."""
        return [event for event in self if event.id is not None]


@contextmanager
def watching(server: Server, generation_id: str, after: int | None = None) -> Iterator[EventStream]:
    """Open the stream of a job's events."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    url = f"{server.url}/api/generations/{generation_id}/events"
    with requests.Session() as session:
        session.trust_env = False
        with session.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
            assert answer.status_code == 200, answer.text
            answer.encoding = "utf-8"
            yield EventStream(answer)
