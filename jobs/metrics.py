"""What the server counts while it works. The rooms tell it here; who adds it up is decided when the parts are built.

Whoever is not interested, a test for example, leaves `NO_METRICS` in place. A call here costs microseconds and raises
nothing: counting never stands in the way of what is counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from store.documents import GenerationRecord


@dataclass(frozen=True)
class Reading:
    """A value that is looked up when somebody asks: `name` of a measure, the values of its labels in their order."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


class Metrics(Protocol):
    """What may be told; all of it from any thread."""

    def job_accepted(self, operation: str) -> None:
        """Count a job whose record was written."""

    def job_refused(self, operation: str) -> None:
        """Count a submission that found the queue full (429)."""

    def job_requeued(self, operation: str) -> None:
        """Count a job that lost its runner and was given back to the queue."""

    def job_ended(self, record: GenerationRecord, forecast_s: float | None = None) -> None:
        """Count a job by its ended record; told once, by whoever wrote the end.

        Args:
            record: its state and times say how long it waited and how long it took in all.
            forecast_s: seconds from `created_at` to its end as first forecast to its caller; None: nothing was.
        """

    def chat_called(self, result: str, duration_s: float, prompt_tokens: int = 0, completion_tokens: int = 0) -> None:
        """Count one call of the chat service; `result` is "answered" or the name of the error's class."""

    def request_begun(self) -> None:
        """Count a request as being served, until its answer is closed."""

    def request_served(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count an answer whose head is ready; `route` is the rule's template, empty when no rule fits."""

    def request_closed(self) -> None:
        """Count a request as served to its end."""

    def text(self, readings: Iterable[Reading] = ()) -> str:
        """Write what all processes that share this one's folder counted, and the readings, as Prometheus wants it."""
        ...

    def close(self) -> None:
        """Stop counting; what was counted stays for the other processes."""


class NoMetrics:
    """Counts nothing."""

    def job_accepted(self, operation: str) -> None:
        """Forget it."""

    def job_refused(self, operation: str) -> None:
        """Forget it."""

    def job_requeued(self, operation: str) -> None:
        """Forget it."""

    def job_ended(self, record: GenerationRecord, forecast_s: float | None = None) -> None:
        """Forget it."""

    def chat_called(self, result: str, duration_s: float, prompt_tokens: int = 0, completion_tokens: int = 0) -> None:
        """Forget it."""

    def request_begun(self) -> None:
        """Forget it."""

    def request_served(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Forget it."""

    def request_closed(self) -> None:
        """Forget it."""

    def text(self, readings: Iterable[Reading] = ()) -> str:
        """Have nothing to tell."""
        return ""

    def close(self) -> None:
        """Have nothing to end."""


NO_METRICS = NoMetrics()
