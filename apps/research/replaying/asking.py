"""A replay is asked for, and found again by who looks at it or takes it up."""

from dataclasses import dataclass
from typing import Final

from apps.research.replaying.planning import Changes
from settings.book import SettingsBook
from store.replays import Replay
from store.stores import Stores

MOST_AT_ONCE: Final = 16
USUAL_AT_ONCE: Final = 2
"""Few, as participants may be at work on the same instances."""


class ReplayError(Exception):
    """Say why there will be no replay; the leaves say what.

    ReplayError
    ├── UnknownSessionError     there is no such session
    ├── NothingToReplayError    the session has made nothing yet
    └── InvalidChangesError     what is to be otherwise is not known to the settings
    """


class UnknownSessionError(ReplayError):
    """Say that there is no such session."""


class NothingToReplayError(ReplayError):
    """Say that a session has no generations."""


class InvalidChangesError(ReplayError):
    """Say which prompt or preset is not known."""


@dataclass(frozen=True)
class SessionNamed:
    """A session that can be replayed: whose it is, and of which study."""

    id: str
    study_id: str
    participant_id: str


def find_session(stores: Stores, session_id: str) -> SessionNamed | None:
    """Find a session; None if there is none of this id."""
    session = stores.sessions.get(session_id)
    if session is not None:
        return SessionNamed(session.id, session.study_id, session.participant_id)
    # What was made before there were sessions belongs to the one that has its participant's id.
    participant = stores.participants.by_id(session_id)
    return None if participant is None else SessionNamed(session_id, "default", participant.id)


def ask_for(
    stores: Stores, book: SettingsBook, session_id: str, changes: Changes, *, requested_by: str, at_once: int
) -> Replay:
    """Keep a new replay of a session; nobody sees to it yet.

    Raises:
        ReplayError: there will be none; nothing is kept.
        StoreError: the database is away.
    """
    session = find_session(stores, session_id)
    if session is None:
        raise UnknownSessionError(f"there is no session {session_id[:40]!r}")
    if problem := changes.problem(book):
        raise InvalidChangesError(problem)
    made = stores.generations.of_session(session.participant_id, session.id)
    generation_ids = tuple(record.id for record in made)
    if not generation_ids:
        raise NothingToReplayError(f"session {session.id} has made nothing that could be run again")
    asked = Replay(
        session_id=session.id,
        study_id=session.study_id,
        participant_id=session.participant_id,
        requested_by=requested_by,
        changes=changes.model_dump_json(exclude_none=True),
        at_once=at_once,
        total=0,
    )
    return stores.replays.create(asked, generation_ids)
