"""The documentation says what the code does."""

import re
from pathlib import Path

import pytest

from apps.stepideator.operations import OPERATIONS
from config import Config

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent.parent
ROW = re.compile(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\| (.+) \|$", re.MULTILINE)
LINK = re.compile(r"\]\((?!http)([^)#]+)\)")
PAGES = sorted(path for path in ROOT.rglob("*.md") if not {".venv", "data", "out"} & set(path.relative_to(ROOT).parts))


def test_the_table_of_settings_in_the_readme_is_the_configuration() -> None:
    rows = {name: meaning for name, _, meaning in ROW.findall((ROOT / "README.md").read_text("utf-8"))}
    assert rows == {name: field.description for name, field in Config.model_fields.items()}


def test_the_defaults_in_the_readme_are_those_of_the_configuration() -> None:
    said = {name: default for name, default, _ in ROW.findall((ROOT / "README.md").read_text("utf-8"))}
    built = {name: shown for name, shown in _defaults() if name != "SETTINGS_DIR"}
    assert {name: said[name] for name in built} == built


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text("utf-8")) if not (page.parent / link).exists()]
    assert missing == []


def test_there_are_fourteen_operations() -> None:
    assert len(OPERATIONS) == 14


def _defaults() -> list[tuple[str, str]]:
    return [(name, _shown(field.default)) for name, field in Config.model_fields.items()]


def _shown(value: object) -> str:
    if hasattr(value, "get_secret_value"):
        return str(value.get_secret_value())
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
