"""What a run does is noted as it happens, and stands in its record a moment later.

A thread that works never waits for the database: what it notes is collected, and one write carries all that came
together. Only the end is written by the thread that comes to it.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from agent.calls import Call, Cancellation
from jobs.context import last_step
from jobs.errors import JobCanceledError
from jobs.progress import Progress, weight_of
from jobs.submission import Image, Product, output_of
from jobs.writing import Writing
from store.documents import ErrorRecord, Output, StepRecord
from store.ids import new_id


@dataclass
class Step:
    """A step under way; what is put into `details` stands in the record."""

    kind: str
    name: str
    waited_s: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=new_id)


class Recorder:
    """Notes the steps and the results of one generation, from any thread, and tells how far it is.

    Args:
        writing: brings what is noted to the database.
        share: whose fair share the generation takes of the pool.
        chats_only: it needs no instance, so its first question is its start.
    """

    def __init__(
        self,
        writing: Writing,
        cancellation: Cancellation | None = None,
        progress: Progress | None = None,
        *,
        share: str = "",
        chats_only: bool = False,
    ) -> None:
        self.progress = progress or Progress(0.0)
        self._writing = writing
        self._cancellation = cancellation or Cancellation()
        self._share = share
        self._chats_only = chats_only
        self._shown: dict[int, Output] = {}
        self._steps: list[StepRecord] = []
        self._lock = threading.Lock()

    @property
    def steps(self) -> tuple[StepRecord, ...]:
        """The steps that have ended, in the order of their ends."""
        with self._lock:
            return tuple(self._steps)

    @property
    def has_begun(self) -> bool:
        """Whether the generation runs, and is not queued any more."""
        return self._writing.has_begun

    @contextmanager
    def step(self, kind: str, name: str, *, weight: float | None = None, **details: Any) -> Iterator[Step]:
        """Time what happens inside and note it; an error is noted in the step and goes on its way.

        Args:
            weight: how much of the whole it is, a picture being 1; None: as usual for its kind.

        Raises:
            JobCanceledError: the job does not go on; nothing was begun.
        """
        self.raise_if_canceled()
        if self._chats_only:
            self._writing.begin()
        step = Step(kind, name, details=details)
        self.progress.begin(step.id, weight_of(kind) if weight is None else weight)
        started_at, start = datetime.now(UTC), time.perf_counter()
        error: ErrorRecord | None = None
        try:
            yield step
        except BaseException as exc:
            error = described(exc)
            raise
        finally:
            self._keep(step, started_at, time.perf_counter() - start, error)

    def call(self, step: Step) -> Call:
        """Describe the step to the pool: for whom it is, how it is told to stop, who hears of its progress."""
        self.progress.call(step.id)
        return Call(
            share=self._share,
            job=self._writing.generation_id,
            cancellation=self._cancellation,
            on_lease=lambda _leased: self._leased(step),
            on_progress=lambda fraction: self.progress.advance(step.id, fraction),
        )

    def show(self, product: Product, index: int) -> None:
        """Have a result appear in the record now, before the others are made; `index` is its place among them."""
        # A text comes of several answers, often of other threads; a picture of the step that has just ended here.
        output = output_of(product, index, last_step.get() if isinstance(product, Image) else "")
        with self._lock:
            if index in self._shown:
                return
            self._shown[index] = output
        self._writing.add(outputs=[output])

    def finish(self, products: Sequence[Product], times: Mapping[str, float]) -> None:
        """Write the good end, with the results that are not shown yet. Raises StoreError."""
        outputs = [output_of(product, index) for index, product in enumerate(products)]
        with self._lock:
            new = [output for output in outputs if output.index not in self._shown]
        self._writing.finish(new, times)

    def fail(self, error: ErrorRecord, times: Mapping[str, float]) -> None:
        """Write the bad end; what was shown stays. Raises StoreError."""
        self._writing.fail(error, times)

    def raise_if_canceled(self) -> None:
        """Stop between two steps. Raises JobCanceledError, or the StoreError that made the record unwritable."""
        self._writing.raise_if_broken()
        if self._cancellation.is_canceled:
            raise JobCanceledError("the job does not go on: it was canceled, or another runner has it")

    def begin(self) -> None:
        """Say that the work has really begun; only the first time counts."""
        self._writing.begin()

    def _leased(self, step: Step) -> None:
        self.progress.lease(step.id)
        self._writing.begin()

    def _keep(self, step: Step, started_at: datetime, duration_s: float, error: ErrorRecord | None) -> None:
        record = StepRecord(
            id=step.id,
            kind=step.kind,
            name=step.name,
            started_at=started_at,
            duration_s=round(duration_s, 4),
            waited_s=round(step.waited_s, 4),
            details=step.details,
            error=error,
        )
        last_step.set(step.id)
        self.progress.end(step.id)
        with self._lock:
            self._steps.append(record)
        self._writing.add(steps=[record])


def described(error: BaseException) -> ErrorRecord:
    """Name an error for the record: its type and its sentence."""
    return ErrorRecord(type=type(error).__name__, message=str(error))
