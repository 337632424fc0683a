"""The pages' modules: every import leads somewhere, and a page names all that it loads at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

STATIC = Path(__file__).parent.parent.parent / "studio" / "static"
MODULES = sorted(path for path in STATIC.rglob("*.js") if path.parent.name != "vendor")
IMPORT = re.compile(r"^(?:import|export)\b[^;]*?from\s*'([^']+)'|^import '([^']+)'", re.MULTILINE)
LATER = re.compile(r"import\('([^']+)'\)")


def _named(path: Path, pattern: re.Pattern[str]) -> list[Path]:
    found = pattern.findall(path.read_text("utf-8"))
    names = [next(filter(None, one)) if isinstance(one, tuple) else one for one in found]
    return [(path.parent / name).resolve() for name in names]


def _at_once(path: Path, seen: set[Path]) -> set[Path]:
    for other in _named(path, IMPORT):
        if other not in seen:
            seen.add(other)
            _at_once(other, seen)
    return seen


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(STATIC)))
def test_every_import_leads_to_a_file_of_ours(path: Path) -> None:
    assert [name for name in [*_named(path, IMPORT), *_named(path, LATER)] if not name.is_file()] == []


@pytest.mark.parametrize("page", ["index", "join"])
def test_a_page_names_all_modules_that_it_needs_at_once(page: str) -> None:
    text = (STATIC / f"{page}.html").read_text("utf-8")
    [main] = re.findall(r'<script type="module" src="{{static}}/([^"]+)"', text)
    preloaded = re.findall(r'<link rel="modulepreload" href="{{static}}/([^"]+)"', text)
    needed = _at_once((STATIC / main).resolve(), set())
    assert preloaded == sorted(path.relative_to(STATIC.resolve()).as_posix() for path in needed)
