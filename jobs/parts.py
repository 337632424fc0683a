"""The parts that generations are made with: built once for each process, handed in, never reached for."""

from dataclasses import dataclass

from agent.gpt import ChatClient
from agent.multiview import MultiviewClient
from agent.pool import SDInstancePool
from jobs.metrics import NO_METRICS, Metrics
from settings.book import SettingsBook
from store.stores import Stores


@dataclass(frozen=True)
class Parts:
    """A part that is not configured is None; using it raises an error that names the setting."""

    stores: Stores
    book: SettingsBook
    chat: ChatClient | None
    pool: SDInstancePool | None
    multiview: MultiviewClient | None
    sam_model: str = ""
    metrics: Metrics = NO_METRICS
