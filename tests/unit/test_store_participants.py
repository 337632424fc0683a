"""Participants: one for each name, whoever asks first."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from store import schema
from store.errors import DocumentInvalidError
from store.stores import Stores

NAMES = ["", "anna", "安娜 一号", "a/../b", "a\nb", "nul\x00", " anna", "Anna", "🙂", "$where", "x" * 5000]

# Each of several processes finds or creates the same names and prints the ids.
SCRIPT = """
import sys
from store.connection import StoreConfig
from store.stores import open_stores
stores = open_stores(StoreConfig(uri=sys.argv[1], database=sys.argv[2]))
print(*(stores.participants.find_or_create(f"name {n}").id for n in range(20)))
stores.close()
"""


@pytest.mark.parametrize("username", NAMES, ids=range(len(NAMES)))
def test_any_text_is_a_name_and_finds_its_participant_again(stores: Stores, username: str) -> None:
    created = stores.participants.find_or_create(username)
    assert created.username == username
    assert stores.participants.find_or_create(username) == created
    assert stores.participants.find(username) == created
    assert stores.participants.by_id(created.id) == created


def test_names_that_look_alike_are_different_participants(stores: Stores) -> None:
    assert len({stores.participants.find_or_create(name).id for name in NAMES}) == len(NAMES)


def test_an_unknown_participant_is_none(stores: Stores) -> None:
    assert stores.participants.find("nobody") is None
    assert stores.participants.by_id("nobody") is None


def test_a_new_participant_has_saved_nothing(stores: Stores) -> None:
    participant = stores.participants.find_or_create("anna")
    assert (participant.saved_state_id, participant.design_task, participant.revision) == ("", "", 0)
    assert stores.saved_states.load(participant.id) is None


def test_many_threads_get_the_same_participant(stores: Stores) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: stores.participants.find_or_create("anna"), range(24)))
    assert len({participant.id for participant in found}) == 1
    assert stores.database.collection(schema.PARTICIPANTS).count_documents({}) == 1


def test_several_processes_get_the_same_participants(mongo_uri: str, database_name: str) -> None:
    command = [sys.executable, "-c", SCRIPT, mongo_uri, database_name]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {process.communicate(timeout=60)[0] for process in started}
    assert len(answers) == 1
    assert len(set(answers.pop().split())) == 20


def test_a_name_whose_participant_was_never_written_gets_it_at_the_next_start(stores: Stores) -> None:
    created = stores.participants.find_or_create("anna")
    stores.database.collection(schema.PARTICIPANTS).delete_one({"_id": created.id})
    assert stores.participants.find_or_create("anna") == created


def test_the_name_stands_in_the_collection_of_names_alone(stores: Stores) -> None:
    stores.participants.find_or_create("anna schmidt")
    database = stores.database.collection(schema.PARTICIPANTS).database
    holders = [name for name in database.list_collection_names() if "anna schmidt" in repr(list(database[name].find()))]
    assert holders == [schema.PARTICIPANT_NAMES]


def test_a_name_with_a_lone_surrogate_is_refused(stores: Stores) -> None:
    with pytest.raises(DocumentInvalidError):
        stores.participants.find_or_create("\udc00")
