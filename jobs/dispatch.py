"""How a queued record comes to a runner."""

from typing import Protocol

from jobs.runner import Runner
from store.documents import GenerationRecord


class Dispatcher(Protocol):
    """Brings records that were just written to whoever runs them."""

    def dispatch(self, record: GenerationRecord) -> None:
        """See to it that somebody takes this record; returns at once and raises nothing of its own."""
        ...


class EmbeddedDispatcher:
    """The process that takes a submission runs it: its record is this runner's from the first moment."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def dispatch(self, record: GenerationRecord) -> None:
        """Run it here as soon as there is room."""
        self._runner.take(record)
