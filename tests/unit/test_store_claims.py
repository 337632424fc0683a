"""Claims: only who owns a generation writes to it, each thing once, whatever gets lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from store.claims import Claim
from store.clock import utc_now
from store.documents import ErrorRecord, Live, Output, StepRecord
from store.errors import DocumentTooLargeError, NotFoundError, OwnershipLostError
from store.generations import Generations
from tests.stores import new_record, opened_stores, queued, read, running

ERROR = ErrorRecord(type="SDTimeoutError", message="no answer")
IMAGE = Output(kind="image", image_id="a" * 64, step="s1")
CHAT = StepRecord(kind="chat", name="x", id="s1")
PAINT = StepRecord(kind="txt2img", name="y", id="s2")
TIMES = {"queued_s": 0.25, "painting_s": 2.5}
Change = Callable[[Generations, Claim], Claim]

CHANGES: dict[str, Change] = {
    "run": lambda generations, claim: generations.write(claim, state="running"),
    "step": lambda generations, claim: generations.write(claim, steps=[CHAT]),
    "output": lambda generations, claim: generations.write(claim, outputs=[IMAGE]),
    "all": lambda generations, claim: generations.write(claim, state="running", steps=[CHAT], outputs=[IMAGE]),
    "finish": lambda generations, claim: generations.finish(claim, steps=[PAINT], outputs=[IMAGE], times=TIMES),
    "fail": lambda generations, claim: generations.fail(claim, ERROR, steps=[PAINT], outputs=[IMAGE]),
}
every_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


@pytest.fixture
def generations(mongo_uri: str, database_name: str) -> Iterator[Generations]:
    with opened_stores(mongo_uri, database_name) as opened:
        yield opened.generations


def happened(generations: Generations, generation_id: str) -> list[str]:
    """Tell the log of a record in words, after a look that it is counted without a gap."""
    record = read(generations, generation_id)
    assert [entry.seq for entry in record.log] == list(range(1, record.revision + 1))
    return [
        entry.state or entry.step or record.outputs[-1 if entry.output is None else entry.output].kind
        for entry in record.log
    ]


def test_a_generation_goes_from_queued_over_running_to_succeeded(generations: Generations) -> None:
    claim = generations.write(queued(generations), steps=[CHAT])
    assert read(generations, claim.generation_id).state == "queued"
    claim = generations.write(claim, state="running")
    started = read(generations, claim.generation_id)
    assert (started.state, started.revision, started.started_at) == ("running", 3, claim.started_at)
    claim = generations.write(claim, steps=[PAINT], outputs=[IMAGE])
    claim = generations.finish(claim, outputs=[Output(kind="text", text="t")], times=TIMES)
    ended = read(generations, claim.generation_id)
    assert (ended.state, ended.error, ended.times, ended.revision) == ("succeeded", None, TIMES, claim.revision)
    assert ended.created_at <= ended.started_at <= ended.ended_at  # type: ignore[operator]
    assert ended.duration_s == (ended.ended_at - ended.started_at).total_seconds()  # type: ignore[operator]
    assert happened(generations, claim.generation_id) == [
        *("queued", "s1", "running", "s2", "image", "text", "succeeded"),
    ]


def test_a_short_generation_is_finished_in_one_write(generations: Generations) -> None:
    began_at = utc_now() - timedelta(seconds=3)
    claim = generations.finish(queued(generations), steps=[PAINT], outputs=[IMAGE], started_at=began_at)
    ended = read(generations, claim.generation_id)
    assert (ended.state, ended.started_at, ended.outputs) == ("succeeded", began_at, (IMAGE,))
    assert ended.duration_s is not None and 3 <= ended.duration_s < 4
    assert happened(generations, claim.generation_id) == ["queued", "running", "s2", "image", "succeeded"]


def test_a_generation_begins_when_it_is_said_to_have_begun(generations: Generations) -> None:
    began_at = utc_now() - timedelta(seconds=3)
    claim = generations.write(queued(generations), state="running", started_at=began_at)
    assert (claim.started_at, read(generations, claim.generation_id).started_at) == (began_at, began_at)


def test_a_generation_begins_once(generations: Generations) -> None:
    claim = running(generations)
    assert generations.write(claim, state="running") == claim
    claim = generations.finish(claim, started_at=utc_now() + timedelta(hours=1))
    assert happened(generations, claim.generation_id) == ["queued", "running", "succeeded"]
    assert read(generations, claim.generation_id).started_at == claim.started_at


def test_a_failed_generation_keeps_its_error_and_what_was_made(generations: Generations) -> None:
    step = StepRecord(kind="txt2img", name="paint", error=ERROR)
    claim = generations.write(running(generations), outputs=[IMAGE])
    claim = generations.fail(claim, ERROR, steps=[step], times=TIMES)
    ended = read(generations, claim.generation_id)
    assert (ended.state, ended.error, ended.outputs, ended.times) == ("failed", ERROR, (IMAGE,), TIMES)
    assert [kept.error for kept in ended.steps] == [ERROR]


def test_a_generation_that_fails_while_queued_never_started(generations: Generations) -> None:
    claim = generations.fail(queued(generations), ERROR)
    ended = read(generations, claim.generation_id)
    assert (ended.state, ended.started_at, ended.duration_s) == ("failed", None, None)
    assert happened(generations, claim.generation_id) == ["queued", "failed"]


def test_a_write_of_nothing_changes_nothing(generations: Generations) -> None:
    claim = running(generations)
    before = read(generations, claim.generation_id)
    assert generations.write(claim) == claim
    assert read(generations, claim.generation_id) == before


def test_of_many_runners_one_gets_the_generation(generations: Generations) -> None:
    generation_id = generations.insert(new_record()).id

    def claim(owner: int) -> Claim | None:
        try:
            return generations.claim(generation_id, str(owner))
        except OwnershipLostError:
            return None

    with ThreadPoolExecutor(8) as threads:
        won = [claim for claim in threads.map(claim, range(8)) if claim is not None]
    assert [(claim.token, claim.revision) for claim in won] == [(1, 1)]
    record = read(generations, generation_id)
    assert (record.owner, record.token, record.attempt) == (won[0].owner, 1, 1)


def test_two_threads_of_one_runner_do_not_both_get_the_generation(generations: Generations) -> None:
    generation_id = generations.insert(new_record()).id

    def claim(_: int) -> bool:
        try:
            generations.claim(generation_id, "me")
        except OwnershipLostError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(claim, range(8))).count(True) == 1


@pytest.mark.parametrize("end", ["finish", "fail"])
def test_a_generation_that_has_ended_cannot_be_claimed(generations: Generations, end: str) -> None:
    claim = CHANGES[end](generations, queued(generations))
    with pytest.raises(OwnershipLostError) as caught:
        generations.claim(claim.generation_id, "another")
    assert (caught.value.state, caught.value.owner) == ("succeeded" if end == "finish" else "failed", "me")


def test_a_claim_is_told_from_a_record_as_well(generations: Generations) -> None:
    claim = generations.write(running(generations), steps=[CHAT], outputs=[IMAGE])
    assert generations.claim_of(read(generations, claim.generation_id)) == claim


@every_change
def test_a_runner_that_does_not_own_a_generation_writes_nothing(generations: Generations, change: Change) -> None:
    claim = queued(generations)
    before = read(generations, claim.generation_id)
    with pytest.raises(OwnershipLostError, match="is queued at revision 1 in the hands of me"):
        change(generations, Claim(claim.generation_id, "another", claim.token, claim.revision))
    assert read(generations, claim.generation_id) == before


@every_change
@pytest.mark.parametrize("fence", ["cancel", "requeue", "abandon"])
def test_a_runner_that_was_given_up_cannot_write_any_more(generations: Generations, change: Change, fence: str) -> None:
    claim = queued(generations)
    if fence == "cancel":
        generations.cancel(claim.generation_id)
    elif fence == "abandon":
        generations.abandon(claim.generation_id, "me", ERROR)
    else:
        # Even the same runner, come back and given the same work again, must not write with its old claim.
        generations.requeue(claim.generation_id, "me")
        generations.claim(claim.generation_id, "me")
    before = read(generations, claim.generation_id)
    with pytest.raises(OwnershipLostError):
        change(generations, claim)
    assert read(generations, claim.generation_id) == before


@every_change
@pytest.mark.parametrize("end", ["cancel", "finish"])
def test_what_has_ended_is_not_written_even_by_a_claim_read_afterwards(
    generations: Generations, change: Change, end: str
) -> None:
    claim = running(generations)
    if end == "cancel":
        generations.cancel(claim.generation_id)
    else:
        generations.finish(claim)
    before = read(generations, claim.generation_id)
    if change is CHANGES["run"]:
        assert change(generations, generations.claim_of(before)) == generations.claim_of(before)
    else:
        with pytest.raises(OwnershipLostError):
            change(generations, generations.claim_of(before))
    assert read(generations, claim.generation_id) == before


@every_change
def test_a_change_of_an_unknown_generation_is_an_error(generations: Generations, change: Change) -> None:
    with pytest.raises(NotFoundError, match="no generation nothing"):
        change(generations, Claim("nothing", "me", 1, 1))


def test_a_claim_of_an_unknown_generation_is_an_error(generations: Generations) -> None:
    with pytest.raises(NotFoundError, match="no generation nothing"):
        generations.claim("nothing", "me")


@every_change
def test_every_change_that_is_sent_twice_happens_once(generations: Generations, change: Change) -> None:
    claim = queued(generations)
    first = change(generations, claim)
    before = read(generations, claim.generation_id)
    again = change(generations, claim)
    assert (again.token, again.revision, again.outputs) == (first.token, first.revision, first.outputs)
    assert read(generations, claim.generation_id) == before


def test_an_old_claim_does_not_pass_for_a_repeat_of_another_write(generations: Generations) -> None:
    claim = running(generations)
    generations.write(claim, steps=[CHAT])
    with pytest.raises(OwnershipLostError, match="revision 3"):
        generations.write(claim, steps=[PAINT])
    assert [step.id for step in read(generations, claim.generation_id).steps] == ["s1"]


def test_a_live_report_stands_in_the_record_until_it_ends(generations: Generations) -> None:
    claim = running(generations)
    live = Live(progress=0.5, place=3, eta_s=1.5)
    before = read(generations, claim.generation_id)
    generations.set_live(claim, live)
    reported = read(generations, claim.generation_id)
    assert (reported.live, reported.revision, reported.log) == (live, before.revision, before.log)
    claim = generations.finish(claim)
    assert read(generations, claim.generation_id).live is None


def test_a_late_live_report_changes_nothing(generations: Generations) -> None:
    ended = generations.finish(running(generations))
    canceled = running(generations)
    generations.cancel(canceled.generation_id)
    for claim in (ended, canceled):
        generations.set_live(claim, Live(progress=0.5))
        assert read(generations, claim.generation_id).live is None


def test_details_of_any_shape_are_kept_as_near_as_they_can_be(generations: Generations) -> None:
    details = {
        "$set": {"a.b": 2**80},
        "nul\x00key": "\ud800",
        "image": "A" * 9_000_000,
        "sizes": (1, 2.5, None),
    }
    claim = generations.write(running(generations), steps=[StepRecord(kind="txt2img", name="x", details=details)])
    kept = read(generations, claim.generation_id).steps[0].details
    assert kept["$set"] == {"a.b": str(2**80)}
    assert kept["nul\ufffdkey"] == "\ufffd"
    assert kept["sizes"] == [1, 2.5, None]
    assert kept["image"].endswith("… (9000000 characters, cut)")


def test_outputs_over_16_mb_are_refused_and_the_generation_can_still_fail(generations: Generations) -> None:
    claim = running(generations)
    with pytest.raises(DocumentTooLargeError):
        generations.finish(claim, outputs=[Output(kind="text", text="x" * 17_000_000)])
    generations.fail(claim, ERROR)
    assert read(generations, claim.generation_id).state == "failed"
