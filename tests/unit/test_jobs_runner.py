"""The runner and its recorder: a record before any work, every step in it, and an end that is true."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from agent.images import opened
from apps.registry import PRESETS, PROMPTS
from jobs.context import generation_id
from jobs.heartbeat import UNWRITTEN, Heartbeat
from jobs.parallel import all_of
from jobs.parts import Parts
from jobs.recorder import Recorder
from jobs.run import Run
from jobs.runner import Runner, outputs_of
from jobs.submission import Finished, Image, Inputs, Product, Submission, Text, chosen_seed
from settings.book import SettingsBook
from store.documents import GenerationInputs, GenerationRecord
from store.stores import Stores
from tests.stand_ins import picture
from tests.stores import opened_stores

pytestmark = pytest.mark.unit

Operation = Callable[[Run], Sequence[Product]]
SETTINGS = Path(__file__).parent.parent.parent / "settings"


class Note(BaseModel):
    """A text as operations make it."""

    words: str = Field(alias="话")
    spare: str | None = None


@pytest.fixture
def stores(mongo_uri: str, database_name: str) -> Iterator[Stores]:
    """Open stores on a fresh database."""
    with opened_stores(mongo_uri, database_name) as opened:
        yield opened


@pytest.fixture
def parts(stores: Stores) -> Parts:
    """Give parts without any model service."""
    return Parts(stores, SettingsBook.load(SETTINGS, PROMPTS, PRESETS), chat=None, pool=None, multiview=None)


@pytest.fixture
def run(parts: Parts) -> Iterator[Callable[..., Finished]]:
    """Give a function that runs one operation."""
    runners: list[Runner] = []

    def start(operation: Operation, **inputs: Any) -> Finished:
        runner = Runner(parts, {(1, "op"): operation})
        runners.append(runner)
        return runner.run(Submission(1, "op", "participant", Inputs("task", 1, 7, **inputs), request_id="r"))

    yield start
    for runner in runners:
        runner.stop()


def _only_record(stores: Stores) -> GenerationRecord:
    [document] = stores.database.collection("generations").find({})
    record = stores.generations.get(document["_id"])
    assert record is not None
    return record


def test_the_record_says_running_before_the_work_begins(run: Callable[..., Finished], stores: Stores) -> None:
    states: list[str] = []

    def operation(_run: Run) -> list[Product]:
        states.append(_only_record(stores).state)
        return []

    run(operation)

    assert states == ["running"]
    assert _only_record(stores).state == "succeeded"


def test_what_was_made_stands_in_the_record_in_order(run: Callable[..., Finished], stores: Stores) -> None:
    finished = run(lambda _run: [Text(Note.model_validate({"话": "一"})), Image("a" * 64)])

    record = _only_record(stores)
    assert record.id == finished.generation_id
    outputs = [(output.index, output.kind, output.text, output.image_id) for output in record.outputs]
    assert outputs == [(0, "text", '{"话":"一"}', None), (1, "image", None, "a" * 64)]


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt("stopped"), SystemExit("ended")])
def test_an_error_of_any_kind_ends_the_record_and_goes_on_its_way(
    run: Callable[..., Finished], stores: Stores, error: BaseException
) -> None:
    def operation(_run: Run) -> list[Product]:
        raise error

    with pytest.raises(type(error)):
        run(operation)

    record = _only_record(stores)
    assert record.error is not None
    assert (record.state, record.error.type, record.error.message) == ("failed", type(error).__name__, str(error))


def test_an_operation_that_does_not_exist_leaves_no_record(parts: Parts, stores: Stores) -> None:
    with pytest.raises(KeyError):
        Runner(parts, {}).run(Submission(1, "op", "participant", Inputs("task", 1, 7)))

    assert stores.database.collection("generations").count_documents({}) == 0


def test_log_lines_of_the_work_carry_the_generations_id(run: Callable[..., Finished]) -> None:
    seen: list[str] = []

    finished = run(lambda _run: seen.append(generation_id.get()) or [])  # type: ignore[func-returns-value]

    assert seen == [finished.generation_id]
    assert generation_id.get() == "-"


def test_the_canvas_is_laid_on_white_ground(run: Callable[..., Finished], stores: Stores) -> None:
    sha256 = stores.contents.put(picture(mode="RGBA"), "image/png").sha256
    seen: list[bytes] = []

    run(lambda one: seen.append(one.canvas) or [], image_ids=(sha256,))  # type: ignore[func-returns-value]

    with opened(seen[0]) as image:
        assert image.mode == "RGB"


@pytest.mark.parametrize(("texts", "shown"), [((), ""), (("一",), "'一'"), (("一", "it's"), "'一', 'it's'")])
def test_selected_texts_stand_in_single_quotes(
    run: Callable[..., Finished], texts: tuple[str, ...], shown: str
) -> None:
    seen: list[str] = []

    run(lambda one: seen.append(one.texts) or [], texts=texts)  # type: ignore[func-returns-value]

    assert seen == [shown]


@pytest.fixture
def recorder(stores: Stores) -> Recorder:
    """Give the recorder of a generation that runs."""
    record = GenerationRecord(
        app_id=1, participant_id="p", operation="op", inputs=GenerationInputs(task="t"), owner="me"
    )
    stores.generations.insert(record)
    stores.generations.start(record.id, "me")
    return Recorder(stores.generations, record.id, "me")


def test_a_step_is_written_with_what_was_noted_inside_it(recorder: Recorder, stores: Stores) -> None:
    with recorder.step("chat", "brief", index=2) as step:
        step.details["template"] = "brief"
        step.waited_s = 0.25

    [kept] = _only_record(stores).steps
    assert (kept.kind, kept.name, kept.waited_s, kept.error) == ("chat", "brief", 0.25, None)
    assert kept.details == {"index": 2, "template": "brief"}
    assert kept.duration_s >= 0


def test_a_step_that_fails_is_written_with_its_error(recorder: Recorder, stores: Stores) -> None:
    with pytest.raises(ValueError, match="broken"), recorder.step("sam", "sam-predict") as step:
        step.details["attempts"] = ["one"]
        raise ValueError("broken")

    [kept] = _only_record(stores).steps
    assert kept.error is not None
    assert (kept.error.type, kept.error.message, kept.details) == ("ValueError", "broken", {"attempts": ["one"]})


def test_steps_of_many_threads_are_all_written(recorder: Recorder, stores: Stores) -> None:
    meeting = threading.Barrier(8)

    def one(index: int) -> None:
        with recorder.step("txt2img", "sketch", index=index):
            meeting.wait(5)

    all_of([lambda i=i: one(i) for i in range(8)])  # type: ignore[misc]

    assert sorted(step.details["index"] for step in _only_record(stores).steps) == list(range(8))


def test_a_generation_whose_end_could_not_be_written_is_closed_later(stores: Stores) -> None:
    heartbeat = Heartbeat(stores)
    record = GenerationRecord(
        app_id=1, participant_id="p", operation="op", inputs=GenerationInputs(task="t"), owner=heartbeat.runner_id
    )
    with heartbeat.working_on(record.id):
        stores.generations.insert(record)
        assert heartbeat.close_abandoned() == 0, "it is still being worked on"
    heartbeat.stop()

    assert heartbeat.close_abandoned() == 1
    assert _only_record(stores).error == UNWRITTEN


def test_a_heartbeat_that_is_started_twice_has_one_thread(stores: Stores) -> None:
    def beating() -> set[int | None]:
        return {thread.ident for thread in threading.enumerate() if thread.name == "heartbeat"}

    heartbeat, others = Heartbeat(stores), beating()
    heartbeat.start()
    heartbeat.start()

    assert len(beating() - others) == 1
    heartbeat.stop()
    assert beating() - others == set()


def test_a_process_has_beaten_before_it_works_on_anything(stores: Stores) -> None:
    heartbeat = Heartbeat(stores)
    with heartbeat.working_on("a generation"):
        assert stores.database.collection("runners").count_documents({"_id": heartbeat.runner_id}) == 1
    heartbeat.stop()


def test_outputs_number_the_products() -> None:
    assert [output.index for output in outputs_of([Image("a"), Image("b"), Image("c")])] == [0, 1, 2]


def test_a_text_is_written_under_its_readable_names_without_nulls() -> None:
    assert Text(Note.model_validate({"话": '一"二'})).json() == '{"话":"一\\"二"}'


def test_a_seed_that_was_asked_for_is_kept_and_another_is_chosen_at_random() -> None:
    assert chosen_seed(0) == 0
    chosen = {chosen_seed(None) for _ in range(20)}
    assert len(chosen) > 1
    assert all(0 <= seed < 2**32 for seed in chosen)
