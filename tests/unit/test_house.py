"""The house keeps its own rules: sizes, docstrings, words, and an import that does nothing."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("apps", "jobs", "agent", "store", "settings", "studio", "standins", "bench")
FILES = sorted([ROOT / "app.py", ROOT / "config.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))])
Function = ast.FunctionDef | ast.AsyncFunctionDef

FORBIDDEN_WORDS = {
    *("t2i", "i2i", "draw_image", "paint_image", "base_model", "neg", "src", "source_b64", "cn", "gpt_call", "engine"),
    *("fill_prompt", "format_prompt", "uid", "user_data", "img", "pic", "res", "tmp", "foo", "helper", "utils"),
}
"""Words that the glossary has another word for, and words that say nothing."""


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


@dataclass(frozen=True)
class Place:
    """A function or class and where it stands; hidden is what stands in a function or in a private class."""

    path: Path
    node: Function | ast.ClassDef
    is_hidden: bool

    @property
    def name(self) -> str:
        """Say it for a message."""
        return f"{_name(self.path)}:{self.node.lineno} {self.node.name}"

    @property
    def lines(self) -> int:
        """Count its lines without decorators and docstring."""
        whole = (self.node.end_lineno or 0) - self.node.lineno + 1
        first = self.node.body[0]
        is_docstring = ast.get_docstring(self.node, clean=False) is not None
        return whole - ((first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0)


def _places(path: Path) -> Iterator[Place]:
    def walk(node: ast.AST, is_hidden: bool) -> Iterator[Place]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function | ast.ClassDef):
                yield Place(path, child, is_hidden or child.name.startswith("_"))
                yield from walk(child, is_hidden or isinstance(child, Function) or child.name.startswith("_"))
            else:
                yield from walk(child, is_hidden)

    yield from walk(_tree(path), False)


def _all_places() -> list[Place]:
    return [place for path in FILES for place in _places(path)]


def _functions() -> list[Place]:
    return [place for place in _all_places() if isinstance(place.node, Function)]


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_no_file_has_more_than_300_lines(path: Path) -> None:
    assert _lines(path) <= 300


def test_half_of_the_files_have_at_most_120_lines() -> None:
    assert statistics.median(_lines(path) for path in FILES) <= 120


def test_no_function_has_more_than_40_lines() -> None:
    assert [place.name for place in _functions() if place.lines > 40] == []


def test_functions_are_short_on_the_whole() -> None:
    lengths = sorted(place.lines for place in _functions())

    assert statistics.median(lengths) <= 8
    assert lengths[len(lengths) * 9 // 10] <= 25


def test_every_module_says_what_it_is_for() -> None:
    silent = [_name(path) for path in FILES if path.read_text("utf-8").strip() and not ast.get_docstring(_tree(path))]
    assert silent == []


def test_everything_public_has_a_docstring() -> None:
    silent = [place.name for place in _all_places() if not place.is_hidden and not ast.get_docstring(place.node)]
    assert silent == []


def test_every_function_is_typed() -> None:
    untyped = []
    for place in _functions():
        arguments = place.node.args  # type: ignore[union-attr]
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        lacking = [one.arg for one in named if one.annotation is None and one.arg not in ("self", "cls")]
        if lacking or place.node.returns is None:  # type: ignore[union-attr]
            untyped.append(place.name)
    assert untyped == []


def _identifiers(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, Function | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


def test_the_words_that_the_glossary_replaces_are_not_used() -> None:
    used = [
        f"{_name(path)}:{line} {name}"
        for path in FILES
        for line, name in _identifiers(path)
        if name.lower().strip("_") in FORBIDDEN_WORDS
    ]
    assert used == []


def test_no_module_is_named_after_nothing() -> None:
    nothing = {"utils.py", "helpers.py", "common.py", "misc.py"}
    assert [_name(path) for path in FILES if path.name in nothing] == []


def test_nothing_is_printed_by_the_server() -> None:
    prints = [
        f"{_name(path)}:{node.lineno}"
        for path in FILES
        if path.is_relative_to(ROOT / "standins") is False
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("print", "pprint", "breakpoint")
    ]
    assert prints == []


def test_app_py_is_short() -> None:
    assert _lines(ROOT / "app.py") <= 25


def _handlers(path: Path) -> Iterator[ast.ExceptHandler]:
    return (node for node in ast.walk(_tree(path)) if isinstance(node, ast.ExceptHandler))


def _catches_everything(node: ast.ExceptHandler) -> bool:
    return node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception")


def test_everything_is_caught_in_one_place_only_the_last_handler() -> None:
    broad = [f"{_name(path)}:{node.lineno}" for path in FILES for node in _handlers(path) if _catches_everything(node)]
    assert [place for place in broad if not place.startswith("standins/")] == []

    handlers = [
        _name(path)
        for path in FILES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "errorhandler"
        and isinstance(node.args[0], ast.Name)
        and node.args[0].id == "Exception"
    ]
    assert handlers == ["apps/errors.py"]


def test_what_is_caught_whatever_it_is_goes_on_its_way() -> None:
    silent = [
        f"{_name(path)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ExceptHandler)
        and isinstance(node.type, ast.Name)
        and node.type.id == "BaseException"
        and not any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
    ]
    assert silent == []


OPENS_NOTHING = """
import socket, sys, threading
opened = []
def forbid(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    # urllib3 looks at its import whether this machine has IPv6, by binding to its loopback address.
    binds = event == "socket.bind" and arguments[1] != ("::1", 0)
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.fork") or writes or binds:
        opened.append(event)
sys.dont_write_bytecode = True
sys.addaudithook(forbid)
import apps.factory, apps.routes, config, jobs.runner, agent.sd, agent.gpt, store.stores, settings.book
print(opened, threading.active_count())
"""


def test_an_import_opens_no_socket_starts_no_thread_and_writes_no_file() -> None:
    command = [sys.executable, "-W", "error", "-c", OPENS_NOTHING]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["[]", "1"]


BUILDS_NOTHING = """
import sys, threading
seen = []
sys.addaudithook(lambda event, arguments: event in ("socket.connect", "socket.getaddrinfo") and seen.append(event))
from apps.factory import create_app
from config import load_config
create_app(load_config(_env_file=None, SD_ENDPOINTS="http://127.0.0.1:9", OPENAI_API_KEY="k", DATA_DIR=sys.argv[1]))
print(seen, threading.active_count())
"""


def test_building_the_app_connects_to_nothing_so_that_it_may_be_forked(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", BUILDS_NOTHING, str(tmp_path)]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["[]", "1"]
