"""A generation in the hands of this process, from its claim to its end."""

import threading
import time
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from agent.calls import Cancellation
from jobs.background import Alarm
from jobs.recorder import Recorder
from jobs.writing import Writing
from store.documents import GenerationRecord, Live


class Stop(Enum):
    """Why the work on a job ends before its time."""

    GONE = auto()
    """It was canceled, or is another runner's: there is nothing left to write."""
    LATE = auto()
    """It took longer than a job may."""
    HANDOVER = auto()
    """This process ends; another one may do it."""


@dataclass
class Job:
    """What belongs to one job here.

    `began_at` is when its thread began, `told` and `written` how far it was when followers here and readers elsewhere
    last heard of it, `first_total_s` the first forecast of its whole duration, counted from its acceptance. `outcome`
    is its record with state, results and error as written at the end, for whoever waits here; its steps stand in
    the database.
    """

    record: GenerationRecord
    writing: Writing
    recorder: Recorder
    cancellation: Cancellation
    context: Context
    alarms: list[Alarm] = field(default_factory=list)
    stop_reason: Stop | None = None
    taken_s: float = field(default_factory=time.monotonic)
    began_at: datetime | None = None
    told: Live | None = None
    written: Live | None = None
    first_total_s: float | None = None
    outcome: GenerationRecord | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def id(self) -> str:
        """The id of its generation."""
        return self.record.id

    @property
    def share(self) -> str:
        """Whose fair share of the pool it takes."""
        return self.record.participant_id

    def stop(self, reason: Stop) -> None:
        """Let the work on it end; the first reason counts."""
        with self._lock:
            self.stop_reason = self.stop_reason or reason
        if reason is Stop.GONE:
            self.writing.close()
        self.cancellation.cancel()

    def close(self) -> None:
        """Forget what was still to happen to it."""
        self.writing.close()
        for alarm in self.alarms:
            alarm.call_off()
