"""From a `.toml` file to a checked model."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from settings.errors import Problem, SettingsError
from settings.findings import OWN_KEYS, finding, unknown_key


class DataFile(BaseModel):
    """Hold one checked file: `name` is the file's name without ending, `hash` the SHA-256 of its content.

    The hash (hex) is over the parsed content: comments and layout do not change it, every value does. `source` is the
    text of the file, from which the same version can be built again; `kind` says what it holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: ClassVar[Literal["prompt", "preset", "directions", "views"]]

    name: str
    hash: str
    source: str = Field(repr=False, exclude=True)
    purpose: str = Field(min_length=1)

    @property
    def file(self) -> str:
        """Return the file's path inside the settings folder."""
        raise NotImplementedError


Model = TypeVar("Model", bound=DataFile)


def read_source(path: Path, file: str) -> str:
    """Return the text of the file at `path`, called `file` in messages. Raises SettingsError."""
    try:
        # Some editors put a byte order mark in front, which TOML does not allow.
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(Problem(file, "", "is not UTF-8; save it with that encoding")) from error
    except OSError as error:
        raise SettingsError(Problem(file, "", f"cannot be read: {error.strerror}")) from error


def read_toml(source: str, file: str) -> dict[str, Any]:
    """Return the content of a file's text. Raises SettingsError."""
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(Problem(file, "", f"is not valid TOML: {error}")) from error


def parse(model: type[Model], content: Mapping[str, Any], name: str, file: str, source: str) -> Model:
    """Return the content of `source` as that model. Raises SettingsError with every wrong, missing and unknown key."""
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    own = {"name": name, "hash": hashlib.sha256(canonical.encode()).hexdigest(), "source": source}
    problems = [unknown_key(model, file, (key,)) for key in OWN_KEYS if key in content]
    try:
        parsed = model.model_validate({**content, **own})
    except ValidationError as error:
        problems += [finding(model, file, detail) for detail in error.errors()]
        raise SettingsError(*problems) from error
    if problems:
        raise SettingsError(*problems)
    return parsed
