"""What the page reports of time: who was in which stage from when for how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from store.clock import to_milliseconds, utc_now
from store.connection import Database
from store.ids import new_id
from store.repeat import idempotent, insert_once
from store.schema import SCHEMA_VERSIONS, TIME_RECORDS, Document


@dataclass(frozen=True)
class Visit:
    """One stay in a stage by the client's clock, in ms; `extra_json` holds further keys as JSON text."""

    start_time_ms: int
    duration_ms: int | None = None
    extra_json: str = ""


@dataclass(frozen=True)
class StageVisits:
    """The visits of one stage, in the client's order."""

    stage: str
    visits: tuple[Visit, ...] = ()


@dataclass(frozen=True)
class TimeRecord:
    """One report. Each report of a page load holds all since that load and so replaces the one before.

    `page_loaded_at_ms` is by the client's clock, None if it is not known.
    """

    participant_id: str
    page_loaded_at_ms: int | None
    stage_switches: tuple[StageVisits, ...]
    ai_stage_switches: tuple[StageVisits, ...]
    received_at: datetime = field(default_factory=utc_now)
    id: str = field(default_factory=new_id)


class TimeRecords:
    """The time reports of a database; every one is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @idempotent
    def add(self, record: TimeRecord) -> str:
        """Keep a report and give its id. Raises DocumentInvalidError for integers over 64 bits."""
        document = {
            "_id": record.id,
            "schema_version": SCHEMA_VERSIONS[TIME_RECORDS],
            "participant_id": record.participant_id,
            "page_loaded_at_ms": record.page_loaded_at_ms,
            "stage_switches": [_stage_to_document(item) for item in record.stage_switches],
            "ai_stage_switches": [_stage_to_document(item) for item in record.ai_stage_switches],
            "received_at": to_milliseconds(record.received_at),
        }
        insert_once(self._database.collection(TIME_RECORDS), document)
        return record.id

    @idempotent
    def of_participant(self, participant_id: str, since: datetime, until: datetime) -> tuple[TimeRecord, ...]:
        """List all reports received in `since <= received_at < until`, oldest first."""
        window = {"participant_id": participant_id, "received_at": {"$gte": since, "$lt": until}}
        found = [_record(document) for document in self._database.collection(TIME_RECORDS).find(window)]
        return tuple(sorted(found, key=lambda record: (record.received_at, record.id)))

    def latest_per_page_load(self, participant_id: str, since: datetime, until: datetime) -> tuple[TimeRecord, ...]:
        """List the last report of each page load in the window, oldest first: together, the whole truth."""
        # They come in the order of arrival, so a later report of the same page load takes the place of an earlier.
        latest: dict[int | None, TimeRecord] = {}
        for record in self.of_participant(participant_id, since, until):
            latest[record.page_loaded_at_ms] = record
        return tuple(sorted(latest.values(), key=lambda record: (record.received_at, record.id)))


def _stage_to_document(stage: StageVisits) -> Document:
    visits = [
        {
            "start_time_ms": visit.start_time_ms,
            "duration_ms": visit.duration_ms,
            "extra_json": visit.extra_json,
        }
        for visit in stage.visits
    ]
    return {"stage": stage.stage, "visits": visits}


def _stage(document: Document) -> StageVisits:
    return StageVisits(document["stage"], tuple(Visit(**visit) for visit in document["visits"]))


def _record(document: Document) -> TimeRecord:
    return TimeRecord(
        participant_id=document["participant_id"],
        page_loaded_at_ms=document["page_loaded_at_ms"],
        stage_switches=tuple(_stage(item) for item in document["stage_switches"]),
        ai_stage_switches=tuple(_stage(item) for item in document["ai_stage_switches"]),
        received_at=document["received_at"],
        id=document["_id"],
    )
