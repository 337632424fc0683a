"""What every answer of the server has to be."""

from __future__ import annotations

from typing import Any

import requests

from store.schema import (
    CONTENTS,
    EVENTS,
    GENERATIONS,
    PARTICIPANTS,
    SAVED_STATES,
    SESSIONS,
    STUDIES,
    SUBJECTS,
    TIME_RECORDS,
    UPLOADS,
)
from tests.api.server import Server

KEPT = (
    *(CONTENTS, GENERATIONS, PARTICIPANTS, SAVED_STATES, SUBJECTS, TIME_RECORDS, UPLOADS),
    *(STUDIES, SESSIONS, EVENTS),
)
REFUSED_LEAVES_ALONE = tuple(name for name in KEPT if name != CONTENTS)
INSIDE = ("Traceback", 'File "', "site-packages", "pymongo", "pydantic", "werkzeug", "0x7")
"""What must never be read in an answer: the inside of the server."""


def data_of(answer: requests.Response) -> Any:
    """Check the envelope of a success and return its `data`."""
    assert answer.status_code == 200, answer.text
    envelope = answer.json()
    assert set(envelope) == {"success", "data", "code", "message"}
    assert (envelope["success"], envelope["code"], envelope["message"]) == (True, 0, "")
    return envelope["data"]


def failure_of(answer: requests.Response, status: int, code: int = 1) -> str:
    """Check the envelope of a failure and return its message."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    envelope = answer.json()
    assert set(envelope) == {"success", "data", "code", "message"}
    assert (envelope["success"], envelope["data"], envelope["code"]) == (False, None, code)
    message: str = envelope["message"]
    assert message.strip()
    assert not any(word in message for word in INSIDE), message
    return message


def counts(server: Server, names: tuple[str, ...] = KEPT) -> dict[str, int]:
    """Count what is kept, by collection."""
    return {name: server.stores.database.collection(name).count_documents({}) for name in names}
