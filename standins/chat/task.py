"""What a prompt is about: its design task, the language, the subject, the wanted JSON."""

import json
import re
from dataclasses import dataclass
from typing import Any

from standins.chat.banks import bank

_TASK_LINE = re.compile(r"^\s*(?:Design task|设计任务)\s*[:：]\s*(.+)$", re.MULTILINE | re.IGNORECASE)
_AFTER = r"(?:for|that|which|with|to|of|in|on|used|using|and|who|whose|is|can|should)\b"
_ENGLISH_NOUN = re.compile(
    rf"\b(?:a|an|the|some|new)\s+((?:[a-z][\w'-]*\s+){{0,3}}?[a-z][\w'-]*)(?=\s+{_AFTER}|[.,;:!?\n]|$)", re.IGNORECASE
)
_CHINESE_NOUN = re.compile(
    r"设计(?:一|出|个|款|台|把|件|辆|盏|种|双|只|套|部|新的|新型)*\s*([^，。,.；;！!？?\n]{1,24})"
)


def _plain(*words: str) -> bool:
    """Whether these are words as a service writes them that was asked for an English noun."""
    return all(re.fullmatch(r"[a-z0-9][a-z0-9' -]*", word) for word in words)


@dataclass(frozen=True)
class Task:
    """The design task as the stand-in understands it."""

    text: str
    prompt: str

    @property
    def is_chinese(self) -> bool:
        """Whether the answer's phrases are Chinese."""
        return bool(re.search(r"[一-鿿]", self.text))

    @property
    def subject(self) -> str:
        """The main object as a short English noun."""
        if not self.is_chinese:
            return self._english_subject()
        signs = sorted((sign for sign in bank("subjects") if sign in self.text), key=len, reverse=True)
        kinds = [bank("subjects")[sign] for sign in signs]
        tastes = [word for sign, word in bank("qualities").items() if sign in self.text]
        return " ".join([*tastes[:1], kinds[0] if kinds else "product"])

    def _english_subject(self) -> str:
        nouns = [found.group(1).lower() for found in _ENGLISH_NOUN.finditer(self.text)]
        nouns = [noun for noun in nouns if noun not in ("design", "concept", "product", "new product") and _plain(noun)]
        words = [word for word in self.text.lower().strip(" .!").split() if word not in ("design", "please")]
        return nouns[0] if nouns else " ".join(words) if 0 < len(words) <= 3 and _plain(*words) else "product"

    @property
    def local_name(self) -> str:
        """The main object in the task's own language."""
        if not self.is_chinese:
            return self.subject
        found = _CHINESE_NOUN.search(self.text)
        name = found.group(1).rpartition("的")[2] if found else ""
        return name if 1 < len(name) <= 10 else "产品"

    @property
    def domain(self) -> str:
        """The theme whose phrases come first, "" if none fits."""
        text = f"{self.text} {self.subject}".lower()
        themes: dict[str, list[str]] = bank("domains")
        return next((name for name, signs in themes.items() if any(sign in text for sign in signs)), "")


def task_of(prompt: str) -> Task:
    """The task on the line `Design task:`, or the whole text."""
    found = _TASK_LINE.search(prompt)
    return Task(text=(found.group(1) if found else prompt).strip(), prompt=prompt)


def skeleton_of(texts: list[str]) -> tuple[Any, str]:
    """The JSON object that the last possible message ends with, and the text before it.

    If no message ends with one it is the last whole object in the last message; (None, "") if there is none.
    """
    found = [(*_last_object(text), text) for text in reversed(texts)]
    for value, start, end, text in found:
        if value is not None and not text[end:].strip(" \n`"):
            return value, text[:start]
    value, start, _end, text = found[0] if found else (None, 0, 0, "")
    return value, text[:start]


def _last_object(text: str) -> tuple[Any, int, int]:
    decoder, at = json.JSONDecoder(), 0
    found: tuple[Any, int, int] = (None, 0, 0)
    while (at := text.find("{", at)) >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            at += 1
            continue
        found, at = (value, at, end), end
    return found
