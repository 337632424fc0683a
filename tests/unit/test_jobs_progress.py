"""How far a job is, when it will be done, and what earlier ones taught about it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.host import Host
from agent.ledger import Ledger
from jobs.background import Background
from jobs.courses import Courses
from jobs.progress import Course, Progress
from jobs.pulse import differs
from store.clock import utc_now
from store.documents import Live
from tests.job_bench import record_for, until

pytestmark = pytest.mark.unit


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now_s


def test_a_picture_that_is_half_painted_counts_half() -> None:
    progress = Progress(expected=2.0)
    progress.announce(2)
    progress.begin("a", 1.0)
    progress.advance("a", 0.5)

    assert progress.value == 0.25


def test_what_is_announced_counts_before_it_begins() -> None:
    progress = Progress()
    progress.begin("subject", 0.1)
    progress.end("subject")
    progress.announce(1)

    assert progress.value == pytest.approx(0.1 / 1.1)


def test_nothing_but_the_end_is_whole() -> None:
    progress = Progress(expected=1.0)
    progress.begin("a", 1.0)
    progress.end("a")

    assert progress.value == 0.99


def test_a_job_that_has_done_nothing_is_at_the_beginning() -> None:
    assert Progress().value == 0.0


@given(st.lists(st.tuples(st.sampled_from(["begin", "advance", "end", "announce"]), st.integers(0, 3)), max_size=40))
def test_progress_never_goes_back_and_stays_in_its_bounds(events: list[tuple[str, int]]) -> None:
    progress, values = Progress(expected=2.0), [0.0]
    for number, (event, which) in enumerate(events):
        if event == "begin":
            progress.begin(str(which), 1.0 if which % 2 else 0.1)
        elif event == "advance":
            progress.advance(str(which), (number % 11) / 10)
        elif event == "end":
            progress.end(str(which))
        else:
            progress.announce(which)
        values.append(progress.value)

    assert values == sorted(values)
    assert 0 <= values[-1] < 1


def test_before_anything_is_known_nobody_says_when_it_ends() -> None:
    assert Progress().eta_s() is None


def test_a_job_that_has_no_call_yet_takes_as_long_as_those_before_it() -> None:
    clock = Clock()
    progress = Progress(course=Course(weight=1.1, lead_s=3.0, bare_s=10.0), clock=clock)

    assert progress.eta_s() == 13.0
    assert progress.eta_s(backlog_s=20.0) == 33.0
    clock.now_s += 2
    assert progress.eta_s() == 11.0
    clock.now_s += 5
    assert progress.eta_s() == 10.0, "it is late, and the rest still lies ahead"


def test_a_job_that_needs_no_instance_takes_as_long_as_those_before_it() -> None:
    clock = Clock()
    progress = Progress(course=Course(bare_s=4.0), clock=clock)
    clock.now_s += 1

    assert progress.eta_s(backlog_s=20.0) == 3.0


def test_a_job_that_waits_begins_when_the_pool_says_so() -> None:
    progress = Progress(course=Course(bare_s=10.0))
    progress.call("a")

    assert progress.eta_s(30.0, 34.0) == 40.0, "more follows than the calls that wait"
    assert progress.eta_s(30.0, 60.0) == 60.0


def test_a_job_under_way_has_the_rest_of_its_time() -> None:
    clock = Clock()
    progress = Progress(course=Course(lead_s=3.0, bare_s=10.0), clock=clock)
    progress.call("a")
    progress.lease("a")
    clock.now_s += 4

    assert progress.eta_s(0.0, 1.0) == 6.0
    clock.now_s += 20
    assert progress.eta_s(0.0, 1.0) == 1.0


def test_without_a_past_the_pool_alone_says_when_it_ends() -> None:
    assert Progress().eta_s(5.0, 8.0) == 8.0


def test_the_time_in_which_others_have_the_instances_is_not_the_jobs_own() -> None:
    clock = Clock()
    progress = Progress(clock=clock)
    clock.now_s += 2
    progress.call("a")
    progress.call("b")
    clock.now_s += 7
    progress.lease("a")
    clock.now_s += 5
    progress.end("a")
    clock.now_s += 30
    progress.lease("b")
    clock.now_s += 5
    progress.end("b")
    clock.now_s += 1

    assert (progress.seen.lead_s, progress.seen.bare_s, progress.work_s) == (2.0, 11.0, 10.0)


@pytest.fixture
def background() -> Iterator[Background]:
    """Run what nobody waits for."""
    background = Background()
    yield background
    background.stop()


def test_a_run_teaches_how_long_the_next_one_of_its_kind_takes(background: Background) -> None:
    courses, clock = Courses(Ledger(Host(None, "me")), background), Clock()
    record = record_for("me")
    assert courses.of(record) == Course()
    progress = Progress(clock=clock)
    progress.begin("a", 1.0)
    clock.now_s += 2
    progress.call("a")
    progress.lease("a")
    clock.now_s += 5
    progress.end("a")

    courses.learn(record, progress)

    until(courses.work_s)
    assert courses.of(record) == Course(weight=1.0, lead_s=2.0, bare_s=5.0)
    assert courses.work_s() == 5.0
    other = record.model_copy(update={"operation": "another"})
    assert courses.of(other) == Course()


@pytest.mark.parametrize(
    ("told", "now", "is_news"),
    [
        ((0.5, 1, 10.0), (0.505, 1, 10.2), False),
        ((0.5, 1, 10.0), (0.51, 1, 10.0), True),
        ((0.5, 1, 10.0), (0.5, 0, 10.0), True),
        ((0.5, 1, None), (0.5, 1, 10.0), True),
        ((0.5, 1, None), (0.5, 1, None), False),
        ((0.5, 1, 10.0), (0.5, 1, 15.0), True),
    ],
)
def test_only_what_somebody_would_see_is_news(
    told: tuple[float, int, float | None], now: tuple[float, int, float | None], is_news: bool
) -> None:
    at = utc_now()
    one, other = (Live(progress=p, place=place, eta_s=eta, at=at) for p, place, eta in (told, now))

    assert differs(one, other) is is_news
