"""Reading one session: its records, its events in order, its times, its tree."""

import json
from collections.abc import Iterable
from typing import Any

from apps.errors import InvalidInputError, UnknownRecordError
from apps.research.chronicle import SessionRecords, chronicle
from apps.research.entries import Entry
from apps.research.session_queries import ChronicleQuery, TreeQuery
from apps.research.session_schemas import ChroniclePage, EntryInfo, Node, Timeline, Tree
from apps.research.timeline import stays, waits
from jobs.veil import shown_at
from store.clock import AHEAD, BEGINNING, utc_now
from store.documents import GenerationRecord, Output
from store.sessions import Session
from store.stores import Stores

TEXT_LENGTH = 160


def found(stores: Stores, session_id: str) -> Session:
    """Look a session up. Raises UnknownRecordError: there is none of this id."""
    session = stores.sessions.get(session_id)
    if session is None:
        raise UnknownRecordError(f"there is no session {session_id[:40]!r}")
    return session


def records_of(stores: Stores, session: Session) -> SessionRecords:
    """Read everything that belongs to a session. Raises StoreError.

    What came before there were sessions, or by a call that names a participant only, belongs to the participant's.
    """
    owner, window = session.participant_id, (BEGINNING, utc_now() + AHEAD)
    return SessionRecords(
        events=stores.events.of_session(session.id),
        generations=stores.generations.of_session(owner, session.id),
        saves=stores.saved_states.summaries(owner, *window),
        uploads=stores.uploads.of_participant(owner, *window),
        time_records=stores.time_records.of_participant(owner, *window),
    )


def chronicle_page(stores: Stores, session: Session, query: ChronicleQuery) -> ChroniclePage:
    """Give a part of everything that happened, the earliest first: by default the last of it."""
    entries = list(chronicle(records_of(stores, session), utc_now()))
    first, last = 0, len(entries)
    if query.after is not None:
        first, last = query.after, min(query.after + query.limit, last)
    elif query.before is not None:
        last = min(query.before - 1, last)
    if query.after is None:
        first = max(last - query.limit, 0)
    told = [_told(first + number, entry) for number, entry in enumerate(entries[first:last], start=1)]
    return ChroniclePage(entries=told, total=len(entries))


def timeline_of(stores: Stores, session: Session) -> Timeline:
    """Tell who spent how long in which stage, and when something was waited for."""
    records = records_of(stores, session)
    spans = stays(chronicle(records), session.ended_at)
    return Timeline.model_validate(
        {
            "stages": [{"stage": one.stage, "from": one.start, "to": one.end} for one in spans],
            "waits": [
                {
                    "generation_id": one.generation_id,
                    "from": one.start,
                    "to": one.end,
                    "shown_at": one.shown_at,
                    "state": one.state,
                }
                for one in waits(records.generations)
            ],
        }
    )


def tree_of(stores: Stores, session: Session, query: TreeQuery) -> Tree:
    """Tell which generation came of which, the newest first.

    Raises:
        InvalidInputError: `before` is no generation of this session.
    """
    made = list(reversed(stores.generations.of_session(session.participant_id, session.id)))
    start = 0
    if query.before is not None:
        places = [place for place, one in enumerate(made) if one.id == query.before]
        if not places:
            raise InvalidInputError("before: no generation of this session has this id")
        start = places[0] + 1
    page = made[start : start + query.limit]
    follows = start + query.limit < len(made)
    return Tree(nodes=[_node(one) for one in page], next=page[-1].id if follows else None)


def _told(seq: int, entry: Entry) -> EntryInfo:
    return EntryInfo(
        seq=seq,
        at=entry.at,
        client_at_ms=entry.client_at_ms,
        received_at=entry.received_at,
        actor=entry.actor,
        verb=entry.verb,
        object=entry.object,
        inputs=list(entry.inputs),
        outputs=list(entry.outputs),
        generation_id=entry.generation_id,
        data=entry.data,
    )


def _node(record: GenerationRecord) -> Node:
    seen_at = shown_at(record)
    outputs = sorted(record.outputs, key=lambda output: output.index)
    return Node(
        id=record.id,
        operation=record.operation,
        representation=record.operation.partition(".")[0],
        state=record.state,
        created_at=record.created_at,
        parents=list(record.parents),
        inputs=list(record.inputs.image_ids),
        thumbs=[output.image_id for output in outputs if output.image_id],
        texts=[text for text in map(_short, outputs) if text],
        shown_s=None if seen_at is None else round((seen_at - record.created_at).total_seconds(), 3),
    )


def _short(output: Output) -> str:
    """Give the beginning of what a text says, without the names of its parts."""
    if not output.text:
        return ""
    try:
        said = " · ".join(_strings(json.loads(output.text)))
    except ValueError:
        said = output.text
    return said if len(said) <= TEXT_LENGTH else f"{said[: TEXT_LENGTH - 1]}…"


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)
