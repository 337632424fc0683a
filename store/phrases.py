"""The phrases of texts, by which a text that was chosen is traced to the generation that wrote it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

MAX_LENGTH: Final = 200
MAX_NUMBER: Final = 500


def phrase(text: str) -> str:
    """Give the form in which two phrases are compared: without outer blanks, at most 200 characters."""
    return text.strip()[:MAX_LENGTH].strip()


def phrases(texts: Iterable[str]) -> list[str]:
    """Collect each text and every string inside it where it is JSON, once each, at most 500."""
    found: dict[str, None] = {}
    for text in texts:
        for part in (text, *_strings_in(text)):
            if len(found) < MAX_NUMBER and phrase(part):
                found[phrase(part)] = None
    return list(found)


def _strings_in(text: str) -> Iterator[str]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    yield from _leaves(value)


def _leaves(value: Any) -> Iterator[str]:
    # A stack instead of recursion: a model's answer may be nested deeper than Python's own stack.
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list):
            waiting.extend(reversed(item))
