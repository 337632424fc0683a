"""What the OpenAPI document says of headers and of the stream of events; no model can say it."""

from typing import Any

from apps.stepideator.preferences import LONGEST_CANCEL_AFTER_S, LONGEST_KEY, LONGEST_WAIT_S


def _header(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": description}


_ASKED = [
    _header(
        "Prefer",
        {"type": "string", "examples": ["wait=30"]},
        f"`wait=N` waits up to N seconds (0 to {LONGEST_WAIT_S}): 200 if the job has ended by then, else 202; RFC 7240",
    ),
    _header(
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": r"^[\x20-\x7e]+$"},
        "any text of the caller's choice that marks this submission: sent again with the same body within 24 hours it "
        "gives the job of the first time, with another body it is refused (422). It counts for all callers together, "
        "so take a random one, such as a UUID",
    ),
    _header(
        "Cancel-After",
        {"type": "number", "exclusiveMinimum": 0, "maximum": LONGEST_CANCEL_AFTER_S},
        "seconds after which the job is canceled unless it has ended",
    ),
]
_TOLD = {
    "Location": {"schema": {"type": "string"}, "description": "where the job is told: `/api/generations/<id>`"},
    "Preference-Applied": {"schema": {"type": "string"}, "description": "`wait=N` when a wait was asked for"},
    "Idempotency-Replayed": {
        "schema": {"type": "string", "const": "true"},
        "description": "there when the job is that of an earlier request with this key",
    },
}
_REFUSED = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds until a place may be free"}}

SUBMISSION: dict[str, Any] = {
    "parameters": _ASKED,
    "responses": {
        "200": {"headers": _TOLD, "description": "ended: with `Prefer: wait`, or the job of an earlier request"},
        "202": {"headers": _TOLD},
        "429": {"headers": _REFUSED},
    },
}
RERUN: dict[str, Any] = {**SUBMISSION, "requestBody": {"required": False}}

_STREAM = """retry: 2000

id: 1
event: state
data: {"type": "state", "at": "2026-11-25T08:00:00Z", "state": "queued", "job": {"id": "01KA…", "state": "queued", …}}

event: progress
data: {"type": "progress", "at": "2026-11-25T08:00:01Z", "job": {"progress": 0.4, "place": null, "eta_s": 2.5, …}}

id: 4
event: output
data: {"type": "output", "at": "2026-11-25T08:00:02Z", "output": {"index": 0, "kind": "image", "url": "…"}, "job": {…}}

: still here
"""
EVENTS: dict[str, Any] = {
    "parameters": [
        _header("Last-Event-ID", {"type": "integer", "minimum": 0}, "id of the last event that was seen; 0: none"),
        {
            "name": "lastEventId",
            "in": "query",
            "required": False,
            "schema": {"type": "integer", "minimum": 0},
            "description": "the same for clients that cannot set the header, which wins",
        },
    ],
    "responses": {
        "200": {
            "description": "Server-Sent Events. `state`, `step` and `output` have an `id`, and are not told twice to a "
            "client that says which it saw last; `progress` has none. `job` says how the job stood then. A comment "
            "comes at least every 15 seconds. The stream ends after the event of the job's end",
            "content": {
                "text/event-stream": {"schema": {"type": "string"}, "examples": {"a life": {"value": _STREAM}}}
            },
        },
        "204": {"description": "the job has ended, and the client has seen its last event; do not come back"},
    },
}
