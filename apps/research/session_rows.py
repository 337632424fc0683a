"""Sessions at a glance: how many generations, how long waited for, in which stage now."""

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta

from apps.research.known import Known, Tally
from apps.research.session_schemas import SessionRow
from store.clock import utc_now
from store.sessions import Session
from store.stores import Stores

LIVE_S = 90.0
REMEMBERED = 5_000
OVERLAP = timedelta(seconds=5)


class Stages:
    """In which stage participants are; of each session only what came since the last look is read. Thread-safe."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[datetime, str]] = {}
        self._lock = threading.Lock()

    def now(self, stores: Stores, session: Session) -> str:
        """Name the stage of a session's last switch; empty before the first. Raises StoreError."""
        since, stage = self._known.get(session.id, (session.started_at, ""))
        looked_at = utc_now()
        for event in stores.events.of_session(session.id, since - OVERLAP):
            if event.verb == "stage.switch":
                stage = event.object
        with self._lock:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[session.id] = (looked_at, stage)
        return stage


def rows_of(stores: Stores, sessions: Iterable[Session], stages: Stages, known: Known) -> list[SessionRow]:
    """Tell sessions at a glance, in the order in which they come. Raises StoreError."""
    wanted = list(sessions)
    tallies, now = known.tallies(stores, wanted), utc_now()
    rows = []
    for session in wanted:
        is_live = session.state == "active" and (now - _last(session)).total_seconds() < LIVE_S
        rows.append(_row(session, tallies[session.id], stages.now(stores, session) if is_live else "", is_live, now))
    return rows


def _last(session: Session) -> datetime:
    return session.last_event_at or session.started_at


def _row(session: Session, tally: Tally, stage: str, is_live: bool, now: datetime) -> SessionRow:
    return SessionRow(
        id=session.id,
        number=session.number,
        participant=session.participant_id,
        condition_id=session.condition_id,
        state=session.state,
        started_at=session.started_at,
        last_event_at=session.last_event_at,
        ended_at=session.ended_at,
        generations=tally.made,
        failed=tally.failed,
        waiting_s=round(tally.waited_s(now), 1),
        stage=stage,
        is_live=is_live,
    )
