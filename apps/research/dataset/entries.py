"""What happened in a session, on one clock: its page's events together with what the server knows of its work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from apps.research.dataset.rows import Record, Row, as_json, shown, who
from apps.research.dataset.work_rows import images_of_step

Key = tuple[datetime, int, str, int, str]
Entry = tuple[Key, Row]


def numbered(entries: list[Entry], session: Record) -> Iterator[Row]:
    """Put the entries of a session in their order and give them as rows."""
    entries.sort(key=lambda entry: entry[0])
    for seq, (_, row) in enumerate(entries, start=1):
        yield {"row_id": f"{session['_id']}/{seq:06}", **who(session), "seq": seq, **row}


def of_event(event: Record) -> Entry:
    """Give the entry of an event of the page."""
    row = {
        "client_at_ms": event.get("client_at_ms"),
        "actor": event["actor"],
        "verb": event["verb"],
        "object": event.get("object") or None,
        "inputs": event.get("inputs", []),
        "outputs": event.get("outputs", []),
        "generation_id": event.get("generation_id") or None,
        "data": event.get("data") or None,
    }
    # Of several in one batch, which have one time of the server, the page's own count tells the order.
    return _entry(event["at"], 0, event.get("page_id") or "", event.get("client_seq") or 0, event["_id"], row)


def of_generation(generation: Record) -> Iterator[Entry]:
    """Give the entries of a generation: asked for, begun, each step, each result, ended, shown after a hold."""
    inputs, operation = generation["inputs"], generation["operation"]
    taken = [*inputs["image_ids"], *generation.get("parents", ()), *inputs["texts"]]
    steps = {step["id"]: step for step in generation.get("steps", ())}
    for entry in generation.get("log", ()):
        if entry["type"] == "state" and entry["state"] == "queued":
            row = _row("participant", "generation.queued", operation, inputs=taken)
        elif entry["type"] == "state":
            row = _row("system", f"generation.{entry['state']}", operation, data=_ending(entry["state"], generation))
        elif entry["type"] == "step":
            row = _of_step(steps.get(entry["step"]) or {})
        else:
            row = _of_output(generation["outputs"][entry["output"]])
        yield _entry(entry["at"], 1, generation["_id"], entry["seq"], "", {**row, "generation_id": generation["_id"]})
    shown_at = shown(generation)
    if shown_at is not None and shown_at != generation["ended_at"]:
        row = _row("system", "generation.released", operation, data=as_json({"hold_s": generation["hold_s"]}))
        yield _entry(shown_at, 2, generation["_id"], 0, "", {**row, "generation_id": generation["_id"]})


def of_save(save: Record) -> Entry:
    """Give the entry of a save, as the server received it."""
    data = as_json({"stage": save["current_stage"], "task": save["design_task"]})
    row = _row("participant", "state.received", save["_id"], outputs=[save["content_sha256"]], data=data)
    return _entry(save["saved_at"], 1, save["_id"], 0, "", row)


def of_upload(upload: Record) -> Entry:
    """Give the entry of an upload, as the server received it."""
    row = _row("participant", "upload.received", upload["kind"], outputs=[upload["content_sha256"]])
    return _entry(upload["received_at"], 1, upload["_id"], 0, "", row)


def of_visit(visit: Row, received_at: datetime) -> Entry:
    """Give the entry of a stay in a stage, at the time when the page reported it."""
    data = as_json({"duration_ms": visit["duration_ms"], "kind": visit["visit_kind"]})
    row = _row("participant", "stage.visit", visit["stage"], data=data) | {"client_at_ms": visit["start_time_ms"]}
    return _entry(received_at, 1, visit["row_id"], visit["start_time_ms"], visit["row_id"], row)


def _of_step(step: Record) -> Row:
    error = step.get("error")
    facts = {"name": step.get("name"), "duration_s": step.get("duration_s"), "waited_s": step.get("waited_s")}
    data = as_json({**facts, **({"error": error} if error else {})})
    return _row("assistant", f"step.{step.get('kind') or 'unknown'}", step.get("id"), outputs=images_of_step(step),
                data=data)  # fmt: skip


def _of_output(output: Record) -> Row:
    made = output.get("image_id") or output.get("text")
    data = as_json({"index": output.get("index"), "step": output.get("step")})
    return _row("assistant", "generation.output", output["kind"], outputs=[made] if made else [], data=data)


def _ending(state: str, generation: Record) -> str | None:
    return as_json(generation["error"]) if state == "failed" and generation.get("error") else None


def _row(
    actor: str,
    verb: str,
    about: str | None,
    *,
    inputs: list[str] | None = None,
    outputs: list[str] | None = None,
    data: str | None = None,
) -> Row:
    return {"actor": actor, "verb": verb, "object": about, "inputs": inputs or [], "outputs": outputs or [],
            "data": data}  # fmt: skip


def _entry(at: datetime, rank: int, name: str, number: int, more: str, row: dict[str, Any]) -> Entry:
    return (at, rank, name, number, more), {"at": at, **row}
