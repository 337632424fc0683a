"""Metrics that all processes of a host add up together, in the text format of Prometheus."""

import logging
from collections.abc import Iterable
from pathlib import Path

from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric

from jobs import measures
from jobs.measures import BY_NAME, Measure
from jobs.metrics import Reading
from jobs.tally import Tally
from store.documents import GenerationRecord

logger = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class PrometheusMetrics:
    """Counts into `folder`, which belongs to the processes of one server; nothing is opened before the first count."""

    def __init__(self, folder: Path) -> None:
        self._tally = Tally(folder)
        self._is_off = False

    def job_accepted(self, operation: str) -> None:
        """Count a job whose record was written."""
        self._add(measures.JOBS_ACCEPTED, operation)

    def job_refused(self, operation: str) -> None:
        """Count a submission that found the queue full."""
        self._add(measures.JOBS_REFUSED, operation)

    def job_requeued(self, operation: str) -> None:
        """Count a job that was given back to the queue."""
        self._add(measures.JOBS_REQUEUED, operation)

    def job_ended(self, record: GenerationRecord, forecast_s: float | None = None) -> None:
        """Count a job's end, its times, and how far the forecast was off."""
        self._add(measures.JOBS_ENDED, record.operation, record.state)
        if record.ended_at is None:
            return
        total_s = (record.ended_at - record.created_at).total_seconds()
        self._observe(measures.JOB_TOTAL_SECONDS, total_s, record.operation)
        if record.started_at is not None:
            waited_s = (record.started_at - record.created_at).total_seconds()
            self._observe(measures.JOB_WAITING_SECONDS, waited_s, record.operation)
        if forecast_s is not None and record.state == "succeeded":
            self._observe(measures.ETA_ERROR_SECONDS, abs(total_s - forecast_s))

    def chat_called(self, result: str, duration_s: float, prompt_tokens: int = 0, completion_tokens: int = 0) -> None:
        """Count a call of the chat service, its duration and its tokens."""
        self._add(measures.CHAT_CALLS, result)
        self._observe(measures.CHAT_SECONDS, duration_s)
        self._add(measures.CHAT_TOKENS, "prompt", amount=prompt_tokens)
        self._add(measures.CHAT_TOKENS, "completion", amount=completion_tokens)

    def request_begun(self) -> None:
        """Count a request as being served."""
        self._add(measures.REQUESTS_RUNNING)

    def request_served(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count an answer and the time until it began."""
        # Whatever a client invents must not make new lines without end.
        known = method if method in METHODS else "other"
        self._add(measures.REQUESTS, known, route or "none", str(status))
        self._observe(measures.REQUEST_SECONDS, duration_s, known, route or "none")

    def request_closed(self) -> None:
        """Count a request as served to its end."""
        self._add(measures.REQUESTS_RUNNING, amount=-1)

    def text(self, readings: Iterable[Reading] = ()) -> str:
        """Write the counts of all processes, and the readings, in the text format 0.0.4."""
        counted = self._counted()
        return generate_latest(_Collected([*counted, *_families([*readings, *_eta_errors(counted)])])).decode()

    def close(self) -> None:
        """Leave the files to the other processes."""
        self._is_off = True
        self._tally.close()

    def _counted(self) -> list[Metric]:
        try:
            return [] if self._is_off else self._tally.families()
        except OSError as exc:
            self._give_up(exc)
            return []

    def _add(self, measure: Measure, *labels: str, amount: float = 1.0) -> None:
        if not self._is_off:
            try:
                self._tally.add(measure, labels, amount)
            except OSError as exc:
                self._give_up(exc)

    def _observe(self, measure: Measure, value: float, *labels: str) -> None:
        if not self._is_off:
            try:
                self._tally.observe(measure, labels, max(value, 0.0))
            except OSError as exc:
                self._give_up(exc)

    def _give_up(self, exc: OSError) -> None:
        self._is_off = True
        logger.warning("this process counts nothing for /metrics: %s; correct DATA_DIR", exc.strerror)


class _Collected:
    """What prometheus_client writes out: families that are there already."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _families(readings: Iterable[Reading]) -> list[Metric]:
    found: dict[str, Metric] = {}
    for reading in readings:
        measure = BY_NAME[reading.name]
        if reading.name not in found:
            name = measure.name.removesuffix("_total") if measure.kind == "counter" else measure.name
            found[reading.name] = Metric(name, measure.meaning, measure.kind)
        found[reading.name].add_sample(
            measure.name, dict(zip(measure.labels, reading.labels, strict=True)), reading.value
        )
    return [found[name] for name in BY_NAME if name in found]


def _eta_errors(counted: Iterable[Metric]) -> list[Reading]:
    samples = [
        sample for family in counted if family.name == measures.ETA_ERROR_SECONDS.name for sample in family.samples
    ]
    buckets = [(float(sample.labels["le"]), sample.value) for sample in samples if "le" in sample.labels]
    if not buckets or buckets[-1][1] == 0:
        return []
    shares = ((measures.ETA_ERROR_P50, 0.5), (measures.ETA_ERROR_P90, 0.9))
    return [Reading(measure.name, quantile(sorted(buckets), share)) for measure, share in shares]


def quantile(buckets: list[tuple[float, float]], share: float) -> float:
    """Estimate the value below which a share lies, evenly spread within its bucket.

    Args:
        buckets: (upper bound, how many values lie at or below it), rising; the last bound is infinite.
        share: between 0 and 1.
    """
    wanted = share * buckets[-1][1]
    lower, below = 0.0, 0.0
    for bound, count in buckets:
        if count >= wanted:
            # Of the last, endless bucket only its lower bound is known.
            return lower if bound == float("inf") else lower + (bound - lower) * (wanted - below) / (count - below or 1)
        lower, below = bound, count
    return lower
