"""How a queued record comes to a runner on another host. A process that runs what it takes needs no such thing."""

from typing import Protocol

from store.documents import GenerationRecord


class Dispatcher(Protocol):
    """Brings records that were just written to whoever runs them."""

    def dispatch(self, record: GenerationRecord) -> None:
        """See to it that somebody takes this record; returns at once and raises nothing of its own."""
        ...
