"""Sessions to replay, and replays as a researcher's page asks for them."""

from __future__ import annotations

from typing import Any

from store.ids import new_id
from tests.api.answers import data_of
from tests.api.front_end import BUTTONS, TEXT_OPERATIONS
from tests.api.records import until
from tests.api.server import Server
from tests.api.submitting import made
from tests.stand_ins import picture

OVER = ("done", "failed", "canceled")


def session_with(server: Server, *operations: str, **more: Any) -> str:
    """Have a participant run operations, one after another, and give the id of the session."""
    username = new_id()
    for number, operation in enumerate(operations or BUTTONS):
        images = [] if operation in TEXT_OPERATIONS else [server.uploaded(picture(512, 512))]
        wish = {"texts": ["轻便"], "images": images, "num": 2, "seed": 41 + number, **more}
        job = made(server, operation, username=username, **wish)
        assert job["state"] == "succeeded", job["error"]
    participant = server.stores.participants.find(username)
    assert participant is not None
    return participant.id


def asked(server: Server, session_id: str, **wish: Any) -> dict[str, Any]:
    """Ask for a replay."""
    answer = server.post(f"/api/research/sessions/{session_id}/replays", wish)
    assert answer.status_code == 202, answer.text
    replay: dict[str, Any] = answer.json()["data"]
    assert answer.headers["Location"] == f"/api/replays/{replay['id']}"
    return replay


def page_of(server: Server, replay_id: str, query: str = "?limit=100") -> dict[str, Any]:
    """Look at a replay."""
    page: dict[str, Any] = data_of(server.get(f"/api/replays/{replay_id}{query}"))
    return page


def over(server: Server, replay_id: str) -> dict[str, Any]:
    """Look at a replay until it has ended."""

    def look() -> dict[str, Any] | None:
        page = page_of(server, replay_id)
        return page if page["replay"]["state"] in OVER else None

    return until(look, timeout_s=60) or {}


def replayed(server: Server, session_id: str, **wish: Any) -> dict[str, Any]:
    """Replay a session and give all that came of it."""
    return over(server, asked(server, session_id, **wish)["id"])
