"""What happened in a session, on one clock, as rows of `events`; the chronicle puts it in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from apps.research.chronicle import SessionRecords, chronicle
from apps.research.dataset.rows import Record, Row, as_json, who
from apps.research.seen_by_server import FACTS
from store.documents import GenerationRecord
from store.events import Event
from store.generation_documents import to_record
from store.saved_states import SaveSummary
from store.time_records import StageVisits, TimeRecord, Visit
from store.uploads import Upload


class SessionEntries:
    """Takes the records of one session, of all kinds in any order, and gives them as rows."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._generations: list[GenerationRecord] = []
        self._saves: list[SaveSummary] = []
        self._uploads: list[Upload] = []
        self._reports: list[TimeRecord] = []

    def event(self, event: Record) -> None:
        """Take an event of the page."""
        self._events.append(Event.model_validate({**event, "id": event["_id"]}))

    def generation(self, generation: Record) -> None:
        """Take a generation, without what of its steps is not told here."""
        steps = [{**step, "details": _told(step.get("details", {}))} for step in generation.get("steps", ())]
        self._generations.append(to_record({**generation, "steps": steps, "pins": {}, "overrides": {}}))

    def save(self, save: Record) -> None:
        """Take a save."""
        counts = tuple((item["stage"], item["count"]) for item in save["scheme_counts"])
        values = (save["content_sha256"], save["design_task"], save["current_stage"], counts, save["saved_at"])
        self._saves.append(SaveSummary(save["_id"], *values))

    def upload(self, upload: Record) -> None:
        """Take an upload."""
        names = ("participant_id", "content_sha256", "file_name", "kind", "received_at")
        self._uploads.append(Upload(**{name: upload[name] for name in names}, id=upload["_id"]))

    def report(self, report: Record) -> None:
        """Take a report of stays in stages."""
        stages, ai_stages = _stages(report["stage_switches"]), _stages(report["ai_stage_switches"])
        values = (report["participant_id"], report["page_loaded_at_ms"], stages, ai_stages, report["received_at"])
        self._reports.append(TimeRecord(*values, id=report["_id"]))

    def rows(self, session: Record) -> Iterator[Row]:
        """Give all that was taken as rows, in order."""
        records = SessionRecords(self._events, self._generations, self._saves, self._uploads, self._reports)
        for seq, entry in enumerate(chronicle(records), start=1):
            yield {
                "row_id": f"{session['_id']}/{seq:06}",
                **who(session),
                "seq": seq,
                "at": entry.at,
                "client_at_ms": entry.client_at_ms,
                "received_at": entry.received_at,
                "actor": entry.actor,
                "verb": entry.verb,
                "object": entry.object or None,
                "inputs": entry.inputs,
                "outputs": entry.outputs,
                "generation_id": entry.generation_id or None,
                "data": None if entry.data is None else as_json(entry.data),
            }


def _told(details: Mapping[str, Any]) -> dict[str, Any]:
    return {name: details[name] for name in FACTS if name in details}


def _stages(stages: list[dict[str, Any]]) -> tuple[StageVisits, ...]:
    return tuple(StageVisits(one["stage"], tuple(Visit(**visit) for visit in one["visits"])) for one in stages)
