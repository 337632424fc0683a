"""What a server recorded of generations, and what goes on in it while they run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import requests

from store.documents import GenerationRecord, StepRecord
from tests.api.server import Server

T = TypeVar("T")


def record_of(server: Server, answer: requests.Response) -> GenerationRecord:
    """Read the record that a successful answer names."""
    record = server.stores.generations.get(answer.headers["X-Generation-ID"])
    assert record is not None
    return record


def records_of(server: Server, username: str) -> tuple[GenerationRecord, ...]:
    """Read all records of a participant, newest first."""
    participant, now = server.stores.participants.find(username), datetime.now(UTC)
    if participant is None:
        return ()
    return server.stores.generations.of_participant(
        participant.id, now - timedelta(minutes=5), now + timedelta(minutes=5)
    )


def steps_of(record: GenerationRecord, kind: str) -> list[StepRecord]:
    """Pick the steps of one kind."""
    return [step for step in record.steps if step.kind == kind]


def until(condition: Callable[[], T], timeout_s: float = 10) -> T:
    """Ask until the answer is true, and return it."""
    end = time.monotonic() + timeout_s
    while not (answer := condition()):
        assert time.monotonic() < end, f"it did not come about in {timeout_s:g} s"
    return answer


@contextmanager
def at_the_same_time(calls: Sequence[Callable[[], T]]) -> Iterator[list[T]]:
    """Start the calls in threads; at the end of the block wait for them, and fill the list in the calls' order."""
    answers: list[Any] = [None] * len(calls)

    def run(index: int) -> None:
        answers[index] = calls[index]()

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    yield answers
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
