"""Events that a page tells: each kept once, on the server's clock."""

import json

from apps.participation import Part
from apps.services import Services
from apps.sessions.schemas import NewEvent, Told
from store.events import Event


def tell(parts: Services, part: Part, told: list[NewEvent]) -> Told:
    """Keep what a page tells, and say which of it was kept already. Raises StoreError; then it may be told again."""
    events, session = parts.stores.events, part.session
    ids = {_id(session.id, event): event.id for event in told}
    known = events.known(ids)
    at = events.now()
    events.add(
        [
            Event(
                id=_id(session.id, event),
                session_id=session.id,
                study_id=session.study_id,
                participant_id=session.participant_id,
                at=at,
                place=place,
                data="" if event.data is None else json.dumps(event.data, ensure_ascii=False),
                **event.model_dump(exclude={"id", "data"}),
            )
            for place, event in enumerate(told)
            if _id(session.id, event) not in known
        ]
    )
    parts.participation.touch(session.id)
    return Told(
        accepted=[name for key, name in ids.items() if key not in known],
        known=[name for key, name in ids.items() if key in known],
    )


def _id(session_id: str, event: NewEvent) -> str:
    return f"{session_id}/{event.id}"
