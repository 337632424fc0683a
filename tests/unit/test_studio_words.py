"""The pages' words: both languages say everything, and every failure has a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent import errors as agent
from apps.stepideator.operations import OPERATIONS
from jobs import errors as jobs

pytestmark = pytest.mark.unit

STATIC = Path(__file__).parent.parent.parent / "studio" / "static"
START = re.compile(r"^addWords\(\{$", re.MULTILINE)
PAGES = sorted(path for path in STATIC.rglob("*.js") if START.search(path.read_text("utf-8")))
KEY = re.compile(r"'([a-z][\w一-鿿]*(?:\.[\w一-鿿]+)+)':")
USED = re.compile(r"\bt\('([\w.]+)'")
NEVER_KEPT = {
    *("AgentError", "ChatError", "SDError", "MultiviewError", "JobError", "CallCanceledError", "JobCanceledError"),
    *("QueueFullError", "InvalidOverrideError", "UnknownHostError", "HostNotNamedError", "HostSilentError"),
}
"""What is no leaf, no failure, or is told to the caller without a record."""


def _words(path: Path) -> tuple[set[str], set[str]]:
    """The keys in English and in Chinese, whichever comes first in the file."""
    text = START.split(path.read_text("utf-8"), maxsplit=1)[1]
    found = {one: re.search(rf"^  {one}: {{", text, re.MULTILINE) for one in ("en", "zh")}
    starts = {one: place.start() for one, place in found.items() if place}
    assert len(starts) == 2, path
    first, second = sorted(starts, key=lambda one: starts[one])
    parts = {first: text[starts[first] : starts[second]], second: text[starts[second] :]}
    return set(KEY.findall(parts["en"])), set(KEY.findall(parts["zh"]))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(STATIC)))
def test_both_languages_have_the_same_words(path: Path) -> None:
    english, chinese = _words(path)
    # The keys of the assistant's cards are Chinese already.
    assert {word for word in english if not word.startswith("key.")} == chinese


def test_every_operation_has_a_name() -> None:
    english, _ = _words(STATIC / "page" / "words.js")
    assert {f"op.{row.name}" for row in OPERATIONS.values()} <= english


def test_every_word_that_the_participants_page_says_is_there() -> None:
    known = {word for path in PAGES for word in _words(path)[0]}
    pages = [*(STATIC / "page").glob("*.js"), *(STATIC / "shared").glob("*.js")]
    said = {word for path in pages for word in USED.findall(path.read_text("utf-8")) if not word.endswith(".")}
    assert said - known - {"key"} == set()


def test_every_way_to_fail_has_a_sentence_for_the_participant() -> None:
    text = (STATIC / "page" / "failures.js").read_text("utf-8")
    told = set(re.findall(r"'(\w+Error)'", text))
    trees = [*vars(agent).values(), *vars(jobs).values()]
    classes = {one.__name__ for one in trees if isinstance(one, type) and issubclass(one, Exception)}
    assert classes - NEVER_KEPT - told == set()
    assert told - classes == {"RunnerDiedError", "StoreUnavailableError", "DocumentTooLargeError", "OwnershipLostError"}
