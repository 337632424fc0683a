"""Every question of the hot paths begins an index, so that a real MongoDB reads no more than it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from pymongo import monitoring

from store.clock import utc_now
from store.indexes import INDEXES
from store.stores import Stores
from tests.stores import opened_stores

NOW = utc_now()
WINDOW = (NOW - timedelta(days=1), NOW)
RANGES = {"$gt", "$gte", "$lt", "$lte"}

Call = Callable[[Stores], object]
CALLS: dict[str, Call] = {
    "history of a participant": lambda s: s.generations.page(participant_id="p", operation="x", state="failed"),
    "history of all": lambda s: s.generations.page(since=WINDOW[0], until=NOW),
    "generations of a participant": lambda s: s.generations.of_participant("p", *WINDOW),
    "parents": lambda s: s.generations.parents_of("p", ["a"], ["b"]),
    "changes": lambda s: s.generations.changed_since(NOW),
    "what waits": lambda s: s.generations.unclaimed(0, 5),
    "glances": lambda s: s.glances.of_participants(["p", "q"]),
    "changes at a glance": lambda s: s.glances.changed_since(NOW),
    "states of a study": lambda s: s.glances.states_in("s", NOW),
    "session of a participant": lambda s: s.sessions.of_participant("p"),
    "sessions of a study": lambda s: s.sessions.of_study("s"),
    "changed sessions": lambda s: s.sessions.changed_since("s", NOW),
    "events of a session": lambda s: s.events.of_session("s"),
    "saves": lambda s: s.saved_states.summaries("p", *WINDOW),
    "times": lambda s: s.time_records.of_participant("p", *WINDOW),
    "uploads": lambda s: s.uploads.of_participant("p", *WINDOW),
    "name of a participant": lambda s: s.participants.by_id("p"),
    "join link": lambda s: s.studies.by_join_key("k"),
    "sums of a study": lambda s: s.summaries.of_study("s"),
    "sum": lambda s: s.summaries.get("s"),
    "replays of a session": lambda s: s.replays.of_session("s"),
    "replays of a participant": lambda s: s.replays.ids_of("p"),
    "items of a replay": lambda s: s.replays.items("r"),
    "exports of a study": lambda s: s.exports.of_study("s"),
    "thumbnail": lambda s: s.thumbnails.get("a", 64),
}


class _Questions(monitoring.CommandListener):
    """Keeps what is asked while it listens."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, dict[str, Any]]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Keep a question."""
        if event.command_name == "find":
            self.kept.append((event.command["find"], dict(event.command["filter"])))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def asked(mongo_uri: str) -> Iterator[Callable[[Call], list[tuple[str, dict[str, Any]]]]]:
    """Give a function that makes a call and gives the questions that MongoDB was asked."""
    questions = _Questions()
    listeners = monitoring._LISTENERS.command_listeners
    monitoring.register(questions)
    try:
        with opened_stores(mongo_uri, "test_queries") as stores:
            stores.generations.get("warm")

            def ask(call: Call) -> list[tuple[str, dict[str, Any]]]:
                questions.kept.clear()
                call(stores)
                return list(questions.kept)

            yield ask
    finally:
        listeners.remove(questions)


@pytest.mark.parametrize("name", CALLS)
def test_a_question_begins_an_index(asked: Callable[[Call], list[tuple[str, dict[str, Any]]]], name: str) -> None:
    found = asked(CALLS[name])

    assert found
    for collection, query in found:
        assert _is_served(collection, query), (collection, query)


def _is_served(collection: str, query: dict[str, Any]) -> bool:
    if "_id" in query:
        return True
    return any(_begins(index.keys, query) for index in INDEXES if index.collection == collection)


def _begins(keys: tuple[str, ...], query: dict[str, Any]) -> bool:
    """Say whether a query names the first keys of an index, with a range on the last of them at most."""
    first = keys[: len(query)]
    is_range = [isinstance(query.get(key), dict) and bool(RANGES & query[key].keys()) for key in first]
    return set(first) == set(query) and not any(is_range[:-1])
