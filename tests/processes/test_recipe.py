"""The recipe in CONTRIBUTING.md, followed to the letter in a copy of the project."""

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.embedded import free_port
from tests.processes.harness import ROOT, answers_ping, program, until
from tests.stand_ins import stand_in

pytestmark = pytest.mark.processes

BLOCK = re.compile(r"^```\w+ (file|append|edit)=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CURL_BODY = re.compile(r"-d '(\{.*?\})'")
SHIPPED = ("app.py", "config.py", "apps", "jobs", "agent", "store", "settings", "studio")


def follow_recipe(folder: Path) -> None:
    """Copy what the server is made of, then do what each block of the recipe says."""
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for how, path, text in BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text("utf-8")):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if how == "edit":
            target.write_text(_edited(target.read_text("utf-8"), text), "utf-8")
            continue
        with target.open("a" if how == "append" else "w", encoding="utf-8") as file:
            file.write(f"\n{text}" if how == "append" else text)


def _edited(text: str, change: str) -> str:
    """Put each line that begins with a plus behind the line that stands before it in the change."""
    lines, place = text.splitlines(), 0
    for line in change.splitlines():
        if line.startswith("+"):
            place += 1
            lines.insert(place, line[1:])
        elif line.strip() != "…":
            place = lines.index(line[1:])
    return "\n".join(lines) + "\n"


def test_an_app_added_by_the_recipe_answers_and_is_documented(
    tmp_path: Path, mongo_uri: str, database_name: str
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    follow_recipe(project)
    base_url = f"http://127.0.0.1:{free_port()}"
    with stand_in("chat", "--latency", "0") as chat:
        env = {
            "MONGO_URI": mongo_uri,
            "MONGO_DB": database_name,
            "DATA_DIR": str(tmp_path / "data"),
            "OPENAI_BASE_URL": f"{chat.url}/v1",
            "PORT": base_url.rpartition(":")[2],
        }
        with program([sys.executable, "app.py"], project, tmp_path / "server.log", env) as server:
            until(lambda: answers_ping(base_url) or server.process.poll() is not None, "the server answers")
            [body] = CURL_BODY.findall((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
            request = urllib.request.Request(
                f"{base_url}/naming/suggest", body.encode(), {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = json.load(response)
            with urllib.request.urlopen(f"{base_url}/openapi.json", timeout=10) as response:
                document = json.load(response)
    assert answer["success"], server.said()
    assert all(json.loads(item)["name"] for item in answer["data"])
    assert len(set(answer["data"])) == 2
    assert "/naming/suggest" in document["paths"]


def test_the_recipes_code_keeps_the_style(tmp_path: Path) -> None:
    follow_recipe(tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ruff = [sys.executable, "-m", "ruff", "check", "apps/naming", "apps/registry.py", "apps/routes.py", "config.py"]
    result = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
