"""Texts with `$variables`: what is in them, what is wrong with them, and how they are filled."""

from collections.abc import Mapping
from string import Template

from settings.errors import Problem, SettingsError
from settings.spelling import did_you_mean, listed


def variables_in(text: str) -> frozenset[str]:
    """Return the names of all `$variables` in the text."""
    return frozenset(Template(text).get_identifiers())


def check_text(text: str, file: str, key: str, known: frozenset[str]) -> list[Problem]:
    """Return a problem for each `$` that begins no name and for each variable that is not among the known."""
    problems = []
    for number, line in enumerate(text.splitlines(), start=1):
        template = Template(line)
        where = f"line {number} of the text"
        if not template.is_valid():
            message = f"{where} has a '$' without a variable's name after it; write '$$' for a dollar sign"
            problems.append(Problem(file, key, message))
            continue
        for name in template.get_identifiers():
            if name not in known:
                hint = did_you_mean(name, known)
                message = f"{where} has the unknown variable ${name}{hint} (possible here: {listed(known)})"
                problems.append(Problem(file, key, message))
    return problems


def fill(texts: Mapping[str, str], values: Mapping[str, str], file: str, known: frozenset[str]) -> dict[str, str]:
    """Put the values into the texts (key → text); a `$` inside a value stays as it is.

    Raises SettingsError for a variable without a value and for a value whose name is not known.
    """
    used = frozenset[str]().union(*(variables_in(text) for text in texts.values()))
    problems = [Problem(file, f"${name}", "no value was given") for name in sorted(used - values.keys())]
    for name in sorted(values.keys() - known):
        message = f"is no variable of this file{did_you_mean(name, known)} (it has: {listed(known)})"
        problems.append(Problem(file, f"${name}", message))
    if problems:
        raise SettingsError(*problems)
    return {key: Template(text).substitute(values) for key, text in texts.items()}
