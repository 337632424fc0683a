"""Shapes, phrases, ids and times: the pure parts of the store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import bson
import mongomock
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo.errors import DuplicateKeyError

from store.bson_shapes import storable
from store.clock import to_milliseconds, utc_now
from store.ids import new_id
from store.phrases import MAX_NUMBER, phrase, phrases
from store.repeat import insert_once

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=20,
)


@given(ANY_JSON)
def test_anything_that_json_can_say_can_be_kept(value: Any) -> None:
    kept = bson.decode(bson.encode({"value": storable(value)}))["value"]
    assert storable(kept) == kept


def test_what_bson_can_hold_is_not_changed() -> None:
    value: Any = {"a": [1, -(2**63), 2**63 - 1, 1.5, True, None, "安🙂\x00", {"$b.c": {}}]}
    assert storable(value) == value


def test_a_value_nested_too_deeply_becomes_text_at_the_bottom() -> None:
    value: Any = "bottom"
    for _ in range(300):
        value = [value]
    kept = storable(value)
    for _ in range(40):
        kept = kept[0]
    assert kept.startswith("[[") and "bottom" in kept


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], []),
        (["", "  "], []),
        (["plain"], ["plain"]),
        (['{"a": ["b", {"c": "d"}, 3, null], "e": "f"}'], ["b", "d", "f"]),
        (['["a", " a "]', "a"], ["a"]),
    ],
    ids=["none", "blank", "plain", "nested", "twice"],
)
def test_phrases_are_the_texts_and_the_strings_inside(texts: list[str], expected: list[str]) -> None:
    assert [found for found in phrases(texts) if not found.startswith(("{", "["))] == expected


def test_phrases_are_cut_and_counted() -> None:
    assert phrases([json.dumps([str(n) for n in range(900)])])[-1] == str(MAX_NUMBER - 2)
    assert phrase("x" * 300) == "x" * 200
    assert phrases(["y" * 300]) == [phrase("y" * 300)]


def test_a_deeply_nested_text_has_phrases_all_the_same() -> None:
    assert phrases(["[" * 100_000]) == ["[" * 200]


def test_ids_sort_by_the_time_they_were_made() -> None:
    made = [new_id() for _ in range(500)]
    assert made == sorted(set(made))


def test_an_id_after_another_is_greater_even_if_that_one_is_from_the_future() -> None:
    future = "7" + "Z" * 24 + "0"
    assert new_id(after=future) > future
    assert len(new_id(after=future)) == 26


def test_times_are_in_utc_and_whole_milliseconds() -> None:
    assert utc_now().microsecond % 1000 == 0
    moment = datetime(2026, 1, 1, 8, 0, 0, 123456, timezone(timedelta(hours=8)))
    assert to_milliseconds(moment) == datetime(2026, 1, 1, 0, 0, 0, 123000, UTC)


def test_an_insert_that_breaks_another_unique_key_is_not_taken_for_a_repeat() -> None:

    class Refusing:
        def insert_one(self, document: dict[str, Any]) -> None:
            raise DuplicateKeyError("x", 11000, {"keyPattern": {"name": 1}})

    assert insert_once(mongomock.MongoClient().db.things, {"_id": 1})
    with pytest.raises(DuplicateKeyError):
        insert_once(Refusing(), {"_id": 1})  # type: ignore[arg-type]
