"""Contents: the same bytes once, whatever their size, whoever puts them."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from store import schema
from store.contents import Contents
from store.errors import DamagedError, DocumentInvalidError
from store.stores import Stores


@pytest.fixture
def in_parts(stores: Stores) -> Contents:
    """Contents that cut everything over 10 bytes into parts."""
    return Contents(stores.database, part_size=10)


def count(stores: Stores, collection: str) -> int:
    return stores.database.collection(collection).count_documents({})


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"x" * 400_000], ids=["none", "two", "400 kB"])
def test_what_was_put_is_got(stores: Stores, content: bytes) -> None:
    ref = stores.contents.put(content, "image/png", width=512, height=256)
    got = stores.contents.get(ref.sha256)
    assert got is not None
    assert (got.data, got.ref) == (content, ref)


def test_a_content_is_known_by_its_hash_with_its_facts(stores: Stores) -> None:
    ref = stores.contents.put(b"abc", "image/png", width=3, height=1)
    assert ref.sha256 == hashlib.sha256(b"abc").hexdigest()
    assert (ref.media_type, ref.size, ref.width, ref.height) == ("image/png", 3, 3, 1)
    assert stores.contents.info(ref.sha256) == ref


def test_an_unknown_content_is_none(stores: Stores) -> None:
    assert stores.contents.get("0" * 64) is None
    assert stores.contents.info("0" * 64) is None
    assert not stores.contents.exists("0" * 64)


def test_the_same_bytes_are_kept_once_and_the_first_facts_stay(stores: Stores) -> None:
    first = stores.contents.put(b"abc", "image/png", width=3)
    assert stores.contents.put(b"abc", "text/plain") == first
    assert count(stores, schema.CONTENTS) == 1


def test_many_may_put_the_same_bytes_at_once(stores: Stores) -> None:
    content = os.urandom(100_000)
    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: stores.contents.put(content, "image/png"), range(16)))
    assert len(set(refs)) == 1
    assert count(stores, schema.CONTENTS) == 1


def test_many_may_put_the_same_large_bytes_at_once(stores: Stores, in_parts: Contents) -> None:
    with ThreadPoolExecutor(8) as threads:
        refs = list(threads.map(lambda _: in_parts.put(b"a" * 35, "image/png"), range(16)))
    assert len(set(refs)) == 1
    assert count(stores, schema.CONTENT_PARTS) == 4


@pytest.mark.parametrize("size", [10, 11, 20, 95], ids=lambda size: f"{size} bytes")
def test_a_large_content_is_kept_in_parts_and_got_whole(in_parts: Contents, size: int) -> None:
    content = bytes(range(size))
    got = in_parts.get(in_parts.put(content, "image/png").sha256)
    assert got is not None
    assert got.data == content


def test_a_content_over_what_a_document_holds_is_kept(stores: Stores) -> None:
    content = os.urandom(1000) * 17_000
    got = stores.contents.get(stores.contents.put(content, "application/json").sha256)
    assert got is not None
    assert got.data == content


def test_parts_without_their_head_are_not_seen_and_are_completed_by_the_next_put(
    stores: Stores, in_parts: Contents
) -> None:
    ref = in_parts.put(b"b" * 25, "image/png")
    stores.database.collection(schema.CONTENTS).delete_one({"_id": ref.sha256})
    assert not in_parts.exists(ref.sha256)
    assert in_parts.get(in_parts.put(b"b" * 25, "image/png").sha256) is not None


def test_a_missing_part_is_an_error_and_not_a_shorter_content(stores: Stores, in_parts: Contents) -> None:
    ref = in_parts.put(b"c" * 25, "image/png")
    stores.database.collection(schema.CONTENT_PARTS).delete_one({"_id": f"{ref.sha256}/2"})
    with pytest.raises(DamagedError, match="15 of 25 bytes"):
        in_parts.get(ref.sha256)


def test_a_text_comes_back_as_the_same_text(stores: Stores) -> None:
    got = stores.contents.get(stores.contents.put_text('{"草图": "\x00"}').sha256)
    assert got is not None
    assert (got.text, got.ref.media_type) == ('{"草图": "\x00"}', "application/json")


def test_a_text_with_a_lone_surrogate_is_refused(stores: Stores) -> None:
    with pytest.raises(DocumentInvalidError):
        stores.contents.put_text("\ud800")
