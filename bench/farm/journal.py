"""What the farm writes down about each heavy call; read by the bench over HTTP."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Entry:
    """One heavy call; times are seconds of `time.time()`, 0 while they have not come.

    `others` counts the heavy calls that were on the instance when this one arrived: each is a double booking. `seed` is
    how the bench knows its jobs again.
    """

    instance: str
    kind: str
    task_id: str
    checkpoint: str
    seed: int
    pictures: int
    arrived: float
    others: int
    load_start: float = 0.0
    load_end: float = 0.0
    start: float = 0.0
    end: float = 0.0
    outcome: str = "running"

    @property
    def load_s(self) -> float:
        """Seconds spent loading a checkpoint."""
        return self.load_end - self.load_start

    @property
    def work_s(self) -> float:
        """Seconds of work without the load; 0 while it has not ended."""
        return self.end - self.start if self.end else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For the wire."""
        return asdict(self)
