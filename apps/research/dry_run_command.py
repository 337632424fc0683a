"""`flask dry-run`: a study simulated on the stand-ins, in processes of its own; the study itself is only read."""

import json
import subprocess
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import click
from flask.cli import with_appcontext

from apps.services import Services, services
from store.clock import BEGINNING, utc_now
from store.documents import GenerationRecord
from store.sessions import Session
from store.studies import Study

if TYPE_CHECKING:
    from config import Config

USUAL_INSTANCES: Final = 2
MOST_SCRIPTS: Final = 200
LONGEST_THINK_S: Final = 900.0
"""A longer pause between two operations is a break, not a thought."""


def dry_run_command(config: "Config") -> click.Command:
    """Make the command for a server of this configuration."""

    @click.command("dry-run")
    @click.option("--study", "study_id", required=True, help="The study to simulate; it is only read.")
    @click.option("--participants", type=click.IntRange(1, 200), default=40, show_default=True)
    @click.option("--instances", type=click.IntRange(1, 64), help="WebUIs; as many as SD_ENDPOINTS names, else 2.")
    @click.option(
        "--per-hour", type=click.FloatRange(0.1), help="Participants an hour; all within a minute if not given."
    )
    @click.option("--step-time", type=click.FloatRange(0.001), default=0.1, show_default=True, help="Seconds a step.")
    @click.option("--load-time", type=click.FloatRange(0), default=5.0, show_default=True, help="Seconds a load.")
    @click.option("--chat-time", type=click.FloatRange(0), default=4.0, show_default=True, help="Seconds an answer.")
    @click.option("--picture-kb", type=click.FloatRange(1), default=420.0, show_default=True)
    @click.option("--scale", type=click.FloatRange(1), help="How often time is shortened; measured if not given.")
    @click.option("--json", "as_json", is_flag=True, help="JSON in place of the table.")
    @with_appcontext
    def dry_run(study_id: str, instances: int | None, as_json: bool, **options: Any) -> None:
        """Simulate a study on stand-ins: hours of GPU, how long participants wait, the queue, storage.

        Participants behave as the study's recorded sessions did; a study without any is given the usual behaviour.
        """
        parts = services()
        study = parts.stores.studies.get(study_id)
        if study is None:
            raise click.ClickException(f"there is no study {study_id!r}")
        plan = plan_of(parts, study, instances or len(config.SD_ENDPOINTS) or USUAL_INSTANCES, options)
        sys.exit(_run(plan, ["--json"] if as_json else []))

    return dry_run


def plan_of(parts: Services, study: Study, instances: int, options: dict[str, Any]) -> dict[str, Any]:
    """Write down what is to be simulated, as `standins.dry_run.plan` reads it."""
    times = {"step_s": options["step_time"], "load_s": options["load_time"], "chat_s": options["chat_time"]}
    names = ("participants", "per_hour", "picture_kb", "scale")
    return {
        "name": study.name,
        **({"task": study.task} if study.task else {}),
        "conditions": [condition.model_dump(mode="json") for condition in study.conditions],
        "instances": instances,
        "scripts": _scripts(parts, study),
        **times,
        **{name: options[name] for name in names},
    }


def _scripts(parts: Services, study: Study) -> list[list[dict[str, Any]]]:
    """Read how the study's participants have worked so far."""
    sessions = parts.stores.sessions.of_study(study.id)[:MOST_SCRIPTS]
    scripts = [_script(_generations(parts, session)) for session in sessions]
    return [script for script in scripts if script]


def _generations(parts: Services, session: Session) -> list[GenerationRecord]:
    found = parts.stores.generations.of_participant(session.participant_id, BEGINNING, utc_now())
    own = [record for record in found if not record.replay_id and record.session_id in ("", session.id)]
    return sorted(own, key=lambda record: (record.created_at, record.id))


def _script(records: Iterable[GenerationRecord]) -> list[dict[str, Any]]:
    known = list(records)
    pauses = [0.0, *((after.created_at - (before.ended_at or before.created_at)).total_seconds()
                     for before, after in pairwise(known))]  # fmt: skip
    return [
        {"operation": record.operation, "num": record.inputs.num, "think_s": min(max(pause, 0.0), LONGEST_THINK_S)}
        for record, pause in zip(known, pauses, strict=False)
    ]


def _run(plan: dict[str, Any], more: list[str]) -> int:
    with TemporaryDirectory(prefix="dry-run-plan-") as folder:
        file = Path(folder) / "plan.json"
        file.write_text(json.dumps(plan, ensure_ascii=False), "utf-8")
        # The stand-ins are no part of the server, so they are not imported here but run.
        command = [sys.executable, "-m", "standins.dry_run", "--plan", str(file), *more]
        return subprocess.run(command, cwd=Path(__file__).parents[2], check=False).returncode
