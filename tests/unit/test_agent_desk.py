"""The pool's book-keeping by a clock of the test's own: what is granted, refused, learned and forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from agent import desk, scene
from agent.desk import Outcome
from agent.host import Host
from agent.ledger import Ledger
from tests.pool_book import T0, Book

pytestmark = pytest.mark.unit


@pytest.fixture
def book() -> Iterator[Book]:
    """Open an empty book."""
    with Ledger(Host(None, "process")).change() as change:
        yield Book(change)


def test_whoever_is_granted_an_instance_is_told_once(book: Book) -> None:
    book.instance("gpu0")
    first, second = book.enter(), book.enter()
    assert (book.told, book.where(first), book.where(second)) == ([first], "gpu0", None)
    book.ends(first)
    assert (book.told, book.where(second)) == ([first, second], "gpu0")


def test_a_busy_instance_counts_with_the_checkpoint_that_it_will_have(book: Book) -> None:
    book.instance("gpu0", "a", load_s=2.5, unit_s=1.0)
    book.instance("gpu1", "b", load_s=9.0, unit_s=1.0)
    loading = book.enter("c", size=1.0)
    same, other = book.enter("c", size=1.0), book.enter("b", size=1.0)
    assert book.where(loading) == "gpu0"
    assert (book.where(same), book.where(other)) == (None, "gpu1")


def test_a_call_that_ended_twice_frees_nothing_the_second_time(book: Book) -> None:
    book.instance("gpu0")
    first = book.enter()
    second = book.enter()
    book.ends(first)
    desk.clear(book.change, "http://gpu0", "process", first, Outcome(served=True), book.now)
    assert (book.of("gpu0", "call"), book.of("gpu0", "served")) == (second, 1)


def test_speed_is_learned_from_single_pictures_and_later_ones_weigh_more(book: Book) -> None:
    book.instance("gpu0")
    for paint_s in (4.0, 2.0):
        book.ends(book.enter("a", size=2.0), paint_s=paint_s)
    assert book.of("gpu0", "unit_s") == pytest.approx(2.0 - 0.3)
    assert book.of("gpu0", "samples") == 2


def test_loads_and_calls_without_pictures_are_learned_apart(book: Book) -> None:
    book.instance("gpu0")
    book.ends(book.enter("a", size=2.0), paint_s=4.0, load_s=7.0)
    number = book.enter()
    book.now += 3.0
    book.ends(number)
    assert (book.of("gpu0", "load_s"), book.of("gpu0", "plain_s"), book.of("gpu0", "unit_s")) == (7.0, 3.0, 2.0)
    assert (book.of("gpu0", "loads_done"), book.of("gpu0", "loading_s")) == (1, 7.0)


def test_what_failed_teaches_nothing_about_speed(book: Book) -> None:
    book.instance("gpu0")
    book.ends(book.enter("a", size=2.0), served=False, failed=True, paint_s=0.1)
    assert book.of("gpu0", "unit_s") is None


def test_a_slow_instance_is_found_out_and_gets_less(book: Book) -> None:
    for name in ("fast", "slow"):
        book.instance(name, "a")
    seconds, running, waiting = {"fast": 1.0, "slow": 10.0}, dict[int, float](), [book.enter("a", size=1.0)]
    waiting += [book.enter("a", size=1.0) for _ in range(43)]
    while waiting:
        for number in waiting:
            where = book.where(number)
            if where and number not in running:
                running[number] = book.now + seconds[where]
        number = min(running, key=lambda one: running[one])
        book.now = running.pop(number)
        waiting.remove(number)
        book.ends(number, paint_s=seconds[str(book.where(number))])
    assert book.of("slow", "served") == 4
    assert book.now - T0 <= 44.0


def test_the_time_of_a_batch_is_learned_as_a_multiple_of_a_single_picture(book: Book) -> None:
    book.instance("gpu0", unit_s=1.0)
    assert scene.batch_factor(book.change, 4) is None
    book.ends(book.enter("a", size=2.0, pictures=4), paint_s=5.0)
    assert scene.batch_factor(book.change, 4) == pytest.approx(2.5)
    assert scene.batch_factor(book.change, 1) == 1.0
    assert scene.batch_factor(book.change, 3) == pytest.approx(2.0)


def test_a_batch_counts_for_what_it_takes_in_its_share(book: Book) -> None:
    book.instance("gpu0", unit_s=1.0)
    book.change.run("INSERT INTO learned VALUES ('batch:4', 2.5, 1)")
    book.enter("a", share="anna", size=2.0, pictures=4)
    assert scene.shares_of(book.change, book.now) == {"anna": pytest.approx(5.0)}


def test_what_was_served_long_ago_counts_half_every_ten_minutes(book: Book) -> None:
    book.instance("gpu0")
    book.ends(book.enter("a", share="anna", size=8.0))
    assert scene.shares_of(book.change, book.now + 1200.0) == {"anna": pytest.approx(2.0)}


def test_a_call_that_is_late_is_thought_to_take_the_longer_the_later_it_is(book: Book) -> None:
    book.instance("gpu0", "a", unit_s=1.0)
    book.enter("a", size=4.0)
    free_in = []
    for later in (0.0, 3.0, 10.0, 24.0):
        book.now = T0 + later
        free_in.append(scene.seats_of(book.change.rows(scene.INSTANCES), book.now)[0].free_in)
    assert free_in == pytest.approx([4.0, 1.0, 3.0, 10.0])


def test_who_waits_for_an_instance_that_is_late_goes_elsewhere_in_the_end(book: Book) -> None:
    book.instance("gpu0", "a", unit_s=1.0, load_s=5.0)
    book.instance("gpu1", "b", unit_s=1.0, load_s=5.0)
    book.enter("a", size=4.0)
    number = book.enter("a", size=1.0)
    assert book.where(number) is None
    book.now += 30.0
    book.schedule()
    assert book.where(number) == "gpu1"


def test_a_resting_instance_gets_nothing_and_one_that_served_is_well_again(book: Book) -> None:
    book.instance("gpu0")
    book.ends(book.enter(), served=False, failed=True)
    assert (book.of("gpu0", "health"), book.of("gpu0", "failures")) == ("resting", 1)
    number = book.enter()
    assert book.where(number) is None
    book.change.run("UPDATE instances SET health = 'up'")
    book.schedule()
    book.ends(number)
    assert (book.of("gpu0", "health"), book.of("gpu0", "failures")) == ("up", 0)


def test_with_every_open_instance_down_all_who_wait_are_refused(book: Book) -> None:
    book.instance("gpu0")
    book.instance("gpu1", mode="drained")
    running, waiting = book.enter(), book.enter()
    book.ends(running, served=False, failed=True, down=True)
    assert (book.where(waiting), book.told[-1]) == ("", waiting)
    assert book.where(book.enter()) == ""


def test_with_every_instance_drained_they_wait_for_one_to_be_resumed(book: Book) -> None:
    book.instance("gpu0", mode="drained")
    number = book.enter()
    assert book.where(number) is None
    book.change.run("UPDATE instances SET mode = 'open'")
    book.schedule()
    assert book.where(number) == "gpu0"


def test_a_wish_that_no_instance_can_meet_is_dropped(book: Book) -> None:
    book.instance("gpu0", offers=json.dumps(["sam"]))
    first = book.enter(needs="controlnet:x")
    assert book.where(first) == "gpu0"
    book.ends(first)
    assert book.where(book.enter(avoid="gpu0")) == "gpu0"


def test_a_wish_that_a_resting_instance_can_meet_is_waited_for(book: Book) -> None:
    book.instance("gpu0", offers=json.dumps(["sam"]), health="resting")
    book.instance("gpu1", offers=json.dumps([]))
    number = book.enter(needs="sam")
    assert book.where(number) is None
    book.change.run("UPDATE instances SET health = 'up'")
    book.schedule()
    assert book.where(number) == "gpu0"


def test_an_instance_of_which_nobody_knows_what_it_has_may_be_tried(book: Book) -> None:
    book.instance("gpu0", offers=json.dumps([]))
    book.instance("gpu1")
    assert book.where(book.enter(needs="sam")) == "gpu1"


def test_a_call_that_leaves_takes_nothing_with_it(book: Book) -> None:
    book.instance("gpu0", unsettled=1, abandoned_task="task-1")
    granted, waiting, staying = book.enter(), book.enter(), book.enter()
    assert not desk.withdraw(book.change, waiting)
    assert desk.withdraw(book.change, granted)
    book.schedule()
    assert book.where(staying) == "gpu0"
    assert (book.of("gpu0", "unsettled"), book.of("gpu0", "abandoned_task")) == (1, "task-1")
    assert (book.of("gpu0", "served"), book.of("gpu0", "failed")) == (0, 0)


def test_a_load_is_taken_to_hang_after_many_times_the_slowest_known(book: Book) -> None:
    book.instance("gpu0")
    assert desk.load_limit_s(book.change) is None
    for load_s, limit_s in ((1.0, 15.0), (20.0, 120.0)):
        book.change.run("UPDATE instances SET load_s = ?", load_s)
        assert desk.load_limit_s(book.change) == limit_s
