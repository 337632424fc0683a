"""Does a file agree with what the app needs of it?

These checks look at the file's raw content, so they find their problems also where a key is missing or wrong.
"""

import json
import re
from collections.abc import Mapping, Set
from typing import Any

from settings.errors import Problem
from settings.needs import PresetNeed, PromptNeed
from settings.spelling import did_you_mean, listed
from settings.templates import check_text, variables_in
from settings.variety import DIRECTIONS_FILE


def check_prompt(content: Mapping[str, Any], file: str, need: PromptNeed) -> list[Problem]:
    """Return what the file lacks or has too much: variables, examples, the JSON skeleton."""
    problems = _check_variables(content, file, need, ("prompt",))
    if need.answer_keys and isinstance(content.get("prompt"), str):
        problems += _check_skeleton(content["prompt"], file, need.answer_keys)
    return problems


def check_preset(content: Mapping[str, Any], file: str, need: PresetNeed) -> list[Problem]:
    """Return what the file lacks or has too much: variables, examples, the tables for a given picture."""
    problems = _check_variables(content, file, need, ("prompt", "negative_prompt"))
    for table, is_needed in (("controlnet", need.controlnet), ("inpaint", need.inpaint)):
        if is_needed and table not in content:
            problems.append(Problem(file, table, f"the table [{table}] is missing, and an app needs it"))
        if table in content and not is_needed:
            message = f"the app has nothing to use the table [{table}] with here; remove it"
            problems.append(Problem(file, table, message))
    if need.inpaint and "denoising_strength" not in content:
        problems.append(Problem(file, "denoising_strength", "is missing; painting a part anew needs it"))
    return problems


def check_directions(directions: Mapping[str, Any], kinds: Set[str]) -> list[Problem]:
    """Return a problem for each kind of directions that an app needs and the file does not have."""
    problems = []
    for kind in sorted(kinds - directions.keys()):
        hint = did_you_mean(kind, directions.keys() - kinds)
        message = f"is missing; an app needs a list of this name{hint}"
        problems.append(Problem(DIRECTIONS_FILE, f"directions.{kind}", message))
    return problems


def skeleton_of(text: str) -> dict[str, object] | None:
    """Return the JSON object that the text ends with, or None. It begins at the beginning of a line."""
    for match in re.finditer(r"^\{", text, flags=re.MULTILINE):
        try:
            return dict(json.loads(text[match.start() :]))
        except json.JSONDecodeError:
            continue
    return None


def _check_variables(
    content: Mapping[str, Any], file: str, need: PromptNeed | PresetNeed, keys: tuple[str, ...]
) -> list[Problem]:
    known = need.variables | need.optional
    texts = {key: content[key] for key in keys if isinstance(content.get(key), str)}
    problems = [problem for key, text in texts.items() for problem in check_text(text, file, key, known)]
    if "prompt" in texts:
        for name in sorted(need.variables - variables_in(texts["prompt"])):
            problems.append(Problem(file, "prompt", f"the variable ${name} must be used, but is not"))
    example = content.get("example")
    return problems + (_check_example(example, file, known) if isinstance(example, dict) else [])


def _check_example(example: Mapping[str, Any], file: str, known: frozenset[str]) -> list[Problem]:
    problems = [
        Problem(file, f"example.{name}", f"is missing; give an example of ${name}")
        for name in sorted(known - example.keys())
    ]
    for name in sorted(example.keys() - known):
        message = f"${name} is no variable here{did_you_mean(name, known)} (possible: {listed(known)})"
        problems.append(Problem(file, f"example.{name}", message))
    return problems


def _check_skeleton(prompt: str, file: str, answer_keys: frozenset[str]) -> list[Problem]:
    found = skeleton_of(prompt)
    if found is None:
        message = (
            "must end with the JSON object that shows the form of the answer, its '{' at the beginning of a"
            f" line (keys: {listed(answer_keys)}); it is missing, or a comma, quote or bracket in it is wrong"
        )
        return [Problem(file, "prompt", message)]
    problems = [
        Problem(file, "prompt", f"the JSON object at the end lacks '{key}', which the app reads")
        for key in sorted(answer_keys - found.keys())
    ]
    for key in sorted(found.keys() - answer_keys):
        hint = did_you_mean(key, answer_keys)
        message = f"the JSON object at the end has '{key}', which the app does not read{hint}"
        problems.append(Problem(file, "prompt", message))
    return problems
