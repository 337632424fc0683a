"""Replays in the store: one driver at a time, items in their order, nothing left after an erasure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from store.ids import new_id
from store.replays import Replay, ReplayItem
from store.stores import Stores

pytestmark = pytest.mark.unit


def _asked(**more: object) -> Replay:
    values = {"session_id": "s", "study_id": "d", "participant_id": "p", "requested_by": "anna", "changes": "{}"}
    return Replay(**{**values, "at_once": 2, "total": 0, **more})  # type: ignore[arg-type]


def test_a_new_replay_has_its_items_in_their_order_each_with_an_id_for_what_comes_of_it(stores: Stores) -> None:
    kept = stores.replays.create(_asked(), ["c", "a", "b"])

    items = stores.replays.items(kept.id)
    assert stores.replays.get(kept.id) == kept
    assert (kept.total, kept.state) == (3, "waiting")
    assert [(item.number, item.generation_id, item.state) for item in items] == [
        (1, "c", "waiting"),
        (2, "a", "waiting"),
        (3, "b", "waiting"),
    ]
    assert len({item.new_generation_id for item in items}) == 3
    assert [item.number for item in stores.replays.items(kept.id, after=1, until=2)] == [2]


def test_of_many_drivers_one_gets_it(stores: Stores) -> None:
    kept = stores.replays.create(_asked(), ["a"])

    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda number: stores.replays.take(kept, f"driver {number}"), range(8)))

    assert len([one for one in taken if one is not None]) == 1


def test_who_was_given_up_writes_nothing_more(stores: Stores) -> None:
    kept = stores.replays.create(_asked(), ["a"])
    first = stores.replays.take(kept, "first")
    assert first is not None
    assert stores.replays.beat(kept.id, "first")
    second = stores.replays.take(first, "second")

    assert second is not None
    assert not stores.replays.beat(kept.id, "first")
    assert not stores.replays.tally(kept.id, "first", 1, {})
    stores.replays.end(kept.id, "first", "failed", "late")
    assert stores.replays.get(kept.id) == second


def test_how_far_it_is_and_its_end_are_kept(stores: Stores) -> None:
    kept = stores.replays.create(_asked(), ["a"])
    stores.replays.take(kept, "me")
    [item] = stores.replays.items(kept.id)
    stores.replays.note(kept.id, replace(item, state="done", verdict="equal", judgement="{}"))
    stores.replays.tally(kept.id, "me", 1, {"items.equal": 1})
    stores.replays.end(kept.id, "me", "done")

    found = stores.replays.get(kept.id)
    assert found is not None
    assert (found.state, found.done, found.tallies) == ("done", 1, {"items.equal": 1})
    assert found.ended_at is not None
    assert stores.replays.items(kept.id) == (
        ReplayItem(1, "a", item.new_generation_id, state="done", verdict="equal", judgement="{}"),
    )


def test_a_canceled_one_is_nobodys_any_more(stores: Stores) -> None:
    kept = stores.replays.create(_asked(), ["a"])
    stores.replays.take(kept, "me")
    stores.replays.cancel(kept.id)

    assert not stores.replays.beat(kept.id, "me")
    found = stores.replays.get(kept.id)
    assert found is not None
    assert found.state == "canceled"


def test_replays_are_found_by_session_and_by_participant_and_erased(stores: Stores) -> None:
    first = stores.replays.create(_asked(), ["a", "b"])
    second = stores.replays.create(_asked(id=new_id(after=first.id)), ["a"])
    stores.replays.create(_asked(session_id="other", participant_id="q"), ["a"])

    assert [one.id for one in stores.replays.of_session("s")] == [second.id, first.id]
    assert set(stores.replays.ids_of("p")) == {first.id, second.id}
    assert stores.replays.erase(first.id) == 3
    assert stores.replays.get(first.id) is None
    assert stores.replays.items(first.id) == ()
    assert stores.replays.ids_of("p") == (second.id,)
