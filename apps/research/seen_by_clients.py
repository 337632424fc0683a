"""What the participant's page saw, put on the server's clock.

A page tells its events in batches, after a while, or a day later if it was without a network. What orders them is the
page's own clock; how far that is from ours is known from the event that was told fastest: it cannot have happened after
we heard of it. So each event is placed at the client's time plus the smallest difference of its page load, never after
we heard of it, and never before an event that the page numbered lower.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from apps.research.entries import EVENT, VISIT, Entry, Place, Placed, milliseconds_of, moment_of
from store.events import Event
from store.time_records import TimeRecord


def told_events(events: Iterable[Event]) -> list[Placed]:
    """Tell the events of a session."""
    pages: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        pages[event.page_id].append(event)
    return sorted((placed for page in pages.values() for placed in _of_page(page)), key=lambda one: one[0])


def told_visits(reports: Iterable[TimeRecord]) -> list[Placed]:
    """Tell each stay in a stage that a page reported at its end; only the last report of a page load counts."""
    latest: dict[int | None, TimeRecord] = {}
    for report in sorted(reports, key=lambda one: (one.received_at, one.id)):
        latest[report.page_loaded_at_ms] = report
    return sorted((placed for report in latest.values() for placed in _of_report(report)), key=lambda one: one[0])


def _of_page(events: list[Event]) -> Iterator[Placed]:
    ordered = sorted(events, key=lambda one: (one.client_seq is None, one.client_seq or 0, one.at, one.place, one.id))
    known = [one for one in ordered if one.client_at_ms is not None]
    lag_ms = min((milliseconds_of(one.at) - (one.client_at_ms or 0) for one in known), default=0)
    last: datetime | None = None
    for number, event in enumerate(ordered):
        at = event.at
        if event.client_at_ms is not None:
            at = min(moment_of(event.client_at_ms + lag_ms) or event.at, event.at)
            at = last = max(at, last) if last is not None else at
        yield Place(at, EVENT, event.page_id, number), _entry(event, at)


def _entry(event: Event, at: datetime) -> Entry:
    return Entry(
        at=at,
        actor=event.actor,
        verb=event.verb,
        object=event.object,
        inputs=tuple(event.inputs),
        outputs=tuple(event.outputs),
        generation_id=event.generation_id,
        client_at_ms=event.client_at_ms,
        received_at=event.at,
        data=_value(event.data),
    )


def _value(text: str) -> Any:
    return json.loads(text) if text else None


def _of_report(report: TimeRecord) -> Iterator[Placed]:
    number = 0
    for kind, stages in (("stage", report.stage_switches), ("ai_stage", report.ai_stage_switches)):
        for stage in stages:
            for visit in stage.visits:
                # The report's clock is the client's own, and nothing tells how far it is from ours.
                at = min(moment_of(visit.start_time_ms) or report.received_at, report.received_at)
                entry = Entry(
                    at=at,
                    actor="participant",
                    verb=f"{kind}.visit",
                    object=stage.stage,
                    client_at_ms=visit.start_time_ms,
                    received_at=report.received_at,
                    data={"duration_ms": visit.duration_ms},
                )
                yield Place(at, VISIT, report.id, number), entry
                number += 1
