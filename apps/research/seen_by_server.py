"""What the server did and noted itself: generations with all their steps, saves, uploads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from apps.research.entries import GENERATION, SAVE, UPLOAD, Entry, Place, Placed
from jobs.veil import shown_at
from store.documents import GenerationRecord, LogEntry, StepRecord
from store.saved_states import SaveSummary
from store.uploads import Upload

FACTS = ("index", "template", "template_hash", "preset", "preset_hash", "checkpoint", "seed", "instance", "made_by")
"""What of a step's details is told; the record has all of them."""
LAST = 1_000_000
"""The number of the entry that comes after all those of a record's log."""


def told_generations(records: Iterable[GenerationRecord]) -> list[Placed]:
    """Tell how generations were asked for, went on, made their steps and outputs, ended and were shown."""
    return sorted((placed for record in records for placed in _of_record(record)), key=lambda one: one[0])


def told_saves(saves: Iterable[SaveSummary]) -> list[Placed]:
    """Tell what was saved."""
    found = ((Place(save.saved_at, SAVE, save.id), _save(save)) for save in saves)
    return sorted(found, key=lambda one: one[0])


def told_uploads(uploads: Iterable[Upload]) -> list[Placed]:
    """Tell which pictures came."""
    found = ((Place(upload.received_at, UPLOAD, upload.id), _upload(upload)) for upload in uploads)
    return sorted(found, key=lambda one: one[0])


def _of_record(record: GenerationRecord) -> Iterator[Placed]:
    steps = {step.id: step for step in record.steps}
    for entry in _log(record):
        yield Place(entry.at, GENERATION, record.id, entry.seq), _happened(entry, record, steps)
    seen_at = shown_at(record)
    if record.hold_s is not None and record.state == "succeeded" and seen_at is not None:
        data = {"hold_s": record.hold_s, "kind": record.hold_kind}
        yield Place(seen_at, GENERATION, record.id, LAST), _by("system", record, "generation.released", seen_at, data)


def _log(record: GenerationRecord) -> Iterable[LogEntry]:
    if record.log:
        return record.log
    # The first version kept no log: what is left is the beginning and the end.
    begun = [LogEntry(seq=1, type="state", at=record.created_at, state="queued")]
    return [*begun, LogEntry(seq=2, type="state", at=record.ended_at, state=record.state)] if record.ended_at else begun


def _happened(entry: LogEntry, record: GenerationRecord, steps: dict[str, StepRecord]) -> Entry:
    if entry.type == "step":
        return _by("assistant", record, "generation.step", entry.at, _step(steps.get(entry.step)))
    if entry.type == "output":
        return _output(entry, record)
    if entry.seq == 1:
        return _asked(entry, record)
    error = record.error if entry.state == record.state else None
    data = None if error is None else {"error": error.model_dump()}
    return _by("system", record, f"generation.{entry.state}", entry.at, data)


def _asked(entry: LogEntry, record: GenerationRecord) -> Entry:
    inputs = record.inputs
    return Entry(
        at=entry.at,
        actor="participant",
        verb="generation.accepted",
        object=record.operation,
        inputs=(*inputs.image_ids, *inputs.texts),
        generation_id=record.id,
        data={
            "task": inputs.task,
            "num": inputs.num,
            "stage": inputs.current_stage,
            "seed": record.seed,
            "parents": list(record.parents),
            "rerun_of": record.rerun_of,
        },
    )


def _output(entry: LogEntry, record: GenerationRecord) -> Entry:
    place = entry.output
    output = record.outputs[place] if place is not None and place < len(record.outputs) else None
    made = () if output is None else (output.image_id or output.text or "",)
    return Entry(
        at=entry.at,
        actor="assistant",
        verb="generation.output",
        object=record.operation,
        outputs=made,
        generation_id=record.id,
        data=None if output is None else {"index": output.index, "kind": output.kind, "step": output.step},
    )


def _step(step: StepRecord | None) -> dict[str, Any] | None:
    if step is None:
        return None
    return {
        "step": step.id,
        "kind": step.kind,
        "name": step.name,
        "started_at": step.started_at.isoformat(timespec="milliseconds"),
        "duration_s": step.duration_s,
        "waited_s": step.waited_s,
        **{name: step.details[name] for name in FACTS if name in step.details},
        **({"error": step.error.model_dump()} if step.error else {}),
    }


def _by(actor: str, record: GenerationRecord, verb: str, at: datetime, data: Any) -> Entry:
    return Entry(at=at, actor=actor, verb=verb, object=record.operation, generation_id=record.id, data=data)


def _save(save: SaveSummary) -> Entry:
    return Entry(
        at=save.saved_at,
        actor="participant",
        verb="state.saved",
        object=save.current_stage,
        outputs=(save.content_sha256,),
        data={"task": save.design_task, "schemes": [[stage, count] for stage, count in save.scheme_counts]},
    )


def _upload(upload: Upload) -> Entry:
    return Entry(
        at=upload.received_at,
        actor="participant",
        verb="picture.uploaded",
        object=upload.kind,
        outputs=(upload.content_sha256,),
        data={"file_name": upload.file_name},
    )
