"""Keys of submissions, kept for a day, and versions of settings, kept for good."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from store import schema, submission_keys
from store.clock import utc_now
from store.indexes import SUBMISSION_KEYS_KEPT_FOR_S
from store.schema import Document
from store.stores import Stores
from store.submission_keys import SubmissionKey
from tests.stores import opened_stores


def age(stores: Stores, key_hash: str, seconds: float) -> None:
    """Make a key look as if it had been put some seconds ago."""
    change = {"$set": {"created_at": utc_now() - timedelta(seconds=seconds)}}
    stores.database.collection(schema.SUBMISSION_KEYS).update_one({"_id": key_hash}, change)


def test_the_first_submission_of_a_key_holds(stores: Stores) -> None:
    first = stores.submission_keys.put("key", "body", "g1")
    assert (first.key_hash, first.body_hash, first.generation_id) == ("key", "body", "g1")
    assert stores.submission_keys.put("key", "another body", "g2") == first
    assert stores.submission_keys.put("another key", "body", "g3").generation_id == "g3"


def test_of_many_submissions_at_once_one_holds_for_all(stores: Stores) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: stores.submission_keys.put("key", f"body {n}", f"g{n}"), range(16)))
    assert len(set(answers)) == 1


def test_a_key_of_nearly_a_day_ago_still_holds(stores: Stores) -> None:
    stores.submission_keys.put("key", "body", "g1")
    age(stores, "key", SUBMISSION_KEYS_KEPT_FOR_S - 60)
    assert stores.submission_keys.put("key", "body", "g2").generation_id == "g1"


def test_a_key_of_more_than_a_day_ago_is_free_again_for_one(stores: Stores) -> None:
    stores.submission_keys.put("key", "body", "old")
    age(stores, "key", SUBMISSION_KEYS_KEPT_FOR_S + 1)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: stores.submission_keys.put("key", "body", f"g{n}"), range(16)))
    assert len(set(answers)) == 1
    assert answers[0].generation_id != "old"
    assert stores.submission_keys.put("key", "body", "late") == answers[0]


def test_who_is_too_late_for_an_old_key_gets_the_new_one(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    stores.submission_keys.put("key", "body", "old")
    age(stores, "key", SUBMISSION_KEYS_KEPT_FOR_S + 1)
    is_old, quicker = submission_keys._is_old, list[SubmissionKey]()

    def is_old_and_then_not(document: Document) -> bool:
        monkeypatch.setattr(submission_keys, "_is_old", is_old)
        quicker.append(stores.submission_keys.put("key", "body", "quicker"))
        return is_old(document)

    monkeypatch.setattr(submission_keys, "_is_old", is_old_and_then_not)
    assert stores.submission_keys.put("key", "body", "late") == quicker[0]
    assert quicker[0].generation_id == "quicker"


def test_a_key_whose_submission_was_refused_is_free_again(stores: Stores) -> None:
    stores.submission_keys.put("key", "body", "g1")
    stores.submission_keys.forget("key", "another")
    assert stores.submission_keys.put("key", "body", "g2").generation_id == "g1"
    stores.submission_keys.forget("key", "g1")
    assert stores.submission_keys.put("key", "body", "g2").generation_id == "g2"


def test_mongodb_removes_old_keys_by_itself(stores: Stores) -> None:
    stores.submission_keys.put("key", "body", "g1")
    index = stores.database.collection(schema.SUBMISSION_KEYS).index_information()["by_age"]
    assert (index["key"], index["expireAfterSeconds"]) == ([("created_at", 1)], 24 * 3600)


def test_a_version_of_a_setting_is_kept_once_as_it_was_first(stores: Stores) -> None:
    assert stores.settings_versions.get("hash") is None
    stores.settings_versions.keep("hash", "prompt", "brief.create_new", "Say {task}.")
    stores.settings_versions.keep("hash", "preset", "sketch", "other")
    kept = stores.settings_versions.get("hash")
    assert kept is not None
    assert (kept.hash, kept.kind, kept.name, kept.text) == ("hash", "prompt", "brief.create_new", "Say {task}.")


def test_a_version_that_another_process_kept_stays(stores: Stores, mongo_uri: str, database_name: str) -> None:
    stores.settings_versions.keep("hash", "prompt", "x", "first")
    with opened_stores(mongo_uri, database_name) as another:
        another.settings_versions.keep("hash", "prompt", "x", "second")
        kept = another.settings_versions.get("hash")
    assert kept is not None and kept.text == "first"


def test_a_version_that_this_process_kept_is_not_sent_again(stores: Stores) -> None:
    stores.settings_versions.keep("hash", "prompt", "x", "text")
    stores.database.collection(schema.SETTINGS_VERSIONS).delete_one({"_id": "hash"})
    stores.settings_versions.keep("hash", "prompt", "x", "text")
    assert stores.settings_versions.get("hash") is None
