"""What earlier runs of an operation taught about the next one, for all processes of a host."""

import logging
import sqlite3

from agent.ledger import Ledger
from jobs.background import Background
from jobs.progress import Course, Progress
from store.documents import GenerationRecord

logger = logging.getLogger(__name__)


class Courses:
    """Means over past runs, of which later ones weigh more, by operation and number of results."""

    def __init__(self, ledger: Ledger, background: Background) -> None:
        self._ledger = ledger
        self._background = background

    def of(self, record: GenerationRecord) -> Course:
        """Look up what is known of runs like this one."""
        try:
            return Course(*(self._ledger.learned(_key(record, what)) for what in ("weight", "lead", "rest")))
        except (OSError, sqlite3.Error):
            return Course()

    def learn(self, record: GenerationRecord, progress: Progress) -> None:
        """Add a run that has just ended well; nobody waits for it."""
        seen = {"weight": progress.weight, "rest": progress.rest_s}
        if progress.lead_s is not None:
            seen["lead"] = progress.lead_s

        def learn() -> None:
            try:
                for what, value in seen.items():
                    self._ledger.learn(_key(record, what), value)
            except (OSError, sqlite3.Error) as exc:
                logger.warning("what a run taught is not kept: %s", exc)

        self._background.soon(learn)


def _key(record: GenerationRecord, what: str) -> str:
    return f"job:{record.app_id}:{record.operation}:{record.inputs.num}:{what}"
