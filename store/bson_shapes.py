"""Shapes that BSON accepts, for values that come from outside and are only kept, not computed with."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

MAX_DEPTH: Final = 40
MAX_INTEGER: Final = 2**63
# A prompt is a few hundred characters; what is longer than this is no prompt but a picture gone astray.
MAX_TEXT: Final = 100_000


def storable(value: Any, *, max_text: int = MAX_TEXT, depth: int = 0) -> Any:
    """Give a value of JSON's kind in a form that BSON takes, as near to the original as it can be.

    Integers over 64 bits become their digits, lone surrogates and the NUL of a key become U+FFFD, tuples become
    lists, longer texts are cut with a note of their length, and what lies deeper than 40 levels becomes JSON text.
    """
    if isinstance(value, str):
        return _storable_text(value, max_text)
    # True and False are integers to Python, but have a type of their own in BSON.
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -MAX_INTEGER <= value < MAX_INTEGER else str(value)
    if isinstance(value, bool | float | datetime | None):
        return value
    # MongoDB refuses documents over 100 levels; a record adds a few of its own around this value.
    if depth >= MAX_DEPTH:
        return _storable_text(json.dumps(value, default=str), max_text)
    if isinstance(value, dict):
        return {
            _storable_text(str(key), max_text).replace("\x00", "\ufffd"): storable(
                item, max_text=max_text, depth=depth + 1
            )
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [storable(item, max_text=max_text, depth=depth + 1) for item in value]
    return _storable_text(str(value), max_text)


def _storable_text(text: str, max_text: int) -> str:
    if len(text) > max_text:
        text = f"{text[:max_text]}… ({len(text)} characters, cut)"
    # Nearly all texts are free of surrogates, and ASCII is known to be without a look at each character.
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
