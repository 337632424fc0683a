"""Studies, sessions and events: joined once, assigned evenly, told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from store.errors import NotFoundError, OutdatedError
from store.events import Event
from store.ids import new_id
from store.sessions import Consent, Session
from store.stores import Stores, open_stores
from store.studies import DEFAULT_STUDY, Condition, Hold, Study

pytestmark = pytest.mark.unit


def _study(*conditions: str) -> Study:
    return Study(name="lamps", conditions=tuple(Condition(id=one) for one in conditions))


def _fewest(counts: Mapping[str, int]) -> str:
    return min(counts, key=lambda one: (counts[one], one))


def test_a_study_comes_back_as_it_was_kept(stores: Stores) -> None:
    hold = Hold(kind="normal", mean=20.0, sd=5.0, min=5.0, max=60.0)
    condition = Condition(id="a", name="A", allowed=("sketch.create_new",), checkpoint="x", num_max=2, hold=hold)
    study = Study(name="灯", conditions=(condition,), consent_text="我同意", planned=40)
    kept = stores.studies.create(study)
    assert stores.studies.get(study.id) == kept
    assert stores.studies.by_join_key(study.join_key) == kept
    assert kept.conditions == study.conditions
    assert stores.studies.by_join_key("no such link") is None


def test_a_condition_without_a_name_is_shown_by_its_id() -> None:
    assert [Condition(id="a").name, Condition(id="a", name="A").name] == ["a", "A"]


def test_the_default_study_is_there_at_once_and_once(stores: Stores) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: stores.studies.default().id, range(16)))
    assert set(found) == {DEFAULT_STUDY}
    assert [study.id for study in stores.studies.all()] == [DEFAULT_STUDY]


def test_of_two_changes_of_the_same_revision_one_is_refused(stores: Stores) -> None:
    study = stores.studies.create(_study("a"))
    assert stores.studies.change(study.id, 1, {"name": "one"}).revision == 2
    with pytest.raises(OutdatedError, match="at revision 2 by now, not 1"):
        stores.studies.change(study.id, 1, {"name": "two"})
    assert stores.studies.get(study.id).name == "one"  # type: ignore[union-attr]
    with pytest.raises(NotFoundError):
        stores.studies.change("nothing", 1, {"name": "two"})


def test_many_who_join_at_once_through_several_processes_are_assigned_evenly(stores: Stores) -> None:
    study = stores.studies.create(_study("a", "b", "c"))
    others = [open_stores(stores.database.config) for _ in range(3)]
    try:
        with ThreadPoolExecutor(12) as threads:
            ids = [new_id() for _ in range(31)]
            found = list(threads.map(lambda n: others[n % 3].studies.assign(study, ids[n], _fewest), range(len(ids))))
    finally:
        for other in others:
            other.close()
    counts = Counter(one.condition_id for one in found)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert sorted(one.number for one in found) == list(range(1, 32))
    again = stores.studies.assign(study, ids[7], _fewest)
    assert (again.condition_id, again.number, again.counts) == (found[7].condition_id, found[7].number, found[7].counts)


def test_who_came_by_no_link_has_one_session_in_the_default_study(stores: Stores) -> None:
    participant_id = stores.participants.id_of("anna")
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: stores.sessions.of_nobody_else(participant_id).id, range(16)))
    assert found == {participant_id}
    joined = stores.sessions.create(
        Session(study_id="s", condition_id="a", participant_id=participant_id, consent=Consent(text_sha256="0" * 64))
    )
    assert stores.sessions.of_participant(participant_id) == joined


def test_a_session_ends_once(stores: Stores) -> None:
    session = stores.sessions.create(Session(study_id="s", condition_id="a", participant_id="p"))
    stores.sessions.end(session.id, "completed")
    first = stores.sessions.get(session.id)
    stores.sessions.end(session.id, "withdrawn")
    assert first is not None and first.ended_at is not None
    assert stores.sessions.get(session.id) == first
    assert [one.id for one in stores.sessions.of_study("s")] == [session.id]
    assert [one.id for one in stores.sessions.changed_since("s", session.started_at)] == [session.id]


def test_events_are_kept_once_and_in_their_order(stores: Stores) -> None:
    at = stores.events.now()

    def event(name: str, place: int) -> Event:
        whose = {"session_id": "s", "study_id": "default", "participant_id": "p"}
        return Event(id=f"s/{name}", verb="stage.switch", at=at, place=place, **whose)

    stores.events.add([event("b", 0), event("a", 1)])
    stores.events.add([event("a", 5), event("c", 2), event("b", 9)])
    assert [(one.id, one.place) for one in stores.events.of_session("s")] == [("s/b", 0), ("s/a", 1), ("s/c", 2)]
    assert stores.events.known(["s/a", "s/z"]) == {"s/a"}
    assert stores.events.of_session("another") == ()
