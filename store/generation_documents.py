"""A generation as MongoDB keeps it: its record, and what its indexes need besides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from store.bson_shapes import storable
from store.documents import ErrorRecord, GenerationRecord, Live, LogEntry, Output, StepRecord
from store.phrases import MAX_NUMBER, phrases
from store.schema import GENERATIONS, SCHEMA_VERSIONS, Document

UNCUT: Final = 2**31
# Not part of a record: they exist for the index alone.
INDEX_FIELDS: Final = {"output_images": 0, "output_phrases": 0}


def to_document(record: GenerationRecord) -> Document:
    """Give the document of a record, all but the time of its last change, which is MongoDB's to tell."""
    # Inputs are kept whole: cutting what a participant wrote would change the record.
    document: Document = storable(record.model_dump(exclude={"id", "schema_version", "changed_at"}), max_text=UNCUT)
    return {
        "_id": record.id,
        "schema_version": SCHEMA_VERSIONS[GENERATIONS],
        **document,
        "output_images": images_of(record.outputs),
        "output_phrases": phrases_of(record.outputs),
    }


def to_record(document: Document) -> GenerationRecord:
    """Give the record of a document of this or an earlier version; what was not kept then has its default."""
    return GenerationRecord.model_validate({**document, "id": document["_id"]})


def dump(model: ErrorRecord | StepRecord | LogEntry | Live) -> Any:
    """Give a part of a record in a form that BSON takes, with long texts cut."""
    return storable(model.model_dump())


def dump_output(output: Output) -> Any:
    """Give an output in a form that BSON takes; it stays whole, as cut JSON would be broken JSON."""
    return storable(output.model_dump(), max_text=UNCUT)


def images_of(outputs: Sequence[Output]) -> list[str]:
    """List the images of outputs, once each."""
    return list(dict.fromkeys(output.image_id for output in outputs if output.image_id))


def phrases_of(outputs: Sequence[Output]) -> list[str]:
    """List the texts of outputs and the strings inside them, by which they are found again."""
    found: list[str] = storable(phrases(output.text for output in outputs if output.text))
    return found


def appended(
    steps: Sequence[StepRecord], outputs: Sequence[Output], entries: Sequence[LogEntry]
) -> dict[str, Document]:
    """Give the part of an update that adds steps and outputs, with their index fields, and log entries."""
    push: Document = {"log": {"$each": [dump(entry) for entry in entries]}}
    if steps:
        push["steps"] = {"$each": [dump(step) for step in steps]}
    if outputs:
        push["outputs"] = {"$each": [dump_output(output) for output in outputs]}
    if found := phrases_of(outputs):
        push["output_phrases"] = {"$each": found, "$slice": MAX_NUMBER}
    if images := images_of(outputs):
        return {"$push": push, "$addToSet": {"output_images": {"$each": images}}}
    return {"$push": push}
