"""What a job is while it runs: a record before any work, its steps and results in it, and an end that is true."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, Field

from agent.host import Host
from agent.images import opened
from jobs import workshop
from jobs.context import generation_id
from jobs.run import Run
from jobs.submission import Image, Product, Text, chosen_seed, output_of, record_of
from store.documents import GenerationRecord
from store.errors import DocumentTooLargeError, DuplicateError
from store.generations import Generations
from store.stores import Stores
from tests.job_bench import Bench, Gate, kept, submission, until
from tests.stand_ins import picture

pytestmark = pytest.mark.unit


class Note(BaseModel):
    """A text as operations make it."""

    words: str = Field(alias="话")
    spare: str | None = None


@pytest.fixture
def run(bench: Bench) -> Callable[..., GenerationRecord]:
    """Give a function that runs one operation to its end."""
    return lambda operation, **more: kept(bench.stores, bench.jobs(operation).run(submission(**more)).id)


def _only_record(stores: Stores) -> GenerationRecord:
    [document] = stores.database.collection("generations").find({})
    return kept(stores, document["_id"])


def test_the_record_is_there_when_a_submission_is_accepted(bench: Bench, stores: Stores) -> None:
    gate = Gate()

    record = bench.jobs(gate).submit(submission())

    assert _only_record(stores) == kept(stores, record.id)
    assert kept(stores, record.id).state == "queued"
    gate.may_end.set()


def test_a_job_whose_record_cannot_be_written_ends_and_leaves_nothing(bench: Bench, stores: Stores) -> None:
    jobs = bench.jobs(lambda _run: [Image("a" * 64)])
    taken = submission()
    stores.generations.insert(record_of(taken, "another runner", ()))

    with pytest.raises(DuplicateError):
        jobs.submit(taken)

    until(lambda: not jobs.runner.jobs)
    assert kept(stores, taken.generation_id).outputs == ()


def test_a_job_that_only_chats_runs_from_its_first_question_on(bench: Bench, stores: Stores) -> None:
    gate = Gate()
    jobs = bench.jobs(gate, presets={(1, "op"): ()})
    record = jobs.submit(submission())
    gate.wait_until_begun()

    until(lambda: kept(stores, record.id).state == "running")

    gate.may_end.set()
    ended = jobs.wait(record.id, 10)
    assert ended.started_at is not None
    assert [entry.state for entry in ended.log if entry.type == "state"] == ["queued", "running", "succeeded"]


def test_a_job_that_paints_waits_for_its_first_instance_to_be_running(bench: Bench, stores: Stores) -> None:
    gate = Gate()
    jobs = bench.jobs(gate, presets={(1, "op"): ("sketch_create_new",)})
    record = jobs.submit(submission())
    gate.wait_until_begun()
    with_step = until(lambda: jobs.runner.job(record.id))
    assert with_step is not None

    assert kept(stores, record.id).state == "queued"
    assert not with_step.recorder.has_begun

    gate.may_end.set()
    assert jobs.wait(record.id, 10).state == "succeeded"


def test_what_was_made_stands_in_the_record_in_order(run: Callable[..., GenerationRecord]) -> None:
    record = run(lambda _run: [Text(Note.model_validate({"话": "一"})), Image("a" * 64)])

    outputs = [(output.index, output.kind, output.text, output.image_id) for output in record.outputs]
    assert outputs == [(0, "text", '{"话":"一"}', None), (1, "image", None, "a" * 64)]


def test_a_result_that_is_shown_stands_in_the_record_before_the_others_are_made(bench: Bench, stores: Stores) -> None:
    may_end = threading.Event()

    def operation(run: Run) -> list[Product]:
        with run._recorder.step("sam", "cut"):
            pass
        second = run.show(Image("b" * 64), 1)
        assert may_end.wait(10)
        return [Image("a" * 64), second]

    jobs = bench.jobs(operation)
    record = jobs.submit(submission(num=2))

    [early] = until(lambda: kept(stores, record.id).outputs)

    assert (early.index, early.image_id) == (1, "b" * 64)
    assert early.step == kept(stores, record.id).steps[0].id
    may_end.set()
    ended = jobs.wait(record.id, 10)
    assert [output.index for output in ended.outputs] == [1, 0], "in the order in which they appeared, each once"


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt("stopped"), SystemExit("ended")])
def test_an_error_of_any_kind_ends_the_record(run: Callable[..., GenerationRecord], error: BaseException) -> None:
    def operation(_run: Run) -> list[Product]:
        raise error

    record = run(operation)

    assert record.error is not None
    assert (record.state, record.error.type, record.error.message) == ("failed", type(error).__name__, str(error))


def test_an_operation_that_does_not_exist_leaves_no_record(bench: Bench, stores: Stores) -> None:
    unknown = submission()
    object.__setattr__(unknown, "operation", "another")

    with pytest.raises(KeyError):
        bench.jobs().submit(unknown)

    assert stores.database.collection("generations").count_documents({}) == 0


def test_log_lines_of_the_work_carry_the_generations_id(run: Callable[..., GenerationRecord]) -> None:
    seen: list[str] = []

    record = run(lambda _run: seen.append(generation_id.get()) or [])

    assert seen == [record.id]
    assert generation_id.get() == "-"


def test_a_job_that_takes_too_long_fails_with_the_reason(bench: Bench) -> None:
    record = bench.jobs(Gate(), timeout_s=0.2).run(submission())

    assert record.error is not None
    assert (record.state, record.error.type) == ("failed", "JobTimeoutError")
    assert "JOB_TIMEOUT" in record.error.message


def test_the_record_says_where_the_time_went(bench: Bench) -> None:
    def operation(run: Run) -> list[Product]:
        with run._recorder.step("txt2img", "sketch") as step:
            step.waited_s = 2.0
            step.details |= {"load_s": 3.0, "paint_s": 4.0, "network_s": 0.5}
        with run._recorder.step("txt2img", "sketch") as step:
            step.details |= {"load_s": 0.0, "paint_s": 1.0, "network_s": 0.25}
        return []

    times = bench.jobs(operation).run(submission()).times

    assert (times["load_s"], times["paint_s"], times["network_s"]) == (3.0, 5.0, 0.75)
    assert 2.0 <= times["queued_s"] < 3.0
    assert 0 < times["total_s"] < 5
    assert (times["chat_s"], times["sam_s"]) == (0.0, 0.0)


def test_the_canvas_is_laid_on_white_ground(run: Callable[..., GenerationRecord], stores: Stores) -> None:
    sha256 = stores.contents.put(picture(mode="RGBA"), "image/png").sha256
    seen: list[bytes] = []

    run(lambda one: seen.append(one.canvas("model_view")) or [], image_ids=(sha256,))

    with opened(seen[0]) as image:
        assert image.mode == "RGB"


@pytest.mark.parametrize(("texts", "shown"), [((), ""), (("一",), "'一'"), (("一", "it's"), "'一', 'it's'")])
def test_selected_texts_stand_in_single_quotes(
    run: Callable[..., GenerationRecord], texts: tuple[str, ...], shown: str
) -> None:
    seen: list[str] = []

    run(lambda one: seen.append(one.texts) or [], texts=texts)

    assert seen == [shown]


def test_not_more_jobs_begin_at_once_than_a_process_is_good_for(bench: Bench) -> None:
    gate = Gate()
    jobs = bench.jobs(gate, max_started=3)
    records = [jobs.submit(submission(f"participant {number % 2}")) for number in range(8)]
    gate.wait_until_begun(3)
    assert len(jobs.runner.jobs) == 8

    gate.may_end.set()

    assert {jobs.wait(record.id, 10).state for record in records} == {"succeeded"}
    assert gate.most == 3


def test_a_new_participant_begins_before_one_who_has_many_jobs_under_way(bench: Bench) -> None:
    order: list[str] = []
    gates = {name: Gate() for name in ("many", "few")}

    def operation(run: Run) -> list[Product]:
        order.append(run._recorder._share)
        return list(gates[run._recorder._share](run))

    jobs = bench.jobs(operation, max_started=2)
    busy = [jobs.submit(submission("many")) for _ in range(5)]
    gates["many"].wait_until_begun(2)
    late = jobs.submit(submission("few"))

    assert jobs.cancel(busy[0].id).state == "canceled"
    gates["few"].wait_until_begun()

    assert order == ["many", "many", "few"]
    for gate in gates.values():
        gate.may_end.set()
    assert jobs.wait(late.id, 10).state == "succeeded"


def test_outputs_number_the_products() -> None:
    assert output_of(Image("a"), 3, "step").model_dump(include={"index", "step"}) == {"index": 3, "step": "step"}


def test_a_text_is_written_under_its_readable_names_without_nulls() -> None:
    assert Text(Note.model_validate({"话": '一"二'})).json() == '{"话":"一\\"二"}'


def test_a_seed_that_was_asked_for_is_kept_and_another_is_chosen_at_random() -> None:
    assert chosen_seed(0) == 0
    chosen = {chosen_seed(None) for _ in range(20)}
    assert len(chosen) > 1
    assert all(0 <= seed < 2**32 for seed in chosen)


def test_a_run_is_handed_what_its_record_says(bench: Bench, stores: Stores) -> None:
    seen: list[Any] = []
    jobs = bench.jobs(lambda run: seen.append(run.inputs) or [])

    asked = submission(texts=("一",), num=3)
    jobs.run(asked)

    assert seen == [asked.inputs]


@pytest.mark.parametrize("way", ["by the bell", "by the database"])
def test_every_process_finds_out_when_a_job_of_another_has_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "by the bell":
        monkeypatch.setattr(workshop, "LOOK_S", 3600.0)
    else:
        monkeypatch.setattr(Host, "tell", lambda *_args: None)
    gate = Gate()
    here, there = bench.jobs(gate), bench.jobs(gate)
    for jobs in (here, there):
        jobs.start()
    record = here.submit(submission())
    gate.wait_until_begun()
    threading.Timer(0.05, gate.may_end.set).start()

    assert there.wait(record.id, 10).state == "succeeded"


def test_an_end_that_does_not_fit_into_the_record_is_told_in_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(*_args: Any, **_more: Any) -> None:
        raise DocumentTooLargeError("the document is over MongoDB's 16 MB")

    monkeypatch.setattr(Generations, "finish", too_large)

    record = bench.jobs(lambda _run: [Image("a" * 64)]).run(submission())

    assert record.error is not None
    assert (record.state, record.error.type) == ("failed", "DocumentTooLargeError")
