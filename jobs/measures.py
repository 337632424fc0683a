"""Every measure of `/metrics`: its name, its labels and what it means. `docs/metrics.md` is this table for people."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]

SHORT_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)
LONG_S = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0, 600.0, 1800.0)


@dataclass(frozen=True)
class Measure:
    """One line of the table. `buckets` are a histogram's upper bounds, in seconds."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


REQUESTS = Measure(
    "stepideator_http_requests_total", "counter", "requests answered, by route (the rule, not the path)",
    ("method", "route", "status"),
)  # fmt: skip
REQUEST_SECONDS = Measure(
    "stepideator_http_request_duration_seconds", "histogram",
    "time until an answer began: of an event stream its first byte, of /generate its end", ("method", "route"), SHORT_S,
)  # fmt: skip
REQUESTS_RUNNING = Measure(
    "stepideator_http_requests_running", "gauge", "requests being served now: waiting callers and open event streams"
)
JOBS_ACCEPTED = Measure("stepideator_jobs_accepted_total", "counter", "jobs whose record was written", ("operation",))
JOBS_REFUSED = Measure(
    "stepideator_jobs_refused_total", "counter", "submissions that found the queue full (429)", ("operation",)
)
JOBS_REQUEUED = Measure(
    "stepideator_jobs_requeued_total", "counter", "jobs given back to the queue because their runner ended",
    ("operation",),
)  # fmt: skip
JOBS_ENDED = Measure(
    "stepideator_jobs_ended_total", "counter", "jobs that ended, by how: succeeded, failed, canceled",
    ("operation", "state"),
)  # fmt: skip
JOB_WAITING_SECONDS = Measure(
    "stepideator_job_waiting_seconds", "histogram", "from a job's acceptance to its start", ("operation",), LONG_S
)
JOB_TOTAL_SECONDS = Measure(
    "stepideator_job_total_seconds", "histogram", "from a job's acceptance to its end", ("operation",), LONG_S
)
ETA_ERROR_SECONDS = Measure(
    "stepideator_job_eta_error_seconds", "histogram",
    "how far the first forecast of a job's end was off, early or late; jobs that succeeded", (), LONG_S,
)  # fmt: skip
ETA_ERROR_P50 = Measure(
    "stepideator_job_eta_error_p50_seconds", "gauge", "half of the forecasts were off by at most this"
)
ETA_ERROR_P90 = Measure(
    "stepideator_job_eta_error_p90_seconds", "gauge", "nine of ten forecasts were off by at most this"
)
JOBS_QUEUED = Measure("stepideator_jobs_queued", "gauge", "jobs in the database that wait for their start")
JOBS_RUNNING = Measure("stepideator_jobs_running", "gauge", "jobs in the database that have begun and not ended")
CHAT_CALLS = Measure(
    "stepideator_chat_calls_total", "counter", "calls of the chat service: answered, or the error's class", ("result",)
)
CHAT_SECONDS = Measure(
    "stepideator_chat_call_duration_seconds", "histogram", "duration of a call of the chat service", (), SHORT_S
)
CHAT_TOKENS = Measure(
    "stepideator_chat_tokens_total", "counter", "tokens that the chat service counted: prompt, completion", ("kind",)
)
POOL_STATE = Measure(
    "stepideator_pool_instance_state", "gauge", "1 for the state that an instance is in, 0 for the others",
    ("instance", "state"),
)  # fmt: skip
POOL_SERVED = Measure(
    "stepideator_pool_instance_served_total", "counter", "calls that an instance ended well", ("instance",)
)
POOL_FAILED = Measure(
    "stepideator_pool_instance_failed_total", "counter", "calls that an instance failed", ("instance",)
)
POOL_BUSY = Measure(
    "stepideator_pool_instance_busy_seconds_total", "counter",
    "time that an instance was lent out, loading checkpoints included", ("instance",),
)  # fmt: skip
POOL_LOADING = Measure(
    "stepideator_pool_instance_loading_seconds_total", "counter", "time that an instance spent loading checkpoints",
    ("instance",),
)  # fmt: skip
POOL_MEAN = Measure(
    "stepideator_pool_instance_call_mean_seconds", "gauge", "mean duration of an instance's calls", ("instance",)
)
POOL_LOAD = Measure(
    "stepideator_pool_instance_load_expected_seconds", "gauge",
    "how long a checkpoint's load takes there, as far as was learned", ("instance",),
)  # fmt: skip
POOL_WAITING = Measure("stepideator_pool_calls_waiting", "gauge", "calls that wait for an instance, of all processes")

COUNTED = (
    REQUESTS, REQUEST_SECONDS, REQUESTS_RUNNING,
    JOBS_ACCEPTED, JOBS_REFUSED, JOBS_REQUEUED, JOBS_ENDED, JOB_WAITING_SECONDS, JOB_TOTAL_SECONDS, ETA_ERROR_SECONDS,
    CHAT_CALLS, CHAT_SECONDS, CHAT_TOKENS,
)  # fmt: skip
"""Added up while the server works."""

READ = (
    JOBS_QUEUED, JOBS_RUNNING, ETA_ERROR_P50, ETA_ERROR_P90,
    POOL_STATE, POOL_SERVED, POOL_FAILED, POOL_BUSY, POOL_LOADING, POOL_MEAN, POOL_LOAD, POOL_WAITING,
)  # fmt: skip
"""Looked up when somebody asks."""

BY_NAME = {measure.name: measure for measure in (*COUNTED, *READ)}
