"""What the pool says about now and the near future: states, forecasts, batches, and what nobody can serve."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from agent.calls import Call
from agent.host import Host
from agent.ledger import Ledger
from agent.outlook import Forecast, expected_s, forecasts, split, states
from agent.roster import Roster
from agent.scene import Scene
from tests.pool_book import T0, Book
from tests.pools import made_up

pytestmark = pytest.mark.unit

MANY = 8


@pytest.fixture
def book() -> Iterator[Book]:
    """Open an empty book."""
    with Ledger(Host(None, "process")).change() as change:
        yield Book(change)


def _split(book: Book, num: int, max_batch: int = MANY) -> tuple[int, ...]:
    return split(book.change, book.now, num, "a", 1.0, max_batch)


def _know_batches(book: Book, of_four: float) -> None:
    book.change.run("INSERT INTO learned VALUES ('batch:4', ?, 1)", of_four)


def test_while_nothing_is_known_the_first_picture_is_made_alone_and_the_others_at_once(book: Book) -> None:
    book.instance("gpu0", "a")
    assert _split(book, 4) == (1, 3)
    assert _split(book, 4, max_batch=3) == (1, 3)


@pytest.mark.parametrize(("num", "max_batch"), [(1, MANY), (2, MANY), (4, 1), (4, 2)])
def test_where_there_is_nothing_to_learn_or_it_is_not_wanted_they_are_single(
    book: Book, num: int, max_batch: int
) -> None:
    book.instance("gpu0", "a")
    assert _split(book, num, max_batch) == (1,) * num


def test_with_an_idle_instance_for_each_they_are_single(book: Book) -> None:
    for number in range(4):
        book.instance(f"gpu{number}", "a")
    assert _split(book, 4) == (1, 1, 1, 1)


def test_without_any_instance_that_works_they_are_single(book: Book) -> None:
    book.instance("gpu0", "a", health="down")
    assert _split(book, 4) == (1, 1, 1, 1)


def test_a_batch_that_saves_much_is_made_where_there_is_one_instance(book: Book) -> None:
    book.instance("gpu0", "a", unit_s=1.0)
    _know_batches(book, of_four=2.0)
    assert _split(book, 4) == (4,)
    assert _split(book, 4, max_batch=2) == (2, 2)


def test_two_instances_make_a_batch_each(book: Book) -> None:
    for name in ("gpu0", "gpu1"):
        book.instance(name, "a", unit_s=1.0)
    _know_batches(book, of_four=2.0)
    assert _split(book, 4) == (2, 2)
    assert _split(book, 3) == (2, 1)


def test_a_batch_that_saves_nothing_is_not_made(book: Book) -> None:
    book.instance("gpu0", "a", unit_s=1.0)
    _know_batches(book, of_four=3.9)
    assert _split(book, 4) == (1, 1, 1, 1)


def test_an_instance_that_would_have_to_load_is_left_out_if_a_batch_is_quicker(book: Book) -> None:
    book.instance("gpu0", "a", unit_s=1.0, load_s=30.0)
    book.instance("gpu1", "b", unit_s=1.0, load_s=30.0)
    _know_batches(book, of_four=2.0)
    assert _split(book, 4) == (4,)


def test_a_forecast_counts_the_jobs_before_it(book: Book) -> None:
    book.instance("gpu0", "a", unit_s=1.0)
    for share in ("anna", "ben", "cleo"):
        book.enter("a", share=share, size=2.0)
    book.now += 0.5
    assert forecasts(Scene.of(book.change, book.now), 120.0) == {
        "job of anna": Forecast(0, 0.0, 1.5),
        "job of ben": Forecast(1, 1.5, 3.5),
        "job of cleo": Forecast(2, 3.5, 5.5),
    }


@pytest.mark.parametrize(("waiting", "ends_in_s"), [(0, 4.0), (1, 8.0)])
def test_a_job_ends_with_the_last_of_its_calls_wherever_that_is(book: Book, waiting: int, ends_in_s: float) -> None:
    book.instance("gpu0", "a", unit_s=1.0)
    book.instance("gpu1", "b", unit_s=1.0)
    book.enter("a", share="anna", size=4.0)
    book.enter("b", share="anna", size=1.0)
    for _ in range(waiting):
        book.enter("a", share="anna", size=4.0)
    assert forecasts(Scene.of(book.change, book.now), 120.0) == {"job of anna": Forecast(0, 0.0, ends_in_s)}


def test_a_job_without_calls_has_no_forecast(book: Book) -> None:
    book.instance("gpu0", "a")
    book.ends(book.enter("a", share="anna", size=1.0))
    assert forecasts(Scene.of(book.change, book.now), 120.0) == {}


def test_what_a_picture_should_take_is_known_after_a_few(book: Book) -> None:
    book.instance("gpu0", "a")
    book.instance("gpu1", "a")
    for expected in (None, None, None, 4.0):
        assert expected_s(book.change, "http://gpu0", Call(size=2.0)) == expected
        number = book.enter("a", size=1.0, avoid="gpu1")
        book.ends(number, paint_s=2.0)
    assert expected_s(book.change, "http://gpu1", Call(size=1.0, pictures=3)) == pytest.approx(6.0)
    assert expected_s(book.change, "http://gpu0", Call()) is None


def test_the_states_say_what_each_instance_does(book: Book) -> None:
    for name in ("busy", "draining"):
        book.instance(name, "a")
    book.enter("a", share="anna", size=1.0)
    book.enter("a", share="ben", size=1.0)
    book.change.run("UPDATE instances SET task = 'task'")
    book.change.run("UPDATE instances SET mode = 'drained' WHERE name = 'draining'")
    book.instance("loading", "a")
    book.enter("b", share="cleo", size=1.0)
    book.instance("idle", "a", served=3, failed=1, busy_s=8.0)
    book.instance("resting", health="resting", rests_until=T0 + 4.0)
    book.instance("down", health="down", rests_until=T0 + 60.0)
    book.instance("drained", mode="drained")
    book.instance("removed", mode="removed")
    book.now += 2.0

    found = {one.name: one for one in states(book.change, book.now)}

    assert [name for name, one in found.items() if one.state != name] == []
    assert (found["busy"].job, found["busy"].since_s) == ("job of anna", 2.0)
    assert (found["idle"].mean_s, found["idle"].since_s, found["idle"].job) == (2.0, 0.0, None)
    assert (found["resting"].rest_s, found["down"].rest_s, found["idle"].rest_s) == (2.0, 58.0, 0.0)


def _why(book: Book, checkpoint: str, *controlnet: str) -> str | None:
    roster = Roster(Ledger(Host(None, "process")), made_up(1))
    return roster.why_unservable(book.change, checkpoint, controlnet)


def test_what_no_instance_has_is_named(book: Book) -> None:
    book.instance("gpu0", offers=json.dumps(["checkpoint:a", "controlnet:x"]))
    book.instance("gpu1", offers=json.dumps(["checkpoint:b", "controlnet:x"]))
    assert _why(book, "a") is None
    assert _why(book, "a.safetensors [0123456789]", "x [01234567]") is None
    assert _why(book, "c", "x") == "no WebUI has the checkpoint 'c'; install it there or change the preset"
    assert _why(book, "c", "y") == (
        "no WebUI has the ControlNet model 'y' and the checkpoint 'c'; install it there or change the preset"
    )


def test_what_no_instance_has_together_is_named_too(book: Book) -> None:
    book.instance("gpu0", offers=json.dumps(["checkpoint:a"]))
    book.instance("gpu1", offers=json.dumps(["controlnet:x"]))
    assert "'x'" in str(_why(book, "a", "x"))


def test_nothing_is_called_unservable_while_any_may_have_it(book: Book) -> None:
    book.instance("gpu0", offers=json.dumps([]))
    book.instance("gpu1")
    assert _why(book, "a") is None
    book.change.run("UPDATE instances SET mode = 'drained'")
    assert _why(book, "a") is None
