"""The overview of a study: summed up session by session, and only those again in which something happened.

What was summed up last is answered at once, and made anew in the background when it is older than `FRESH_S`; so looking
costs one small read, however many generations there are. Nothing of it is more than a kept answer: the records count.
"""

import logging
import math
import threading
import time
from contextvars import Context
from datetime import datetime

from apps.research.chronicle import chronicle
from apps.research.known import OVERLAP
from apps.research.overview_schemas import Overview
from apps.research.sessions import records_of
from apps.research.summing import SessionNumbers, numbers_of, overview_of
from apps.research.timeline import stays
from jobs.threads import in_thread, tell_error
from store.errors import StoreError
from store.sessions import Session
from store.stores import Stores
from store.studies import Study
from store.summaries import Summary

logger = logging.getLogger(__name__)

FRESH_S = 3.0


class Overviews:
    """The overviews of studies. Thread-safe; each process keeps its own and writes down what it summed up."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[float, Overview]] = {}
        self._lock = threading.Lock()
        self._making: set[str] = set()

    def of(self, stores: Stores, study: Study) -> Overview:
        """Give the overview of a study, some seconds old at most once it is looked at again. Raises StoreError."""
        known = self._answers.get(study.id)
        if known is None:
            kept = stores.summaries.get(study.id)
            if kept is None:
                known = (time.monotonic(), self._made(stores, study))
            else:
                known = (-math.inf, Overview.model_validate_json(kept.numbers))
            self._answers[study.id] = known
        made_s, answer = known
        if time.monotonic() - made_s > FRESH_S:
            self._renew(stores, study)
        return answer

    def _renew(self, stores: Stores, study: Study) -> None:
        with self._lock:
            if study.id in self._making:
                return
            self._making.add(study.id)
        Context().run(in_thread, lambda: self._renewed(stores, study), "overview").add_done_callback(tell_error)

    def _renewed(self, stores: Stores, study: Study) -> None:
        try:
            self._answers[study.id] = (time.monotonic(), self._made(stores, study))
        except StoreError as exc:
            logger.info("the overview of study %s stays as it was: %s", study.id, exc)
        finally:
            self._making.discard(study.id)

    def _made(self, stores: Stores, study: Study) -> Overview:
        now, kept = stores.events.now(), dict(stores.summaries.of_study(study.id))
        sessions = {one.id: one for one in stores.sessions.of_study(study.id)}
        before = stores.summaries.get(study.id)
        changed = None if before is None else self._changed(stores, study, before.as_of - OVERLAP)
        numbers = []
        for session in sessions.values():
            known = kept.get(session.id)
            if known is None or changed is None or session.id in changed:
                known = _summed_up(stores, session, now)
            numbers.append(SessionNumbers.model_validate_json(known.numbers))
        overview = Overview.model_validate(overview_of(study, numbers, now))
        stores.summaries.put(Summary(study.id, study.id, now, overview.model_dump_json()))
        return overview

    def _changed(self, stores: Stores, study: Study, since: datetime) -> set[str]:
        """Name the sessions of a study in which something happened since a moment."""
        made = {session_id for _, session_id in stores.glances.changed_since(since)}
        return made | {session.id for session in stores.sessions.changed_since(study.id, since)}


def _summed_up(stores: Stores, session: Session, now: datetime) -> Summary:
    records = records_of(stores, session)
    spent = stays(chronicle(records, now), session.ended_at or session.last_event_at)
    until = session.ended_at or session.last_event_at or now
    numbers = numbers_of(session.condition_id, session.state, records.generations, spent, until)
    summary = Summary(session.id, session.study_id, now, numbers.model_dump_json())
    stores.summaries.put(summary)
    return summary
