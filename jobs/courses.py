"""What earlier runs of an operation taught about the next one, for all processes of a host."""

import logging
import sqlite3
from dataclasses import asdict, fields

from agent.ledger import Ledger
from jobs.background import Background
from jobs.progress import Course, Progress
from store.documents import GenerationRecord

logger = logging.getLogger(__name__)

WORK = "job:work"
WHAT = tuple(field.name for field in fields(Course))


class Courses:
    """Means over past runs, of which later ones weigh more, by operation and number of results."""

    def __init__(self, ledger: Ledger, background: Background) -> None:
        self._ledger = ledger
        self._background = background

    def of(self, record: GenerationRecord) -> Course:
        """Look up what is known of runs like this one."""
        try:
            return Course(**{what: self._ledger.learned(_key(record, what)) for what in WHAT})
        except (OSError, sqlite3.Error):
            return Course()

    def work_s(self) -> float:
        """Give the mean of the seconds that instances work for one job, whatever its kind; 0 before any is known."""
        try:
            return self._ledger.learned(WORK) or 0.0
        except (OSError, sqlite3.Error):
            return 0.0

    def learn(self, record: GenerationRecord, progress: Progress) -> None:
        """Add a run that has just ended well; nobody waits for it."""
        seen = {_key(record, what): value for what, value in asdict(progress.seen).items()} | {WORK: progress.work_s}

        def learn() -> None:
            try:
                for key, value in seen.items():
                    if value is not None:
                        self._ledger.learn(key, value)
            except (OSError, sqlite3.Error) as exc:
                logger.warning("what a run taught is not kept: %s", exc)

        self._background.soon(learn)


def _key(record: GenerationRecord, what: str) -> str:
    return f"job:{record.app_id}:{record.operation}:{record.inputs.num}:{what}"
