"""Stores for tests, opened on a given server and closed at the end, and records to put into them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from store.claims import Claim
from store.connection import StoreConfig
from store.documents import GenerationInputs, GenerationRecord
from store.generations import Generations
from store.stores import Stores, open_stores


@contextmanager
def opened_stores(uri: str, database_name: str, *, selection_timeout_s: float = 5.0) -> Iterator[Stores]:
    """Open the stores of a database while the block runs."""
    config = StoreConfig(uri=uri, database=database_name, server_selection_timeout_s=selection_timeout_s)
    stores = open_stores(config)
    try:
        yield stores
    finally:
        stores.close()


def new_record(**fields: Any) -> GenerationRecord:
    """Make a record of a participant `p`, with other fields as given."""
    given = {"app_id": 1, "participant_id": "p", "operation": "sketch.create_new"}
    given["inputs"] = GenerationInputs(task="耕作机", texts=("a",), image_ids=("b",), num=2)
    return GenerationRecord.model_validate(given | fields)


def queued(generations: Generations, owner: str = "me", **fields: Any) -> Claim:
    """Insert a record that a runner has from the first moment."""
    return generations.claim_of(generations.insert(new_record(owner=owner, **fields)))


def running(generations: Generations, owner: str = "me", **fields: Any) -> Claim:
    """Insert a record that a runner has and that runs."""
    return generations.write(queued(generations, owner, **fields), state="running")


def read(generations: Generations, generation_id: str) -> GenerationRecord:
    """Read a record that must be there."""
    found = generations.get(generation_id)
    assert found is not None
    return found
