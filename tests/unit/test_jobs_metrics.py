"""What is counted comes out of `/metrics`, whatever processes counted it and whichever of them still live."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.conversation import ChatReply
from agent.errors import (
    AnswerUnusableError,
    ChatError,
    ChatNotConfiguredError,
    ChatTimeoutError,
    ContentFilteredError,
)
from jobs.chat_counts import count_calls
from jobs.measures import BY_NAME, COUNTED, Measure
from jobs.metrics import NO_METRICS, NoMetrics, Reading
from jobs.prometheus import PrometheusMetrics, quantile
from store.documents import GenerationInputs, GenerationRecord

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent.parent
ROW = re.compile(r"^\| `(stepideator_\w+)` \| (counter|gauge|histogram) \| (.*?) ?\| (.+) \|$", re.MULTILINE)
NAME = re.compile(r"^# TYPE (\w+) (\w+)$", re.MULTILINE)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


Open = Callable[[], PrometheusMetrics]


@pytest.fixture
def open_metrics(tmp_path: Path) -> Iterator[Open]:
    """Open metrics as another process would: all on the same folder."""
    with ExitStack() as opened:

        def open_one() -> PrometheusMetrics:
            return opened.enter_context(closing(PrometheusMetrics(tmp_path)))

        yield open_one


@pytest.fixture
def metrics(open_metrics: Open) -> PrometheusMetrics:
    """Open metrics of one process."""
    return open_metrics()


def ended_job(state: str = "succeeded", waited_s: float = 2, total_s: float = 6) -> GenerationRecord:
    """Make the record of a job that was accepted, started and ended at these seconds."""
    values: dict[str, Any] = {
        "state": state,
        "created_at": BEGAN,
        "started_at": BEGAN + timedelta(seconds=waited_s),
        "ended_at": BEGAN + timedelta(seconds=total_s),
    }
    inputs = GenerationInputs(task="台灯")
    return GenerationRecord(app_id=1, participant_id="p", operation="sketch.create_new", inputs=inputs, **values)


def lines(metrics: PrometheusMetrics, name: str) -> list[str]:
    """The lines of one measure, without comments and buckets."""
    return [line for line in metrics.text().splitlines() if line.startswith(name) and "_bucket{" not in line]


def in_another_process(folder: Path, code: str) -> None:
    """Count in a process of its own, and kill it in the end."""
    program = (
        "import os, pathlib, sys; from jobs.prometheus import PrometheusMetrics; "
        f"metrics = PrometheusMetrics(pathlib.Path(sys.argv[1])); {code}; os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(folder)], cwd=ROOT, check=False, timeout=30)
    assert ended.returncode == -9


def test_nothing_is_opened_before_something_is_counted(tmp_path: Path) -> None:
    PrometheusMetrics(tmp_path / "metrics")
    assert not (tmp_path / "metrics").exists()


def test_the_counts_of_two_processes_are_added_up(open_metrics: Open) -> None:
    first, second = open_metrics(), open_metrics()
    first.job_accepted("sketch.create_new")
    second.job_accepted("sketch.create_new")
    second.job_refused("brief.extend")

    for reader in (first, second):
        assert lines(reader, "stepideator_jobs_accepted") == [
            'stepideator_jobs_accepted_total{operation="sketch.create_new"} 2.0'
        ]
        assert lines(reader, "stepideator_jobs_refused") == [
            'stepideator_jobs_refused_total{operation="brief.extend"} 1.0'
        ]


def test_a_killed_process_leaves_its_counters_and_takes_its_gauges_with_it(
    metrics: PrometheusMetrics, tmp_path: Path
) -> None:
    metrics.request_begun()
    in_another_process(tmp_path, "metrics.request_begun(); metrics.job_requeued('brief.extend')")

    assert lines(metrics, "stepideator_http_requests_running") == ["stepideator_http_requests_running 1.0"]
    assert lines(metrics, "stepideator_jobs_requeued") == [
        'stepideator_jobs_requeued_total{operation="brief.extend"} 1.0'
    ]


def test_the_next_process_counts_on_where_a_killed_one_stopped_in_the_same_files(
    metrics: PrometheusMetrics, tmp_path: Path
) -> None:
    metrics.job_accepted("brief.extend")
    for _ in range(3):
        in_another_process(tmp_path, "metrics.request_begun(); metrics.job_accepted('brief.extend')")

    assert lines(metrics, "stepideator_jobs_accepted") == [
        'stepideator_jobs_accepted_total{operation="brief.extend"} 4.0'
    ]
    assert lines(metrics, "stepideator_http_requests_running") == []
    assert len(list(tmp_path.glob("*.db"))) == 6


def test_a_server_that_starts_anew_counts_from_zero(metrics: PrometheusMetrics, tmp_path: Path) -> None:
    in_another_process(tmp_path, "metrics.job_accepted('brief.extend')")
    metrics.job_refused("brief.extend")

    assert lines(metrics, "stepideator_jobs_accepted") == []


def test_a_forked_process_has_files_of_its_own(tmp_path: Path) -> None:
    code = (
        "metrics.job_accepted('a'); "
        "child = os.fork(); "
        "metrics.job_accepted('a'); "
        "child or os._exit(0); "
        "os.waitpid(child, 0); "
        "assert 'operation=\"a\"} 3.0' in metrics.text(), metrics.text()"
    )
    in_another_process(tmp_path, code)


def test_an_ended_job_is_counted_with_its_times_and_the_error_of_its_forecast(metrics: PrometheusMetrics) -> None:
    metrics.job_ended(ended_job(waited_s=2, total_s=6), forecast_s=5.5)
    metrics.job_ended(ended_job("failed", total_s=60), forecast_s=1)

    label = 'operation="sketch.create_new"'
    text = metrics.text()
    assert f'stepideator_jobs_ended_total{{{label},state="succeeded"}} 1.0' in text
    assert f'stepideator_jobs_ended_total{{{label},state="failed"}} 1.0' in text
    assert f"stepideator_job_waiting_seconds_sum{{{label}}} 4.0" in text
    assert f"stepideator_job_total_seconds_sum{{{label}}} 66.0" in text
    assert "stepideator_job_eta_error_seconds_sum 0.5" in text, "a job that failed says nothing of a forecast"


def test_half_and_nine_tenths_of_the_forecasts_errors_can_be_read(metrics: PrometheusMetrics) -> None:
    for error_s in (0.4, 0.4, 0.4, 0.4, 0.4, 2.5, 2.5, 2.5, 2.5, 40):
        metrics.job_ended(ended_job(total_s=50), forecast_s=50 - error_s)

    assert lines(metrics, "stepideator_job_eta_error_p50_seconds") == ["stepideator_job_eta_error_p50_seconds 0.5"]
    assert lines(metrics, "stepideator_job_eta_error_p90_seconds") == ["stepideator_job_eta_error_p90_seconds 3.0"]


@pytest.mark.parametrize(
    ("share", "value"), [(0.25, 0.5), (0.5, 1.0), (0.7, 4.2), (1.0, 5.0)], ids=["a", "edge", "inside", "endless"]
)
def test_a_quantile_lies_evenly_within_its_bucket(share: float, value: float) -> None:
    assert quantile([(1.0, 4), (5.0, 6), (float("inf"), 8)], share) == pytest.approx(value)


def test_what_a_client_invents_makes_no_lines_without_end(metrics: PrometheusMetrics) -> None:
    for number in range(3):
        metrics.request_served(f"BREW{number}", "", 404, 0.001)

    assert lines(metrics, "stepideator_http_requests_total") == [
        'stepideator_http_requests_total{method="other",route="none",status="404"} 3.0'
    ]


def test_a_folder_that_cannot_be_used_stops_the_counting_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "metrics").write_text("a file stands where the folder should be")
    metrics = PrometheusMetrics(tmp_path / "metrics")
    metrics.job_accepted("brief.extend")
    metrics.request_begun()

    assert metrics.text([Reading("stepideator_jobs_queued", 3)]).endswith("stepideator_jobs_queued 3.0\n")
    assert len(caplog.records) == 1
    assert "DATA_DIR" in caplog.text


def test_counting_costs_microseconds(metrics: PrometheusMetrics) -> None:
    metrics.request_served("GET", "/ping", 200, 0.001)
    began = time.perf_counter()
    for _ in range(1000):
        metrics.request_served("GET", "/ping", 200, 0.001)

    assert (time.perf_counter() - began) / 1000 < 0.0005


def _say_everything(metrics: PrometheusMetrics) -> str:
    metrics.job_accepted("brief.extend")
    metrics.job_refused("brief.extend")
    metrics.job_requeued("brief.extend")
    metrics.job_ended(ended_job(), forecast_s=1)
    metrics.chat_called("answered", 1.5, 100, 20)
    metrics.request_begun()
    metrics.request_served("GET", "/ping", 200, 0.001)
    metrics.request_closed()
    looked_up = [
        measure for measure in BY_NAME.values() if measure not in COUNTED and "_eta_error_" not in measure.name
    ]
    return metrics.text(Reading(measure.name, 1, ("x",) * len(measure.labels)) for measure in looked_up)


def test_the_table_in_the_documentation_is_what_a_scrape_gives(metrics: PrometheusMetrics) -> None:
    said = {
        name: (kind, labels, meaning)
        for name, kind, labels, meaning in ROW.findall((ROOT / "docs" / "metrics.md").read_text("utf-8"))
    }
    assert said == {name: (one.kind, _labels(one), one.meaning) for name, one in BY_NAME.items()}
    assert {name: kind for name, (kind, _, _) in said.items()} == dict(NAME.findall(_say_everything(metrics)))


def _labels(measure: Measure) -> str:
    return ", ".join(f"`{label}`" for label in measure.labels)


def test_a_name_says_what_it_counts_and_in_which_unit() -> None:
    for measure in BY_NAME.values():
        assert re.fullmatch(r"stepideator_[a-z0-9_]+", measure.name)
        assert measure.name.endswith("_total") == (measure.kind == "counter")
        assert (measure.kind == "histogram") <= measure.name.endswith("_seconds")


REPLY = ChatReply("{}", "m", 100, 20, "stop", 1.5, "c")


@pytest.mark.parametrize(
    ("replies", "error", "calls"),
    [
        ((REPLY,), None, {"answered": 1}),
        ((REPLY, REPLY), AnswerUnusableError("no form"), {"answered": 1, "AnswerUnusableError": 1}),
        ((REPLY,), ChatTimeoutError("the second call"), {"answered": 1, "ChatTimeoutError": 1}),
        ((), ChatTimeoutError("the first call"), {"ChatTimeoutError": 1}),
        ((), ContentFilteredError("the question"), {"ContentFilteredError": 1}),
        ((), ChatNotConfiguredError("nobody to call"), {}),
    ],
)
def test_each_call_of_a_question_is_counted_by_its_own_result(
    metrics: PrometheusMetrics, replies: tuple[ChatReply, ...], error: ChatError | None, calls: dict[str, int]
) -> None:
    count_calls(metrics, replies, 4.0, error)

    wanted = [f'stepideator_chat_calls_total{{result="{result}"}} {count:.1f}' for result, count in calls.items()]
    assert sorted(lines(metrics, "stepideator_chat_calls_total")) == sorted(wanted)
    tokens = [f'stepideator_chat_tokens_total{{kind="prompt"}} {100.0 * len(replies)}'] if calls else []
    assert lines(metrics, 'stepideator_chat_tokens_total{kind="prompt"}') == tokens


def test_the_time_of_a_call_without_an_answer_is_what_the_answers_leave(metrics: PrometheusMetrics) -> None:
    count_calls(metrics, (REPLY,), 4.0, ChatTimeoutError("the second call"))

    assert lines(metrics, "stepideator_chat_call_duration_seconds_sum") == [
        "stepideator_chat_call_duration_seconds_sum 4.0"
    ]


def test_whoever_is_not_interested_may_leave_it_uncounted() -> None:
    told = {name for name in dir(PrometheusMetrics) if not name.startswith("_")}

    assert told == {name for name in dir(NoMetrics) if not name.startswith("_")}
    assert NO_METRICS.text([Reading("stepideator_jobs_queued", 3)]) == ""
