"""How many entries a prompt wants in its lists: rules with an arrow, numbers beside a key, numbers in words."""

import re

_RULE = re.compile(r"^\s*[-*]?\s*(.+?)\s*(?:→|->)\s*(.+)$", re.MULTILINE)
_SELECTED = re.compile(r"selected[^\n\[]*\[(.*)\]", re.IGNORECASE)
_DIFFICULTY = re.compile(r"不|难|烫|慢|重|怕|容易.*(?:坏|丢)|hard|difficult|too |heavy|slow|lost|noisy", re.IGNORECASE)
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
_NUMBER = rf"(\d+|{'|'.join(_WORDS)})"
_ENTRIES = r"(?:different |short |more )?(?:phrases|items|entries|ideas)|个|条|项"
_RANGE = re.compile(rf"\b{_NUMBER}(?:\s*(?:or|to|-|–|至|到)\s*{_NUMBER})?\s*(?:{_ENTRIES})", re.IGNORECASE)


def counts_by_rule(prompt: str, keys: list[str]) -> dict[str, int]:
    """Entries per key from the rule that fits the selected texts; {} if the prompt has no such rules.

    A rule reads `condition → 8 KEY, 3 KEY`; several kinds of text mean five of each.
    """
    rules = [(when, re.findall(r"(\d+)\s*([^\s,，、]+)", then)) for when, then in _RULE.findall(prompt)]
    rules = [(when, [(int(n), key) for n, key in pairs if key in keys]) for when, pairs in rules]
    if not any(pairs for _when, pairs in rules):
        return {}
    found = _SELECTED.search(prompt)
    texts = found.group(1).strip() if found else ""
    kinds = [key for key in keys if key in texts]
    if len(kinds) > 1:
        return dict.fromkeys(kinds, 5)
    kind = kinds[0] if kinds else ("痛点" if _DIFFICULTY.search(texts) else "主要功能")
    wanted = kind if texts else "no text"
    return next(({key: n for n, key in pairs} for when, pairs in rules if wanted in when and pairs), {})


def count_range(text: str) -> tuple[int, int] | None:
    """The first number of entries that a text states, as lowest and highest: `8 phrases`, `three or four entries`."""
    found = _RANGE.search(text)
    if not found:
        return None
    low, high = (_number(group) for group in found.groups())
    return (low, max(low, high)) if 1 <= low <= 20 and high <= 20 else None


def _number(word: str | None) -> int:
    return 0 if word is None else _WORDS.get(word.lower()) or int(word)


def count_beside(text: str, key: str) -> int | None:
    """The number that stands beside a key: `8 KEY`, `3 phrases for KEY`, `KEY: 5`."""
    name = re.escape(key)
    ahead = rf"(\d+)\W{{0,3}}[个条项]?(?:(?:\w+ )?(?:for|of) )?\W?{name}"
    found = re.search(rf"{ahead}|{name}\W{{0,4}}(?:exactly\s*)?(\d+)", text)
    number = next((int(group) for group in found.groups() if group), 0) if found else 0
    return number if 1 <= number <= 20 else None
