"""Fill in the JSON skeleton at the end of a prompt, with phrases chosen by the hash of the whole call."""

import json
import random
import re
from typing import Any

from standins.chat.banks import bank, phrases
from standins.chat.task import Task, skeleton_of, task_of

SHAPE_WORDS = re.compile(r"shape|form\b|silhouette|contour|形状|外观|造型", re.IGNORECASE)
SCENE_WORDS = re.compile(r"scene|place|background|surround|environment|场景|环境|背景", re.IGNORECASE)
COUNT = re.compile(r"(\d+)\s*(?:phrases|items|entries|words|ideas|short|different|个|条|项)", re.IGNORECASE)


class Writer:
    """Writes one answer. Equal prompt and seed text give an equal answer."""

    def __init__(self, prompt: str, seed: str) -> None:
        """Understand the prompt."""
        self.skeleton, self.before = skeleton_of(prompt)
        self.task: Task = task_of(self.before if self.skeleton is not None else prompt)
        self.dice = random.Random(f"{seed}\0{prompt}")

    def value(self) -> Any:
        """The filled skeleton; None if the prompt asks for no JSON."""
        return None if self.skeleton is None else self._fill("", self.skeleton)

    def text(self) -> str:
        """The whole answer: JSON, or a sentence if none was asked for."""
        value = self.value()
        if value is not None:
            return json.dumps(value, ensure_ascii=False)
        picked = self._phrases("*", 3)
        return "；".join(picked) + "。" if self.task.is_chinese else "; ".join(picked).capitalize() + "."

    def _fill(self, key: str, wanted: Any) -> Any:
        if isinstance(wanted, dict):
            return {name: self._fill(name, part) for name, part in wanted.items()}
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
        """A number stated in the element, beside the key in the prompt, or anywhere; else three to five."""
        own = COUNT.search(element) if isinstance(element, str) else None
        name = re.escape(key)
        after, ahead = (
            rf"{name}\W{{0,4}}(?:exactly\s*)?(\d+)",
            rf"(\d+)\W{{0,3}}[个条项]?(?:(?:\w+ )?(?:for|of) )?\W?{name}",
        )
        near = re.search(f"{ahead}|{after}", self.before) if key else None
        found = own or near or COUNT.search(self.before.replace(self.task.text, ""))
        number = next((int(group) for group in found.groups() if group), 0) if found else 0
        return number if 1 <= number <= 20 else self.dice.randint(3, 5)

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
            return ", ".join(self.dice.sample(bank("shapes"), 5))
        places: dict[str, list[str]] = bank("scenes")
        place = self.dice.choice(places.get(self.task.domain) or places["*"])
        parts = (
            self.dice.sample(bank(f"scene_{part}"), count)
            for part, count in (("details", 2), ("light", 1), ("view", 1))
        )
        return ", ".join([place, *(word for part in parts for word in part)])

    def _phrases(self, key: str, count: int) -> list[str]:
        own = phrases(re.sub(r"\d+$", "", key), self.task.is_chinese, self.task.domain)
        chosen = self.dice.sample(own, min(count, len(own)))
        spare = (f"{phrase} {number}" for number in range(2, 9) for phrase in own)
        while len(chosen) < count:
            chosen.append(next(spare))
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
