"""The stream of a job's events, from views that are given one by one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from apps.stepideator.events import stream
from jobs.viewing import JobView
from store.clock import utc_now
from store.documents import GenerationInputs, GenerationRecord, LogEntry, Output, State
from store.errors import StoreUnavailableError

pytestmark = pytest.mark.unit

OUTPUTS = (Output(kind="image", image_id="b", index=1), Output(kind="image", image_id="a", index=0))
LOG = (
    LogEntry(seq=1, type="state", at=utc_now(), state="queued"),
    LogEntry(seq=2, type="state", at=utc_now(), state="running"),
    LogEntry(seq=3, type="output", at=utc_now(), output=0),
    LogEntry(seq=4, type="output", at=utc_now(), output=1),
    LogEntry(seq=5, type="state", at=utc_now(), state="succeeded"),
)


def _view(revision: int, progress: float = 0.5) -> JobView:
    log = LOG[:revision]
    states: list[State] = [entry.state for entry in log if entry.type == "state"]  # type: ignore[misc]
    record = GenerationRecord(
        id="J", app_id=1, participant_id="P", operation="sketch.create_new", inputs=GenerationInputs(task="t"),
        state=states[-1], outputs=OUTPUTS[: sum(entry.type == "output" for entry in log)], log=log, revision=revision,
    )  # fmt: skip
    return JobView(record, progress=progress, place=None, eta_s=None)


def _told(views: Iterable[JobView | None], after: int = 0) -> list[tuple[str, str, Any]]:
    """Give (name, id, data) of what a stream tells; comments have neither."""
    first, *blocks = list(stream(views, lambda sha256: f"/{sha256}.png", after))
    assert first == "retry: 2000\n\n"
    told = []
    for block in blocks:
        assert block.endswith("\n\n")
        fields = dict(line.split(": ", 1) for line in block.strip().splitlines())
        told.append((fields.get("event", ""), fields.get("id", ""), json.loads(fields.get("data", "null"))))
    return told


def test_each_entry_of_the_log_is_told_once_however_the_views_come() -> None:
    for revisions in ([1, 2, 3, 4, 5], [5], [1, 1, 3, 3, 5], [2, 4, 5]):
        told = _told([_view(revision) for revision in revisions])
        assert [number for _, number, _ in told if number] == ["1", "2", "3", "4", "5"]


def test_what_was_seen_is_not_told_again() -> None:
    assert [(name, number) for name, number, _ in _told([_view(4), _view(5)], after=3)] == [
        ("output", "4"),
        ("state", "5"),
    ]


def test_an_event_shows_the_job_as_it_stood_then() -> None:
    jobs = [data["job"] for _, _, data in _told([_view(5)])]

    assert [job["state"] for job in jobs] == ["queued", "running", "running", "running", "succeeded"]
    assert [[output["index"] for output in job["outputs"]] for job in jobs] == [[], [], [1], [0, 1], [0, 1]]


def test_progress_is_told_when_it_changes_and_has_no_id() -> None:
    told = _told([_view(2, 0.1), _view(2, 0.1), _view(2, 0.4), _view(2, 0.4), _view(5)])

    progress = [(number, data["job"]["progress"]) for name, number, data in told if name == "progress"]
    assert progress == [("", 0.4)]


def test_silence_is_broken_by_a_comment() -> None:
    assert _told([_view(1), None, _view(5)])[1] == ("", "", None)


def test_nothing_follows_the_end() -> None:
    assert _told([_view(5), None, _view(5)])[-1][:2] == ("state", "5")


def test_a_database_that_goes_away_ends_the_stream_so_that_the_client_comes_back() -> None:
    def views() -> Iterator[JobView]:
        yield _view(2)
        raise StoreUnavailableError("away")

    assert [number for _, number, _ in _told(views())] == ["1", "2"]
