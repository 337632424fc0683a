"""How a session went: who spent how long in which stage, and when something was waited for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.research.entries import Entry
from jobs.veil import shown_at
from store.documents import GenerationRecord


@dataclass(frozen=True)
class Span:
    """A stay in one stage; `end` is None while it lasts."""

    stage: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class Wait:
    """The time from asking for a generation until it ended, and until its end was shown; None: not yet."""

    generation_id: str
    start: datetime
    end: datetime | None
    shown_at: datetime | None
    state: str


def stays(entries: Iterable[Entry], ended_at: datetime | None) -> list[Span]:
    """Tell the stages of a session one after another.

    By its events where the page told any, else by the visits that its time reports hold. While no page is open nobody
    is in any stage; the last stay ends with the session, at `ended_at`.
    """
    all_entries = list(entries)
    switched = any(entry.verb == "stage.switch" for entry in all_entries)
    found = list(_by_switches(all_entries)) if switched else list(_by_visits(all_entries))
    return [_within(span, ended_at) for span in found if span.end is None or span.end > span.start]


def waits(records: Iterable[GenerationRecord]) -> list[Wait]:
    """Tell when each generation was waited for, in the order of asking."""
    found = (Wait(one.id, one.created_at, one.ended_at, shown_at(one), one.state) for one in records)
    return sorted(found, key=lambda wait: (wait.start, wait.generation_id))


def _by_switches(entries: Iterable[Entry]) -> Iterator[Span]:
    stage, since = "", None
    for entry in entries:
        if entry.verb == "page.open" and since is None:
            since = entry.at
        elif entry.verb == "page.close" and since is not None:
            if stage:
                yield Span(stage, since, entry.at)
            since = None
        elif entry.verb == "stage.switch":
            # The stage in which a page opens is told by the first switch that leaves it.
            left = stage or _left_by(entry)
            if left and since is not None:
                yield Span(left, since, entry.at)
            stage, since = entry.object, entry.at
    if stage and since is not None:
        yield Span(stage, since, None)


def _left_by(entry: Entry) -> str:
    data = entry.data if isinstance(entry.data, dict) else {}
    return str(data.get("from") or "")


def _by_visits(entries: Iterable[Entry]) -> Iterator[Span]:
    for entry in entries:
        if entry.verb == "stage.visit":
            duration_ms = entry.data["duration_ms"]
            yield Span(entry.object, entry.at, _after(entry.at, duration_ms))


def _after(start: datetime, duration_ms: int | None) -> datetime | None:
    try:
        return None if duration_ms is None else start + timedelta(milliseconds=duration_ms)
    except OverflowError:
        return None


def _within(span: Span, ended_at: datetime | None) -> Span:
    if ended_at is None or (span.end is not None and span.end <= ended_at):
        return span
    return Span(span.stage, span.start, max(span.start, ended_at))
