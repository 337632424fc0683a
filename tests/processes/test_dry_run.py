"""`flask dry-run`: the whole of it, as somebody would who lays out a study."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config import Config
from store.studies import Condition, Hold, Study
from tests.stores import opened_stores

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]


def _dry_run(uri: str, name: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key not in Config.model_fields}
    env = {**clean, "MONGO_URI": uri, "MONGO_DB": name, "DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "flask", "--app", "app", "dry-run", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)


def test_a_study_of_two_conditions_is_simulated_and_only_read(
    mongo_uri: str, database_name: str, tmp_path: Path
) -> None:
    held = Hold(kind="fixed", seconds=60)
    conditions = (Condition(id="all"), Condition(id="sketch", allowed=("sketch.create_new",), hold=held))
    with opened_stores(mongo_uri, database_name) as stores:
        study = stores.studies.create(Study(name="Chairs", conditions=conditions))
        more = ("--participants", "4", "--step-time", "0.02", "--chat-time", "1", "--scale", "60", "--json")
        ended = _dry_run(mongo_uri, database_name, tmp_path, "--study", study.id, *more)
        assert stores.sessions.of_study(study.id) == ()

    assert ended.returncode == 0, ended.stderr
    figures: dict[str, Any] = json.loads(ended.stdout)
    assert set(figures["conditions"]) == {"all", "sketch"}
    assert figures["all"]["failures"] == {}
    assert figures["conditions"]["all"]["requests"] == 2 * 16
    assert figures["conditions"]["sketch"]["requests"] == 2 * 3
    assert figures["conditions"]["sketch"]["waiting_s"]["p50"] >= 40
    assert figures["gpu_hours"] > 0
    assert figures["lost"] == []


def test_an_unknown_study_is_said_to_be_so(mongo_uri: str, database_name: str, tmp_path: Path) -> None:
    ended = _dry_run(mongo_uri, database_name, tmp_path, "--study", "none")

    assert (ended.returncode, "there is no study 'none'" in ended.stderr) == (1, True)
