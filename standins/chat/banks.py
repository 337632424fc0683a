"""The phrases of `data/*.json`."""

import json
from functools import cache
from importlib import resources
from typing import Any


@cache
def _file(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(resources.files(__package__).joinpath("data", name).read_text("utf-8"))
    return found


def bank(name: str) -> Any:
    """A table of `words.json`: subjects, qualities, domains, scenes, shapes."""
    return _file("words.json")[name]


def phrases(key: str, is_chinese: bool, domain: str) -> tuple[list[str], list[str]]:
    """Phrases that fit a wanted key: those of the domain, and general ones; `{name}` stands for the object."""
    table = _file("chinese.json" if is_chinese else "english.json")
    own = table["domains"].get(domain, {}).get(key, [])
    general = table["keys"].get(key) or table["keys"]["*"]
    return list(own), [phrase for phrase in general if phrase not in own]
