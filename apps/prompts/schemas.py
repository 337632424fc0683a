"""What the calls about prompts and presets take and tell."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from apps.schemas import Envelope

Kind = Literal["prompt", "preset", "directions", "views"]
Source = Annotated[str, Field(max_length=100_000)]
_HASH = "5f0c6d1e" * 8
_SOURCE = "purpose = \"…\"\nprompt = '''\nDraw $task\n'''\n"


class FileInfo(BaseModel):
    """One file of the settings."""

    kind: Kind
    name: str
    file: str = Field(description="its place in the folder of the settings")
    purpose: str
    hash: str = Field(description="SHA-256 over its content; stands in every step that was made with it")
    variables: list[str] = Field(description="what is put in its text")
    operations: list[str] = Field(description="which operations use it")


class FileList(BaseModel):
    """All files of the settings."""

    files: list[FileInfo]
    is_editable: bool = Field(description="whether they can be saved here (PROMPTS_EDITABLE)")


class VersionInfo(BaseModel):
    """A text that was used by a generation, or saved."""

    hash: str
    kind: Kind
    name: str
    created_at: datetime
    saved_by: str
    note: str


class WholeVersion(VersionInfo):
    """The same, with its text."""

    source: str


class WholeFile(FileInfo):
    """A file with all that belongs to it."""

    source: str
    fields: dict[str, Any] = Field(description="its keys and values")
    example: dict[str, str] = Field(description="a value for each variable")
    rendered: dict[str, str] = Field(description="its texts with the example put in")
    versions: list[VersionInfo]
    is_editable: bool


class Candidate(BaseModel):
    """A text that may take a file's place."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"source": _SOURCE}]})

    source: Source


class Save(Candidate):
    """A text that is to take a file's place; `base_hash` is the version from which it was made."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"source": _SOURCE, "base_hash": _HASH, "note": "shorter"}]}
    )

    base_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    note: str = Field("", max_length=500)


class ProblemInfo(BaseModel):
    """One thing that is wrong with a text."""

    key: str = Field(description="dotted; empty: the text as a whole")
    message: str


class Checked(BaseModel):
    """Whether a text can be used."""

    problems: list[ProblemInfo]
    rendered: dict[str, str] = Field(description="its texts with its example put in; empty with problems")
    hash: str


class Answered(BaseModel):
    """What a text gave when it was tried."""

    rendered: dict[str, str]
    answer: str | None = Field(description="of the chat service; null for what is no prompt, or when none is there")
    error: str


class Tried(BaseModel):
    """The text in use and the new one beside each other."""

    current: Answered
    candidate: Answered


class FilesAnswer(Envelope[FileList]):
    """All files of the settings."""


class FileAnswer(Envelope[WholeFile]):
    """A file with all that belongs to it."""


class CheckAnswer(Envelope[Checked]):
    """Whether a text can be used."""


class TryAnswer(Envelope[Tried]):
    """The text in use and the new one beside each other."""


class VersionAnswer(Envelope[WholeVersion]):
    """One version."""
