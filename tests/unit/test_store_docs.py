"""docs/data.md tells every collection, field and index that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from store import schema
from store.clock import utc_now
from store.documents import ErrorRecord, Live, Output, StepRecord
from store.exports import Export
from store.indexes import INDEXES, Index
from store.receipts import Plan
from store.replays import Replay
from store.saved_states import SavedState
from store.summaries import Summary
from store.time_records import StageVisits, TimeRecord, Visit
from store.uploads import Upload
from tests.stores import opened_stores, queued

TEXT = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
SECTIONS = {part.split("`")[0]: part for part in re.split(r"^### `", TEXT, flags=re.MULTILINE)[1:]}


def test_every_collection_has_a_section_and_no_other_has() -> None:
    assert sorted(SECTIONS) == sorted(schema.SCHEMA_VERSIONS)


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: index.marker_id)
def test_every_index_stands_in_the_table(index: Index) -> None:
    keys = ", ".join(f"`{key}`" for key in index.keys)
    row = f"| `{index.collection}` | `{index.name}` | {keys} |"
    assert row in TEXT


def test_every_field_that_is_written_is_explained(mongo_uri: str, database_name: str) -> None:
    step = StepRecord(kind="chat", name="x", error=ErrorRecord(type="E", message="m"))
    with opened_stores(mongo_uri, database_name) as stores:
        participant = stores.participants.find_or_create("anna")
        stores.saved_states.save(participant.id, SavedState("{}", "task", "stage", (("stage", 1),)))
        stores.contents.put(b"x" * 12_000_001, "image/png")
        stores.uploads.add(Upload("p", "a", "b", "canvas"))
        stages = (StageVisits("stage", (Visit(1),)),)
        stores.time_records.add(TimeRecord("p", 1, stages, stages))
        stores.subjects.put("key", "drone", "gpt-4")
        stores.runners.beat("me", {})
        stores.submission_keys.put("key", "body", "g")
        stores.researchers.add("anna", "hash")
        stores.api_tokens.add("token", "anna", "x", None)
        stores.login_attempts.begin("key")
        stores.settings_versions.keep("hash", "prompt", "x", "text")
        stores.exports.create(Export("study", "anna", "host"))
        stores.summaries.put(Summary("s", "study", utc_now(), "{}"))
        stores.contents.doom(stores.contents.put(b"x", "image/png").sha256, "receipt")
        stores.receipts.note(stores.receipts.begin("p", "anna").id, Plan(frozenset("i"), frozenset("h")), {"events": 1})
        replay = Replay("s", "study", "p", "anna", "{}", at_once=1, total=0, tallies={"items.equal": 1})
        stores.replays.create(replay, ["g"])
        claim = stores.generations.write(
            queued(stores.generations), steps=[step], outputs=[Output(kind="text", text="a")]
        )
        stores.generations.set_live(claim, Live(progress=0.5))
        database = stores.database.collection(schema.RUNNERS).database
        names = database.list_collection_names()
        assert set(names) == set(schema.SCHEMA_VERSIONS)
        for name in names:
            written = {key for document in database[name].find() for key in keys_of(document)}
            missing = {key for key in written - {"schema_version"} if f"`{key}`" not in SECTIONS[name]}
            assert (name, missing) == (name, set())


def keys_of(value: object) -> set[str]:
    """Collect the keys of a document and of the documents inside it."""
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    return set()
