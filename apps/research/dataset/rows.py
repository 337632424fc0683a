"""The rows of the tables, made from the records of a session as they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

Record = Mapping[str, Any]
Row = dict[str, Any]


def who(session: Record) -> Row:
    """Give the columns that say whose row it is."""
    return {
        "session_id": session["_id"],
        "session_number": session.get("number"),
        "participant_id": session["participant_id"],
        "condition_id": session.get("condition_id", ""),
    }


def condition_rows(study: Record) -> Iterator[Row]:
    """Give a row for each condition of a study."""
    for condition in study.get("conditions", ()):
        hold = condition.get("hold") or {}
        numbers = {key: value for key, value in hold.items() if key != "kind" and value is not None}
        yield {
            "row_id": condition["id"],
            "condition_id": condition["id"],
            "condition_name": condition.get("name", ""),
            "condition_description": condition.get("description", ""),
            "allowed_operations": condition.get("allowed"),
            "assistant": condition.get("assistant", True),
            "checkpoint": condition.get("checkpoint"),
            "num_max": condition.get("num_max"),
            "hold_kind": hold.get("kind"),
            "hold": as_json(numbers) if numbers else None,
        }


def session_row(session: Record, counts: Mapping[str, int], waited_s: float) -> Row:
    """Give the row of a session. `counts` has its numbers of `events`, and of generations by their state."""
    client = session.get("client") or {}
    return {
        "row_id": session["_id"],
        **who(session),
        "state": session.get("state", "active"),
        "assigned_by": (session.get("assigned") or {}).get("method"),
        "consented_at": (session.get("consent") or {}).get("at"),
        "started_at": session.get("started_at"),
        "last_event_at": session.get("last_event_at"),
        "ended_at": session.get("ended_at"),
        "duration_s": seconds(session.get("started_at"), session.get("ended_at")),
        "generation_count": sum(counts.get(state, 0) for state in ("succeeded", "failed", "canceled")),
        "failed_count": counts.get("failed", 0),
        "canceled_count": counts.get("canceled", 0),
        "event_count": counts.get("events", 0),
        "waited_total_s": round(waited_s, 3),
        "user_agent": client.get("user_agent"),
        "language": client.get("language"),
        "screen": _as_text(client.get("screen")),
    }


def generation_row(generation: Record, session: Record) -> Row:
    """Give the row of a generation that has ended."""
    created_at, inputs, error = generation["created_at"], generation["inputs"], generation.get("error") or {}
    shown_at = shown(generation)
    return {
        "row_id": generation["_id"],
        "generation_id": generation["_id"],
        **who(session),
        "operation": generation["operation"],
        "representation": generation["operation"].partition(".")[0],
        "state": generation["state"],
        "created_at": created_at,
        "started_at": generation.get("started_at"),
        "ended_at": generation.get("ended_at"),
        "shown_at": shown_at,
        "duration_s": generation.get("duration_s"),
        "waited_s": seconds(created_at, generation.get("ended_at")),
        "hold_kind": generation.get("hold_kind") or None,
        "hold_s": generation.get("hold_s"),
        "shown_s": seconds(created_at, shown_at),
        "seed": generation.get("seed"),
        "task": inputs["task"],
        "input_texts": inputs["texts"],
        "input_images": inputs["image_ids"],
        "requested_count": inputs["num"],
        "stage": inputs.get("current_stage", ""),
        "parents": generation.get("parents", []),
        "output_count": len(generation.get("outputs", ())),
        "step_count": len(generation.get("steps", ())),
        "attempt_count": generation.get("attempt"),
        "error_type": error.get("type"),
        "error_message": error.get("message"),
        "rerun_of": generation.get("rerun_of") or None,
        "drifted": generation.get("drift"),
    }


def shown(generation: Record) -> datetime | None:
    """Say when the result of a generation could be seen: at its end, or when a hold was over; None: there is none."""
    ended_at: datetime | None = generation.get("ended_at")
    if generation["state"] != "succeeded" or ended_at is None:
        return None
    held_until: datetime = generation["created_at"] + timedelta(seconds=generation.get("hold_s") or 0.0)
    return max(ended_at, held_until)


def output_rows(generation: Record, session: Record) -> Iterator[Row]:
    """Give a row for each result of a generation."""
    for position, output in enumerate(generation.get("outputs", ()), start=1):
        yield {
            "row_id": f"{generation['_id']}/{position}",
            "generation_id": generation["_id"],
            "step_id": output.get("step") or None,
            **who(session),
            "operation": generation["operation"],
            "output_index": output.get("index", 0),
            "output_kind": output["kind"],
            "image": output.get("image_id"),
            "text": output.get("text"),
        }


def save_row(save: Record, session: Record) -> Row:
    """Give the row of a save."""
    schemes = {item["stage"]: item["count"] for item in save["scheme_counts"]}
    return {
        "row_id": save["_id"],
        **who(session),
        "at": save["saved_at"],
        "task": save["design_task"],
        "stage": save["current_stage"],
        "scheme_count": sum(schemes.values()),
        "schemes": as_json(schemes),
        "content": save["content_sha256"],
    }


def upload_row(upload: Record, session: Record | None) -> Row:
    """Give the row of an upload; of nobody's without a session."""
    return {
        "row_id": upload["_id"],
        **({} if session is None else who(session)),
        "at": upload["received_at"],
        "image": upload["content_sha256"],
        "upload_kind": upload["kind"],
        "file_name": upload["file_name"],
    }


def visit_rows(reports: Mapping[int | None, Record], session: Record) -> Iterator[Row]:
    """Give a row for each stay; `reports` has the last report of each page load by its time."""
    number = 0
    for loaded_at_ms, report in reports.items():
        for kind, stages in (("stage", report["stage_switches"]), ("ai_stage", report["ai_stage_switches"])):
            for name, visit in ((stage["stage"], visit) for stage in stages for visit in stage["visits"]):
                number += 1
                yield {
                    "row_id": f"{session['_id']}/{number}",
                    **who(session),
                    "page_loaded_at_ms": loaded_at_ms,
                    "visit_kind": kind,
                    "stage": name,
                    "start_time_ms": visit["start_time_ms"],
                    "duration_ms": visit["duration_ms"],
                }


def seconds(start: datetime | None, end: datetime | None) -> float | None:
    """Give the time between two moments; None if one of them is not known."""
    return None if start is None or end is None else (end - start) / timedelta(seconds=1)


def as_json(value: Any) -> str:
    """Give a value as JSON text, readable in every language."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else as_json(value)
