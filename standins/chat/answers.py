"""Fill in the JSON skeleton at the end of a prompt, with phrases chosen by the hash of the whole call."""

import json
import random
import re
from typing import Any

from standins.chat.banks import bank, phrases
from standins.chat.rules import count_beside, count_range, counts_by_rule
from standins.chat.task import Task, skeleton_of, task_of

SHAPE_WORDS = re.compile(r"shape|form\b|silhouette|contour|形状|外观|造型", re.IGNORECASE)
SCENE_WORDS = re.compile(r"scene|place|background|surround|environment|场景|环境|背景", re.IGNORECASE)
SCENE = {"ground": 1, "details": 5, "time": 1, "light": 2, "view": 2}


class Writer:
    """Writes one answer. Equal prompt and seed text give an equal answer."""

    def __init__(self, texts: list[str], seed: str) -> None:
        """Understand the user's messages, the last of which may only refer to an earlier one."""
        whole = "\n".join(texts)
        self.skeleton, self.before = skeleton_of(texts)
        self.task: Task = task_of(self.before if self.skeleton is not None else whole)
        self.dice = random.Random(f"{seed}\0{whole}")
        self.used: set[str] = set()
        keys = list(self.skeleton) if isinstance(self.skeleton, dict) else []
        self.rule = counts_by_rule(self.before, keys)

    def value(self) -> Any:
        """The filled skeleton; None if the prompt asks for no JSON."""
        if self.skeleton is None or not self.rule:
            return self._fill("", self.skeleton)
        return {key: self._fill(key, part) for key, part in self.skeleton.items() if key in self.rule}

    def text(self) -> str:
        """The whole answer: JSON, or a sentence if none was asked for."""
        value = self.value()
        if value is not None:
            return json.dumps(value, ensure_ascii=False)
        picked = self._phrases("*", 3)
        return "；".join(picked) + "。" if self.task.is_chinese else "; ".join(picked).capitalize() + "."

    def _fill(self, key: str, wanted: Any) -> Any:
        if isinstance(wanted, dict):
            filled = {name: self._fill(name, part) for name, part in wanted.items()}
            if key.startswith("模块") and isinstance(filled.get("技术规格"), str):
                filled["技术规格"] = f"{self._phrases('模块', 1)[0]}: {filled['技术规格']}"
            return filled
        if isinstance(wanted, list):
            return self._list(key, wanted)
        if isinstance(wanted, str):
            return self._string(key, wanted)
        return wanted

    def _list(self, key: str, wanted: list[Any]) -> list[Any]:
        if len(wanted) != 1:
            return [self._fill(key, part) for part in wanted]
        count = self._count(key, wanted[0])
        if isinstance(wanted[0], str):
            return list(self._phrases(key, count))
        return [self._fill(key, wanted[0]) for _ in range(count)]

    def _count(self, key: str, element: Any) -> int:
        """By the rule, by a number in the element, beside the key or anywhere in the prompt; else three to five."""
        if key in self.rule:
            return self.rule[key]
        own = count_range(element) if isinstance(element, str) else None
        beside = count_beside(self.before, key) if key and not own else None
        if beside:
            return beside
        return self.dice.randint(*(own or count_range(self.before) or (3, 5)))

    def _string(self, key: str, description: str) -> str:
        if key == "subject":
            return self.task.subject
        if key in ("prompt", "tags"):
            return self._tags(description)
        return self._phrases(key, 1)[0]

    def _tags(self, description: str) -> str:
        for text in (description, self.before):
            shape, scene = bool(SHAPE_WORDS.search(text)), bool(SCENE_WORDS.search(text))
            if shape != scene:
                break
        if shape and not scene:
            return ", ".join(self.dice.sample(bank("shapes"), 3))
        places: dict[str, list[str]] = bank("scenes")
        tags = [self.dice.choice(places.get(self.task.domain) or places["*"])]
        for part, count in SCENE.items():
            tags += self.dice.sample(bank(f"scene_{part}"), count)
        return ", ".join(tags)

    def _phrases(self, key: str, count: int) -> list[str]:
        """Phrases for a key, none twice in one answer; about half of them are the domain's own."""
        own, general = phrases(re.sub(r"\d+$", "", key), self.task.is_chinese, self.task.domain)
        fresh = [[phrase for phrase in part if phrase not in self.used] for part in (own, general)]
        first = self.dice.sample(fresh[0], min(-(-count // 2), len(fresh[0])))
        rest = fresh[1] + [phrase for phrase in fresh[0] if phrase not in first]
        chosen = first + self.dice.sample(rest, min(count - len(first), len(rest)))
        spare = (f"{phrase} {number}" for number in range(2, 99) for phrase in own + general)
        while len(chosen) < count:
            chosen.append(next(spare))
        self.used.update(chosen)
        return [phrase.replace("{name}", self.task.local_name) for phrase in chosen]


def spoiled(kind: str, text: str, value: Any) -> str:
    """The content as a fault makes it; other kinds leave it alone."""
    if kind == "malformed_json":
        return text.rstrip()[:-1]
    if kind == "garbage":
        return "I am sorry, I would rather talk about the weather, which is mild for the season."
    if kind == "fenced":
        return f"Sure! Here is what you asked for:\n\n```json\n{text}\n```\n\nLet me know if I can help further."
    if kind == "empty":
        return ""
    if kind in ("null_values", "missing_key") and isinstance(value, dict) and value:
        last = list(value)[-1]
        kept = {key: part for key, part in value.items() if key != last}
        return json.dumps(kept | ({last: None} if kind == "null_values" else {}), ensure_ascii=False)
    return text
