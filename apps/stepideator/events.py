"""A job's events, in the form of Server-Sent Events.

Each entry of the record's log is one event, with its revision as `id`; so a client that comes back with
`Last-Event-ID` gets exactly what it has not seen. Progress is told without an id: it is not kept, and nobody needs to
see it twice.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic_core import to_jsonable_python

from apps.pictures import Links
from apps.stepideator.job_views import output_of, state_of, step_of
from jobs.viewing import JobView
from store.clock import utc_now
from store.documents import ENDED, GenerationRecord, LogEntry
from store.errors import StoreError

logger = logging.getLogger(__name__)

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
MEDIA_TYPE = "text/event-stream"
RETRY_MS = 2000
SILENCE = ": still here\n\n"


def stream(views: Iterable[JobView | None], links: Links, after: int) -> Iterator[str]:
    """Write what happened after a revision, and what happens next; ends with the event of the job's end.

    A database that goes away ends the stream; the client comes back by itself.
    """
    # Something must be sent at once, or the server would hold the headers back until the first event.
    yield f"retry: {RETRY_MS}\n\n"
    try:
        yield from _events(views, links, after)
    except StoreError as exc:
        logger.warning("events end before the job does: %s", exc)


def has_ended(record: GenerationRecord) -> bool:
    """Whether nothing will happen to a generation any more."""
    return record.state in ENDED


def _events(views: Iterable[JobView | None], links: Links, after: int) -> Iterator[str]:
    seen: tuple[Any, ...] = ()
    for view in views:
        if view is None:
            yield SILENCE
            continue
        fresh = [entry for entry in view.record.log if entry.seq > after]
        for entry in fresh:
            after = entry.seq
            yield _event(entry.type, _happened(entry, view, links), event_id=entry.seq)
        if has_ended(view.record):
            return
        now = (view.progress, view.place, view.eta_s)
        if not fresh and now != seen:
            yield _event("progress", {"type": "progress", "at": utc_now(), "job": state_of(view, links)})
        seen = now


def _happened(entry: LogEntry, view: JobView, links: Links) -> Mapping[str, Any]:
    record = view.record
    told: dict[str, Any] = {"type": entry.type, "at": entry.at}
    if entry.type == "state":
        told["state"] = entry.state
    if entry.type == "step":
        told["step"] = next((step_of(s, record, with_details=False) for s in record.steps if s.id == entry.step), None)
    if entry.type == "output" and entry.output is not None:
        told["output"] = output_of(record.outputs[entry.output], links)
    return {**told, "job": state_of(view, links, until=entry.seq)}


def _event(name: str, data: Mapping[str, Any], *, event_id: int | None = None) -> str:
    # JSON on one line: a line break would end the field.
    text = json.dumps(to_jsonable_python(data), ensure_ascii=False)
    number = "" if event_id is None else f"id: {event_id}\n"
    return f"{number}event: {name}\ndata: {text}\n\n"
