"""What pydantic finds wrong with a data file, said in a designer's words."""

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from settings.errors import Problem
from settings.spelling import did_you_mean

# The loader sets these itself, so a file must not have them.
OWN_KEYS = ("name", "hash", "source")
_IN_PLAIN_WORDS = {
    "missing": "is missing",
    "string_type": "must be text in quotes",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "int_type": "must be a whole number without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number without quotes",
    "bool_type": "must be true or false without quotes",
    "dict_type": "must be a table, with its name in [brackets] on a line of its own",
    "model_type": "must be a table, with its name in [brackets] on a line of its own",
    "tuple_type": "must be a list in [brackets]",
}


def finding(model: type[BaseModel], file: str, detail: ErrorDetails) -> Problem:
    """Turn one of pydantic's findings on a file of this model into a problem that names file and key."""
    location, kind = detail["loc"], detail["type"]
    if kind == "extra_forbidden":
        return unknown_key(model, file, location)
    # An entry of a list has a number, counted from 1 as people do.
    key = ".".join(f"entry {part + 1}" if isinstance(part, int) else part for part in location)
    if kind == "value_error":
        return Problem(file, key, str(detail["ctx"]["error"]))
    message = _IN_PLAIN_WORDS.get(kind) or detail["msg"].replace("Input should be", "must be")
    if isinstance(detail["input"], str | int | float) and detail["input"] != "":
        message += f", but is {_as_written(detail['input'])}"
    return Problem(file, key, message + _misplaced(model, location))


def unknown_key(model: type[BaseModel], file: str, location: tuple[int | str, ...]) -> Problem:
    """Return the problem for a key that the model does not have, with the likely right one."""
    *tables, key = (str(part) for part in location)
    known = _keys_of_table(model, tables[0]) if tables else _keys_of_file(model)
    hint = _misplaced(model, location) or did_you_mean(key, known)
    return Problem(file, ".".join((*tables, key)), f"unknown key{hint}")


def _misplaced(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    # In TOML every key below a [table] belongs to that table, which is easily overlooked.
    *tables, key = location
    if tables and key in _keys_of_file(model) and key not in _keys_of_table(model, str(tables[0])):
        return f"; if it is meant for the whole file, move it above [{tables[0]}]"
    return ""


def _keys_of_file(model: type[BaseModel]) -> list[str]:
    return [name for name in model.model_fields if name not in OWN_KEYS]


def _keys_of_table(model: type[BaseModel], table: str) -> list[str]:
    annotation = model.model_fields[table].annotation
    choices = getattr(annotation, "__args__", (annotation,))
    return [name for choice in choices for name in getattr(choice, "model_fields", ())]


def _as_written(value: str | int | float) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)
