"""Every step of a generation is written to its record when it ends, however it ends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from store.documents import ErrorRecord, StepRecord
from store.generations import Generations


@dataclass
class Step:
    """A step under way; what is put into `details` stands in the record."""

    kind: str
    name: str
    waited_s: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)


class Recorder:
    """Writes the steps of one generation, from any thread, while its runner owns it."""

    def __init__(self, generations: Generations, generation_id: str, owner: str) -> None:
        self._generations = generations
        self.generation_id = generation_id
        self.owner = owner

    @contextmanager
    def step(self, kind: str, name: str, **details: Any) -> Iterator[Step]:
        """Time what happens inside and keep it; an error is noted in the step and goes on its way."""
        step = Step(kind, name, details=details)
        started_at, start = datetime.now(UTC), time.perf_counter()
        error: ErrorRecord | None = None
        try:
            yield step
        except BaseException as exc:
            error = described(exc)
            raise
        finally:
            self._keep(step, started_at, time.perf_counter() - start, error)

    def _keep(self, step: Step, started_at: datetime, duration_s: float, error: ErrorRecord | None) -> None:
        record = StepRecord(
            kind=step.kind,
            name=step.name,
            started_at=started_at,
            duration_s=round(duration_s, 4),
            waited_s=round(step.waited_s, 4),
            details=step.details,
            error=error,
        )
        self._generations.add_step(self.generation_id, self.owner, record)


def described(error: BaseException) -> ErrorRecord:
    """Name an error for the record: its type and its sentence."""
    return ErrorRecord(type=type(error).__name__, message=str(error))
