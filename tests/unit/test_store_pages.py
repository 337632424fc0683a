"""Pages: every generation once, newest first, however they lie in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import schema
from store.clock import utc_now
from store.documents import GenerationRecord, Output, StepRecord
from store.errors import CursorInvalidError, StoreError
from store.generation_documents import to_document
from store.generations import Generations
from store.pages import Key, cursor_of, key_of, newest_keys
from store.stores import Stores
from tests.stores import new_record, queued, read

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def generations(stores: Stores) -> Generations:
    return stores.generations


def fill(stores: Stores, records: list[GenerationRecord]) -> list[str]:
    """Write many records at once, and give their ids, newest first."""
    stores.database.collection(schema.GENERATIONS).insert_many([to_document(record) for record in records])
    return [record.id for record in sorted(records, key=lambda record: (record.created_at, record.id), reverse=True)]


def all_pages(generations: Generations, limit: int, **filters: Any) -> list[list[str]]:
    pages: list[list[str]] = []
    before: str | None = None
    while True:
        page = generations.page(limit=limit, before=before, **filters)
        pages.append([record.id for record in page.records])
        before = page.next_cursor
        if before is None:
            return pages


def test_over_a_hundred_records_of_the_same_moment_are_paged_through(stores: Stores) -> None:
    ids = fill(stores, [new_record(created_at=NOON) for _ in range(130)])
    pages = all_pages(stores.generations, 50)
    assert [len(page) for page in pages] == [50, 50, 30]
    assert [found for page in pages for found in page] == ids


def test_records_far_and_near_in_time_are_all_found(stores: Stores) -> None:
    now = utc_now()
    ages = [timedelta(seconds=n) for n in range(30)] + [timedelta(days=n) for n in range(30)]
    ages += [timedelta(days=365 * n) for n in range(40)] + [timedelta(hours=-n) for n in range(1, 20)]
    ids = fill(stores, [new_record(created_at=now - age) for age in ages])
    assert [found for page in all_pages(stores.generations, 7) for found in page] == ids


def test_what_is_made_between_two_pages_does_not_disturb_them(stores: Stores) -> None:
    ids = fill(stores, [new_record(created_at=NOON + n * MINUTE) for n in range(4)])
    first = stores.generations.page(limit=2)
    stores.generations.insert(new_record())
    second = stores.generations.page(limit=2, before=first.next_cursor)
    assert [record.id for record in first.records + second.records] == ids
    assert second.next_cursor is None


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [5, 4, 3, 2, 1, 0]),
    ({"participant_id": "q"}, [5, 3, 1]),
    ({"operation": "brief.extend"}, [2, 1]),
    ({"state": "failed"}, [4, 3, 2]),
    ({"participant_id": "q", "operation": "brief.extend"}, [1]),
    ({"participant_id": "q", "state": "failed", "operation": "brief.extend"}, []),
    ({"since": NOON + 2 * MINUTE}, [5, 4, 3, 2]),
    ({"until": NOON + 2 * MINUTE}, [1, 0]),
    ({"since": NOON + MINUTE, "until": NOON + 4 * MINUTE, "participant_id": "q"}, [3, 1]),
]


@pytest.mark.parametrize(("filters", "expected"), FILTERS, ids=[" ".join(row) or "none" for row, _ in FILTERS])
@pytest.mark.parametrize("limit", [1, 2, 50])
def test_a_page_holds_what_was_asked_for(
    stores: Stores, filters: dict[str, Any], expected: list[int], limit: int
) -> None:
    records = [
        new_record(
            created_at=NOON + n * MINUTE,
            participant_id="q" if n % 2 else "p",
            operation="brief.extend" if n in (1, 2) else "sketch.create_new",
            state="failed" if n in (2, 3, 4) else "succeeded",
        )
        for n in range(6)
    ]
    fill(stores, records)
    found = [found for page in all_pages(stores.generations, limit, **filters) for found in page]
    assert found == [records[n].id for n in expected]


def test_a_page_leaves_out_the_details_of_steps_and_nothing_else(generations: Generations) -> None:
    step = StepRecord(kind="chat", name="x", details={"prompt": "long"})
    claim = generations.finish(queued(generations), steps=[step], outputs=[Output(kind="text", text="t")])
    (listed,) = generations.page().records
    whole = read(generations, claim.generation_id)
    bare = tuple(step.model_copy(update={"details": {}}) for step in whole.steps)
    assert listed == whole.model_copy(update={"steps": bare})


WRONG_CURSORS = ["", "x", "1", "1-", "-5-a", "1-a.b", "99999999999999999-a", "1-a\n", "１-a", "1-" + "a" * 200]


@pytest.mark.parametrize("cursor", WRONG_CURSORS)
def test_what_no_page_gave_is_no_cursor(generations: Generations, cursor: str) -> None:
    with pytest.raises(CursorInvalidError, match="is no cursor"):
        generations.page(before=cursor)
    assert issubclass(CursorInvalidError, StoreError)


TIMES = st.integers(0, 10**12).map(lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))
KEYS = st.tuples(TIMES, st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=26, max_size=26))


@given(KEYS)
def test_a_cursor_leads_back_to_its_place(key: Key) -> None:
    assert key_of(cursor_of(key)) == key


@given(st.lists(KEYS, unique=True), st.integers(1, 5), st.none() | TIMES, st.none() | TIMES, st.none() | KEYS)
def test_the_newest_keys_are_those_of_the_sorted_list(
    keys: list[Key], limit: int, since: datetime | None, until: datetime | None, before: Key | None
) -> None:
    windows: list[tuple[datetime, datetime]] = []

    def keys_in(start: datetime, stop: datetime) -> list[Key]:
        windows.append((start, stop))
        return [key for key in keys if start <= key[0] < stop]

    expected = [
        key
        for key in sorted(keys, reverse=True)
        if (since is None or since <= key[0]) and (until is None or key[0] < until) and (before is None or key < before)
    ]
    assert newest_keys(keys_in, limit, since=since, until=until, before=before) == expected[:limit]
    assert len(windows) <= 20
    assert all(start < stop for start, stop in windows)
