"""What is known of many generations at once, kept in memory as long as none of them changes.

Counting generations means reading them; hundreds of sessions are looked at every second while a study runs. So sums are
kept, and only those are read again of whose generations one has changed since; MongoDB tells which by an index.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.veil import shown_at
from store.glances import Glance
from store.sessions import Session
from store.stores import Stores
from store.studies import Study

FRESH_S = 0.5
KEPT_S = 60.0
"""No sum is older, as what was erased is no change that anything tells."""

OVERLAP = timedelta(seconds=2)
"""A write on its way may become visible a little after a later one."""


@dataclass(frozen=True)
class Tally:
    """The generations of one session: how many, how many failed, and which are or will be waited for."""

    made: int
    failed: int
    waits: tuple[tuple[datetime, datetime | None], ...]

    def waited_s(self, now: datetime) -> float:
        """Give the seconds from asking to seeing, over all of them, until now."""
        return sum(max((min(end or now, now) - start).total_seconds(), 0.0) for start, end in self.waits)


class Known:
    """Sums over the generations of sessions and of studies. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: datetime | None = None
        self._synced_s = self._begun_s = -KEPT_S
        self._sessions: dict[str, Tally] = {}
        self._studies: dict[str, tuple[int, int]] = {}

    def tallies(self, stores: Stores, sessions: Iterable[Session]) -> dict[str, Tally]:
        """Give the sums of sessions by their ids. Raises StoreError."""
        wanted = list(sessions)
        with self._lock:
            self._sync(stores)
            missing = [session for session in wanted if session.id not in self._sessions]
            if missing:
                self._sessions |= _read(stores, missing)
            return {session.id: self._sessions[session.id] for session in wanted}

    def counts(self, stores: Stores, study: Study) -> tuple[int, int]:
        """Give the number of a study's generations, and of those that failed. Raises StoreError."""
        with self._lock:
            self._sync(stores)
            if study.id not in self._studies:
                states = stores.glances.states_in(study.id, study.created_at)
                self._studies[study.id] = sum(states.values()), states.get("failed", 0)
            return self._studies[study.id]

    def _sync(self, stores: Stores) -> None:
        """Forget the sums that are not right any more."""
        now_s = time.monotonic()
        if now_s - self._synced_s < FRESH_S:
            return
        now = stores.events.now()
        if self._since is None or now_s - self._begun_s > KEPT_S or now_s - self._synced_s > KEPT_S:
            self._sessions, self._studies, self._begun_s = {}, {}, now_s
        else:
            for study_id, session_id in stores.glances.changed_since(self._since - OVERLAP):
                self._studies.pop(study_id, None)
                self._sessions.pop(session_id, None)
        self._since, self._synced_s = now, now_s


def _read(stores: Stores, sessions: list[Session]) -> dict[str, Tally]:
    by_participant: dict[str, list[Glance]] = defaultdict(list)
    for glance in stores.glances.of_participants({session.participant_id for session in sessions}):
        by_participant[glance.participant_id].append(glance)
    return {one.id: _tally(by_participant[one.participant_id], one.id) for one in sessions}


def _tally(glances: list[Glance], session_id: str) -> Tally:
    own = [one for one in glances if one.session_id in ("", session_id)]
    return Tally(
        made=len(own),
        failed=sum(one.state == "failed" for one in own),
        waits=tuple((one.created_at, shown_at(one)) for one in own),
    )
