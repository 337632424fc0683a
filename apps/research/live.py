"""Sessions as they change, in the form of Server-Sent Events: one event for each session that looks otherwise."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from pydantic_core import to_jsonable_python

from apps.research.known import Known
from apps.research.session_rows import LIVE_S, Stages, rows_of
from apps.research.session_schemas import SessionRow
from store.clock import utc_now
from store.errors import StoreError
from store.sessions import Session
from store.stores import Stores

logger = logging.getLogger(__name__)

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
MEDIA_TYPE = "text/event-stream"
LOOK_S = 1.0
SILENCE_S = 10.0
OVERLAP = timedelta(seconds=2)
"""A write on its way may become visible a little after a later one."""


class Live:
    """Looks for the sessions of a study that changed; each viewer has one of its own."""

    def __init__(self, stores: Stores, study_id: str, stages: Stages, known: Known) -> None:
        self._stores = stores
        self._study_id = study_id
        self._stages = stages
        self._known = known
        self._since = stores.events.now() - timedelta(seconds=LIVE_S)
        self._told: dict[str, SessionRow] = {}

    def look(self) -> list[SessionRow]:
        """Give the sessions that look otherwise than when they were told last. Raises StoreError."""
        now, since = self._stores.events.now(), self._since - OVERLAP
        changed = {one.id: one for one in self._stores.sessions.changed_since(self._study_id, since)}
        others = self._with_changes(since) | self._gone_quiet()
        for session_id in others - changed.keys():
            session = self._stores.sessions.get(session_id)
            if session is not None:
                changed[session_id] = session
        self._since = now
        return self._fresh(list(changed.values()))

    def _fresh(self, sessions: list[Session]) -> list[SessionRow]:
        rows = rows_of(self._stores, sessions, self._stages, self._known)
        fresh = [row for row in rows if self._told.get(row.id) != row]
        self._told |= {row.id: row for row in fresh}
        return fresh

    def _with_changes(self, since: datetime) -> set[str]:
        found = self._stores.glances.changed_since(since)
        return {session_id for study_id, session_id in found if study_id == self._study_id}

    def _gone_quiet(self) -> set[str]:
        limit = utc_now() - timedelta(seconds=LIVE_S)
        return {one.id for one in self._told.values() if one.is_live and (one.last_event_at or one.started_at) < limit}


def stream(live: Live, is_ending: Callable[[], bool]) -> Iterator[str]:
    """Write each session that changes, until the client goes or the server ends; then the client comes back."""
    yield "retry: 2000\n\n"
    told_s = time.monotonic()
    try:
        while not is_ending():
            for row in live.look():
                told_s = time.monotonic()
                yield f"event: session\ndata: {json.dumps(to_jsonable_python(row), ensure_ascii=False)}\n\n"
            if time.monotonic() - told_s > SILENCE_S:
                told_s = time.monotonic()
                yield ": still here\n\n"
            time.sleep(LOOK_S)
    except StoreError as exc:
        logger.warning("the stream of a study's sessions ends: %s", exc)
