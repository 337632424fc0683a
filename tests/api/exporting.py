"""Exports of a server under test, from the call to the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.api.answers import data_of
from tests.api.records import until
from tests.api.server import Server

ENDED = ("done", "failed")


def asked_for(server: Server, study_id: str) -> dict[str, Any]:
    """Ask for an export and give it as it is told at first."""
    answer = server.post(f"/api/studies/{study_id}/exports", {})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()["data"]
    assert answer.headers["Location"].endswith(f"/api/exports/{found['id']}")
    return found


def ended(server: Server, export_id: str) -> dict[str, Any]:
    """Wait until an export is done or failed, and give it."""

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = data_of(server.get(f"/api/exports/{export_id}"))
        return found if found["state"] in ENDED else None

    return until(look)


def exported(server: Server, study_id: str) -> dict[str, Any]:
    """Export a study and give the export, which must be done."""
    found = ended(server, asked_for(server, study_id)["id"])
    assert found["state"] == "done", found
    return found


def fetched(server: Server, export: dict[str, Any], path: Path) -> Path:
    """Fetch the file of an export."""
    answer = server.get(export["file_url"])
    assert answer.status_code == 200, answer.text
    path.write_bytes(answer.content)
    return path
