"""A session on one clock, and what is read from it: stays in stages, waits."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.research.chronicle import SessionRecords, chronicle
from apps.research.entries import Entry
from apps.research.timeline import Span, stays, waits
from store.documents import ErrorRecord, GenerationInputs, GenerationRecord, LogEntry, Output, StepRecord
from store.events import Event
from store.saved_states import SaveSummary
from store.time_records import StageVisits, TimeRecord, Visit
from store.uploads import Upload

pytestmark = pytest.mark.unit

BEGIN = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def _at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def _ms(seconds: float) -> int:
    return round((BEGIN.timestamp() + seconds) * 1000)


def _event(verb: str, came_s: float, seen_s: float | None = None, seq: int | None = None, **more: Any) -> Event:
    """Make an event that the page saw at `seen_s` and told at `came_s`."""
    given = {"id": f"S/{verb}{came_s}{seq}", "session_id": "S", "study_id": "s", "participant_id": "p", "page_id": "1"}
    seen = None if seen_s is None else _ms(seen_s)
    return Event.model_validate(
        {**given, "verb": verb, "at": _at(came_s), "client_at_ms": seen, "client_seq": seq, **more}
    )


def _generation(**more: Any) -> GenerationRecord:
    log = (
        LogEntry(seq=1, type="state", at=_at(10), state="queued"),
        LogEntry(seq=2, type="state", at=_at(11), state="running"),
        LogEntry(seq=3, type="step", at=_at(14), step="step"),
        LogEntry(seq=4, type="output", at=_at(14), output=0),
        LogEntry(seq=5, type="state", at=_at(14), state="succeeded"),
    )
    step = StepRecord(
        kind="txt2img", name="sketch", id="step", started_at=_at(11), details={"seed": 7, "prompt": "long"}
    )
    given = {
        **{"app_id": 1, "participant_id": "p", "operation": "sketch.create_new", "id": "G", "session_id": "S"},
        **{"created_at": _at(10), "ended_at": _at(14), "state": "succeeded", "log": log, "steps": (step,)},
        "inputs": GenerationInputs(task="lamp", texts=("light",), image_ids=("a" * 64,)),
        "outputs": (Output(kind="image", image_id="b" * 64, step="step"),),
    }
    return GenerationRecord.model_validate({**given, **more})


def _told(**records: Any) -> list[Entry]:
    return list(chronicle(SessionRecords(**records)))


def _verbs(entries: list[Entry]) -> list[str]:
    return [entry.verb for entry in entries]


def test_a_generation_is_told_from_its_request_to_its_end() -> None:
    told = _told(generations=[_generation()])

    assert [(entry.actor, entry.verb) for entry in told] == [
        ("participant", "generation.accepted"),
        ("system", "generation.running"),
        ("assistant", "generation.step"),
        ("assistant", "generation.output"),
        ("system", "generation.succeeded"),
    ]
    assert told[0].inputs == ("a" * 64, "light")
    assert told[2].data["seed"] == 7 and "prompt" not in told[2].data
    assert told[3].outputs == ("b" * 64,)
    assert {entry.generation_id for entry in told} == {"G"}
    json.dumps([entry.data for entry in told])


def test_a_held_answer_is_released_when_its_time_is_over_or_when_it_is_there() -> None:
    early = _told(generations=[_generation(hold_s=20.0, hold_kind="fixed")])[-1]
    late = _told(generations=[_generation(hold_s=2.0, hold_kind="fixed")])[-1]
    failed = _told(generations=[_generation(hold_s=20.0, state="failed")])

    assert (early.verb, early.at, early.data) == ("generation.released", _at(30), {"hold_s": 20.0, "kind": "fixed"})
    assert late.at == _at(14)
    assert "generation.released" not in _verbs(failed)


def test_what_is_still_held_back_is_not_told_before_its_time() -> None:
    records = SessionRecords(generations=[_generation(hold_s=20.0, hold_kind="fixed")])

    assert _verbs(list(chronicle(records, _at(29))))[-1] == "generation.succeeded"
    assert _verbs(list(chronicle(records, _at(31))))[-1] == "generation.released"


def test_a_failure_says_why() -> None:
    log = (
        LogEntry(seq=1, type="state", at=_at(10), state="queued"),
        LogEntry(seq=2, type="state", at=_at(12), state="failed"),
    )

    told = _told(generations=[_generation(state="failed", log=log, error=ErrorRecord(type="E", message="why"))])

    assert told[-1].data == {"error": {"type": "E", "message": "why"}}


def test_a_record_without_a_log_still_has_a_beginning_and_an_end() -> None:
    assert _verbs(_told(generations=[_generation(log=())])) == ["generation.accepted", "generation.succeeded"]


def test_events_that_were_told_late_stand_where_they_happened() -> None:
    # The page's clock is an hour ahead, and it tells its events together, some seconds later.
    events = [
        _event("generation.submit", 13.0, 3609.9, 1),
        _event("generation.shown", 16.0, 3615.0, 2),
        _event("page.open", 8.0, 3608.0, 0),
    ]

    told = _told(events=events, generations=[_generation()])

    assert _verbs(told) == [
        *("page.open", "generation.submit", "generation.accepted", "generation.running"),
        *("generation.step", "generation.output", "generation.succeeded", "generation.shown"),
    ]
    assert told[1].at == _at(9.9) and told[1].received_at == _at(13)
    assert told[1].client_at_ms == _ms(3609.9)


def test_the_order_of_a_page_is_kept_whatever_its_clock_does() -> None:
    # Between the second and the third event somebody puts the clock back by an hour.
    events = [_event("page.open", 1, 1, 1), _event("help.open", 5, 5, 2), _event("page.close", 9, 9 - 3600, 3)]

    told = _told(events=list(reversed(events)))

    assert _verbs(told) == ["page.open", "help.open", "page.close"]
    assert [entry.at for entry in told] == sorted(entry.at for entry in told)


def test_nothing_is_placed_after_the_server_heard_of_it() -> None:
    events = [_event("page.open", 1, 1, 1), _event("help.open", 2, 900, 2), _event("error.shown", 3)]

    assert all(entry.received_at and entry.at <= entry.received_at for entry in _told(events=events))


def test_all_kinds_are_merged_and_the_order_does_not_depend_on_how_they_were_found() -> None:
    records: dict[str, list[Any]] = {
        "events": [_event("page.open", 1, 1, 1), _event("page.close", 40, 40, 2, data='{"a": 1}')],
        "generations": [_generation(), _generation(id="H")],
        "saves": [SaveSummary("1", "c" * 64, "lamp", "sketch", (("sketch", 2),), _at(20))],
        "uploads": [Upload("p", "d" * 64, "x.png", "canvas", _at(9), "1")],
        "time_records": [
            TimeRecord("p", 1, (StageVisits("草图的环境", (Visit(_ms(2), 5000), Visit(_ms(30)))),), (), _at(41), "1")
        ],
    }

    told = _told(**records)
    turned = _told(**{kind: list(reversed(found)) for kind, found in records.items()})

    assert told == turned
    assert len(told) == 2 + 10 + 1 + 1 + 2
    assert _verbs(told)[:3] == ["page.open", "stage.visit", "picture.uploaded"]
    assert [entry.verb for entry in told if entry.verb == "state.saved"] == ["state.saved"]
    assert told[-1].data == {"a": 1}


def test_of_a_page_load_only_the_last_time_report_counts_and_absurd_times_do_no_harm() -> None:
    def report(number: int, *visits: Visit) -> TimeRecord:
        return TimeRecord("p", 1, (StageVisits("a", visits),), (StageVisits("b", visits),), _at(number), str(number))

    told = _told(time_records=[report(2, Visit(_ms(1)), Visit(2**62)), report(1, Visit(_ms(0)))])

    assert [(entry.verb, entry.at) for entry in told] == [
        *(("stage.visit", _at(1)), ("ai_stage.visit", _at(1)), ("stage.visit", _at(2)), ("ai_stage.visit", _at(2)))
    ]


def test_stays_follow_the_switches_of_the_page() -> None:
    events = [
        _event("page.open", 0, 0, 1),
        _event("stage.switch", 10, 10, 2, object="sketch", data='{"from": "brief"}'),
        _event("stage.switch", 30, 30, 3, object="model", data='{"from": "sketch"}'),
        _event("page.close", 50, 50, 4),
        _event("page.open", 500, 500, 1, page_id="2"),
        _event("stage.switch", 510, 510, 2, page_id="2", object="brief"),
    ]

    told = _told(events=events)

    assert stays(told, None) == [
        Span("brief", _at(0), _at(10)),
        Span("sketch", _at(10), _at(30)),
        Span("model", _at(30), _at(50)),
        Span("model", _at(500), _at(510)),
        Span("brief", _at(510), None),
    ]
    assert stays(told, _at(600))[-1] == Span("brief", _at(510), _at(600))


def test_without_switches_the_time_reports_tell_the_stays() -> None:
    visits = (Visit(_ms(2), 5000), Visit(_ms(7)), Visit(_ms(8), 2**62))
    told = _told(time_records=[TimeRecord("p", 1, (StageVisits("a", visits),), (), _at(41), "1")])

    assert stays(told, _at(50)) == [Span("a", _at(2), _at(7)), Span("a", _at(7), _at(50)), Span("a", _at(8), _at(50))]


def test_a_wait_lasts_until_the_answer_is_shown() -> None:
    [held, open_] = waits(
        [_generation(id="H", created_at=_at(11), ended_at=None, state="running"), _generation(hold_s=9.0)]
    )

    assert (held.generation_id, held.end, held.shown_at) == ("G", _at(14), _at(19))
    assert (open_.end, open_.shown_at, open_.state) == (None, None, "running")
