"""`python -m standins.dry_run --plan FILE`: run one dry run and write its figures; `flask dry-run` makes the plan."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import click
import requests
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from standins.dry_run.crowd import Findings, Visitor, work
from standins.dry_run.pace import Pace, measured
from standins.dry_run.plan import Plan
from standins.dry_run.report import figures_of, table
from standins.dry_run.stage import Stage, staged
from standins.processes import StartError, StopRequested

TIMED = ("seconds", "low", "high", "mean", "sd", "min", "max")
PAGE = 200


@click.command(help=__doc__)
@click.option("--plan", "plan_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--json", "as_json", is_flag=True, help="JSON in place of the table.")
def main(plan_file: Path, as_json: bool) -> None:
    """Run it; exit code 0, or 1 with a sentence when a part failed or somebody wants the end."""
    plan = Plan.model_validate_json(plan_file.read_text("utf-8"))
    try:
        figures = _run(plan)
    except (StartError, StopRequested, ValueError, requests.RequestException) as exc:
        click.secho(str(exc) or "stopped", fg="red", err=True)
        sys.exit(1)
    click.echo(json.dumps(figures, ensure_ascii=False, indent=2) if as_json else table(figures))


def _run(plan: Plan) -> dict[str, Any]:
    click.echo("starting the stand-ins and a server ...", err=True)
    with staged(plan.instances, {}) as stage:
        # What a condition holds back would be taken for a slow server.
        trial = _key_of(_laid_out(stage, plan, "calibration", None))
        visitors = [Visitor(stage.url, plan, trial, Findings()) for _ in range(6)]
        pace = measured(stage, plan, visitors)
        click.echo(f"time is shortened {pace.scale:.0f} times; {plan.participants} participants come ...", err=True)
        before = _record_bytes(stage)
        study, began = _laid_out(stage, plan, plan.name, pace.scale), time.monotonic()
        with click.progressbar(length=plan.participants, label="left", file=sys.stderr) as bar:
            found = work(stage.url, plan, _key_of(study), pace.scale, lambda: bar.update(1))
        return _told(stage, plan, pace, found, study["id"], before, time.monotonic() - began)


def _told(
    stage: Stage, plan: Plan, pace: Pace, found: Findings, study_id: str, before: int, took_s: float
) -> dict[str, Any]:
    return figures_of(plan, pace, found, _conditions_of(stage, study_id), _record_bytes(stage) - before, took_s)


def _laid_out(stage: Stage, plan: Plan, name: str, scale: float | None) -> dict[str, Any]:
    """Lay the study out on the server of the dry run and open it; answers are held shortened, or not at all."""
    conditions = [
        {**one, "name": one.get("name") or one["id"], "hold": _shortened(one.get("hold"), scale), "checkpoint": None}
        for one in plan.conditions
    ]
    wish = {"name": name, "task": plan.task, "consent_text": "simulated", "conditions": conditions}
    study: dict[str, Any] = _post(f"{stage.url}/api/studies", wish)
    _post(f"{stage.url}/api/studies/{study['id']}/state", {"state": "open"})
    return study


def _key_of(study: dict[str, Any]) -> str:
    return str(study["join_url"]).rpartition("/")[2]


def _shortened(hold: dict[str, Any] | None, scale: float | None) -> dict[str, Any]:
    if hold is None or scale is None:
        return {"kind": "none"}
    return {key: value / scale if key in TIMED and value is not None else value for key, value in hold.items()}


def _conditions_of(stage: Stage, study_id: str) -> dict[str, str]:
    found: dict[str, str] = {}
    before = ""
    while True:
        address = f"{stage.url}/api/studies/{study_id}/sessions"
        answer = requests.get(address, params={"limit": PAGE, "before": before or None}, timeout=60)
        answer.raise_for_status()
        page = answer.json()["data"]
        found |= {row["participant"]: row["condition_id"] for row in page["sessions"]}
        before = page.get("next") or ""
        if not before:
            return found


def _record_bytes(stage: Stage) -> int:
    """Add up what is kept, all but pictures."""
    with MongoClient[RawBSONDocument](stage.mongo_uri, document_class=RawBSONDocument) as client:
        database = client["dry_run"]
        names = [name for name in database.list_collection_names() if name not in ("contents", "content_parts")]
        return sum(len(document.raw) for name in names for document in database[name].find())


def _post(url: str, body: Any) -> Any:
    answer = requests.post(url, json=body, timeout=60)
    if not answer.ok:
        raise ValueError(f"{url} answered {answer.status_code}: {answer.text[:300]}")
    return answer.json()["data"]


if __name__ == "__main__":
    main()
