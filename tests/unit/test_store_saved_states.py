"""Saves: all of them stay, the newest is the one that is loaded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from store import schema
from store.clock import utc_now
from store.errors import NotFoundError
from store.ids import new_id
from store.saved_states import SavedState
from store.stores import Stores


@pytest.fixture
def participant_id(stores: Stores) -> str:
    return stores.participants.find_or_create("anna").id


def state(text: str) -> SavedState:
    return SavedState(text=text, design_task=f"task {text}", current_stage="草图的环境")


def history(stores: Stores, participant_id: str) -> tuple[str, ...]:
    now = utc_now()
    return stores.saved_states.history(participant_id, now - timedelta(hours=1), now + timedelta(hours=1))


def test_a_save_is_loaded_as_it_was(stores: Stores, participant_id: str) -> None:
    saved = SavedState(
        text='{"$a.b": "\x00安"}',
        design_task="耕作机",
        current_stage="草图的环境",
        scheme_counts=(("草图的环境", 2), ("$.", 0)),
        saved_at=datetime(2026, 1, 2, 3, 4, 5, 678000, UTC),
    )
    saved_state_id = stores.saved_states.save(participant_id, saved)
    loaded = stores.saved_states.load(participant_id)
    assert loaded is not None
    assert loaded == SavedState(**{**vars(saved), "id": saved_state_id})


def test_the_last_of_many_saves_is_loaded_and_all_are_kept(stores: Stores, participant_id: str) -> None:
    ids = [stores.saved_states.save(participant_id, state(f'"{n}"')) for n in range(5)]
    loaded = stores.saved_states.load(participant_id)
    assert loaded is not None
    assert loaded.text == '"4"'
    assert history(stores, participant_id) == tuple(ids)
    assert stores.saved_states.get(ids[0]) is not None


def test_the_participant_shows_the_newest_save(stores: Stores, participant_id: str) -> None:
    saved_state_id = stores.saved_states.save(participant_id, state("1"))
    participant = stores.participants.by_id(participant_id)
    assert participant is not None
    assert (participant.saved_state_id, participant.design_task) == (saved_state_id, "task 1")
    assert (participant.current_stage, participant.revision) == ("草图的环境", 1)


def test_saves_at_the_same_time_are_all_kept_and_the_greatest_id_wins(stores: Stores, participant_id: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda n: stores.saved_states.save(participant_id, state(f'"{n}"')), range(24)))
    loaded = stores.saved_states.load(participant_id)
    assert loaded is not None
    assert loaded.id == max(ids)
    assert history(stores, participant_id) == tuple(sorted(ids))


def test_a_save_after_one_from_a_host_whose_clock_is_ahead_is_still_the_newest(
    stores: Stores, participant_id: str
) -> None:
    ahead = "7" + new_id()[1:]
    stores.database.collection(schema.PARTICIPANTS).update_one(
        {"_id": participant_id}, {"$set": {"saved_state_id": ahead}}
    )
    saved_state_id = stores.saved_states.save(participant_id, state("1"))
    assert saved_state_id > ahead
    loaded = stores.saved_states.load(participant_id)
    assert loaded is not None
    assert loaded.id == saved_state_id


def test_a_late_pointer_does_not_replace_a_newer_save(stores: Stores, participant_id: str) -> None:
    old, new = new_id(), new_id()
    stores.saved_states._point_to(participant_id, new, state("new"))
    stores.saved_states._point_to(participant_id, old, state("old"))
    participant = stores.participants.by_id(participant_id)
    assert participant is not None
    assert (participant.saved_state_id, participant.revision) == (new, 1)


def test_saving_for_nobody_is_an_error_and_leaves_no_save(stores: Stores) -> None:
    with pytest.raises(NotFoundError, match="no participant nobody"):
        stores.saved_states.save("nobody", state("1"))
    assert history(stores, "nobody") == ()


def test_a_large_state_is_kept(stores: Stores, participant_id: str) -> None:
    text = '"' + "画" * 6_000_000 + '"'
    stores.saved_states.save(participant_id, SavedState(text=text, design_task="", current_stage=""))
    loaded = stores.saved_states.load(participant_id)
    assert loaded is not None
    assert loaded.text == text
