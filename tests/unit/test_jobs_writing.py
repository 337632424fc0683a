"""What a run notes comes into its record: in order, together, once, and not when it is somebody else's by now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jobs import patience, writing
from jobs.background import Background
from jobs.parallel import all_of
from jobs.recorder import Recorder
from jobs.submission import Image
from jobs.writing import Writing
from store.claims import Claim
from store.documents import ErrorRecord, GenerationRecord, StepRecord
from store.errors import DocumentTooLargeError, OwnershipLostError, StoreUnavailableError
from store.generations import Generations
from store.stores import Stores
from tests.job_bench import kept, record_for, until

pytestmark = pytest.mark.unit

Write = Callable[..., Claim]


@pytest.fixture
def background() -> Iterator[Background]:
    """Run what nobody waits for."""
    background = Background()
    yield background
    background.stop()


@pytest.fixture
def record(stores: Stores) -> GenerationRecord:
    """Have a record that is ours."""
    return stores.generations.insert(record_for("me"))


@pytest.fixture
def note(stores: Stores, record: GenerationRecord, background: Background) -> Writing:
    """Write to that record."""
    return Writing(stores.generations, stores.generations.claim_of(record), background)


@pytest.fixture
def recorder(note: Writing) -> Recorder:
    """Give the recorder of a generation."""
    return Recorder(note)


def _step(name: str) -> StepRecord:
    return StepRecord(kind="chat", name=name)


def test_a_step_is_written_with_what_was_noted_inside_it(
    recorder: Recorder, stores: Stores, record: GenerationRecord
) -> None:
    with recorder.step("chat", "brief", index=2) as step:
        step.details["template"] = "brief"
        step.waited_s = 0.25

    [found] = until(lambda: kept(stores, record.id).steps)
    assert (found.kind, found.name, found.waited_s, found.error) == ("chat", "brief", 0.25, None)
    assert found.details == {"index": 2, "template": "brief"}
    assert found.id == step.id


def test_a_step_that_fails_is_written_with_its_error(
    recorder: Recorder, stores: Stores, record: GenerationRecord
) -> None:
    with pytest.raises(ValueError, match="broken"), recorder.step("sam", "sam-predict") as step:
        step.details["attempts"] = ["one"]
        raise ValueError("broken")

    [found] = until(lambda: kept(stores, record.id).steps)
    assert found.error is not None
    assert (found.error.type, found.error.message, found.details) == ("ValueError", "broken", {"attempts": ["one"]})


def test_steps_of_many_threads_are_all_written(recorder: Recorder, stores: Stores, record: GenerationRecord) -> None:
    meeting = threading.Barrier(8)

    def one(index: int) -> None:
        with recorder.step("txt2img", "sketch", index=index):
            meeting.wait(5)

    all_of([lambda i=i: one(i) for i in range(8)])  # type: ignore[misc]
    recorder.finish([], {})

    assert sorted(step.details["index"] for step in kept(stores, record.id).steps) == list(range(8))


def test_what_comes_together_is_written_together(
    recorder: Recorder, stores: Stores, record: GenerationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[str] = []
    _spied(monkeypatch, "write", lambda *_args, **_more: writes.append("write"))

    recorder.begin()
    with recorder.step("chat", "one"):
        pass
    recorder.show(Image("a" * 64), 0)
    recorder.finish([Image("a" * 64)], {"total_s": 1.0})

    assert writes == [], "one write at the end carries all"
    ended = kept(stores, record.id)
    assert (len(ended.steps), len(ended.outputs), ended.times) == (1, 1, {"total_s": 1.0})
    assert [entry.type for entry in ended.log] == ["state", "state", "step", "output", "state"]


def _spied(monkeypatch: pytest.MonkeyPatch, name: str, before: Callable[..., Any]) -> None:
    """Call `before` before each call of a write of the store; it may raise."""
    original: Write = getattr(Generations, name)

    def spy(self: Generations, *args: Any, **more: Any) -> Claim:
        before(*args, **more)
        return original(self, *args, **more)

    monkeypatch.setattr(Generations, name, spy)


def test_a_runner_that_lost_its_job_writes_nothing_more_and_is_told(
    stores: Stores, record: GenerationRecord, background: Background
) -> None:
    lost = threading.Event()
    note = Writing(stores.generations, stores.generations.claim_of(record), background, lost=lost.set)
    stores.generations.cancel(record.id)

    note.add(steps=[_step("late")])

    assert lost.wait(5)
    assert kept(stores, record.id).steps == ()
    with pytest.raises(OwnershipLostError):
        note.finish([], {})
    assert kept(stores, record.id).state == "canceled"


class _Away:
    """A database whose next answers do not come; `after` says whether the write is done all the same."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, times: int, *, is_done: bool) -> None:
        self.times = times
        original: Write = getattr(Generations, name)

        def broken(generations: Generations, *args: Any, **more: Any) -> Claim:
            if self.times == 0:
                return original(generations, *args, **more)
            self.times -= 1
            if is_done:
                original(generations, *args, **more)
            raise StoreUnavailableError("MongoDB is not reached")

        monkeypatch.setattr(Generations, name, broken)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon."""
    monkeypatch.setattr(patience, "RETRY_S", 0.01)
    monkeypatch.setattr(writing, "AGAIN_S", 0.01)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("is_done", [True, False], ids=["the write got through", "the write was lost"])
@pytest.mark.parametrize("name", ["write", "finish"])
def test_what_could_not_be_written_is_written_once_when_the_database_is_back(
    note: Writing, stores: Stores, record: GenerationRecord, monkeypatch: pytest.MonkeyPatch, name: str, is_done: bool
) -> None:
    away = _Away(monkeypatch, name, 2, is_done=is_done)

    note.begin()
    note.add(steps=[_step("one")])
    if name == "write":
        until(lambda: away.times == 0)
    note.add(steps=[_step("two")])
    note.finish([], {})

    assert note.is_ended
    ended = kept(stores, record.id)
    assert ended.state == "succeeded"
    assert [step.name for step in ended.steps] == ["one", "two"]
    assert [entry.state for entry in ended.log if entry.type == "state"] == ["queued", "running", "succeeded"]


@pytest.mark.usefixtures("quick")
def test_an_end_that_cannot_be_written_for_too_long_is_given_up(note: Writing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE_S", 0.05)
    _Away(monkeypatch, "fail", 10_000, is_done=False)

    with pytest.raises(StoreUnavailableError):
        note.fail(ErrorRecord(type="X", message="x"), {})


@pytest.mark.usefixtures("quick")
def test_a_job_that_changed_hands_while_the_database_was_away_is_not_ended_by_its_first_runner(
    note: Writing, stores: Stores, record: GenerationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = _Away(monkeypatch, "finish", 1, is_done=False)
    take = stores.generations.requeue

    def taken() -> None:
        until(lambda: away.times == 0)
        take(record.id, "me")

    thread = threading.Thread(target=taken)
    monkeypatch.setattr(patience, "RETRY_S", 0.2)
    thread.start()
    with pytest.raises(OwnershipLostError):
        note.finish([], {})

    thread.join()
    assert kept(stores, record.id).state == "queued"


def test_a_record_that_grew_too_large_fails_the_job_at_its_next_step(
    note: Writing, recorder: Recorder, stores: Stores, record: GenerationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_args: Any, **_more: Any) -> None:
        raise DocumentTooLargeError("the document is over MongoDB's 16 MB")

    _spied(monkeypatch, "write", too_large)
    note.add(steps=[_step("huge")])
    until(lambda: note._broken)

    with pytest.raises(DocumentTooLargeError), recorder.step("chat", "next"):
        pass

    recorder.fail(ErrorRecord(type="DocumentTooLargeError", message="too large"), {})
    assert kept(stores, record.id).state == "failed"
