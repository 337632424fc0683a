"""Prompt templates: the texts that the language model is sent."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from settings.datafile import DataFile
from settings.templates import fill


@dataclass(frozen=True)
class RenderedPrompt:
    """Hold a prompt ready to be sent, with the name and hash of the template that it was made from."""

    name: str
    hash: str
    text: str
    temperature: float
    max_tokens: int


class PromptTemplate(DataFile):
    """Hold one file of `prompts/`. `example` has a value for every variable that the app gives."""

    kind: ClassVar[Literal["prompt"]] = "prompt"

    prompt: str = Field(min_length=1)
    temperature: float = Field(ge=0, le=2)
    max_tokens: int = Field(ge=1, le=16000)
    example: dict[str, str]

    @property
    def file(self) -> str:
        """Return the file's path inside the settings folder."""
        return f"prompts/{self.name}.toml"

    def render(self, **variables: str) -> RenderedPrompt:
        """Put the values into the text. Raises SettingsError for a missing or an unknown variable."""
        filled = fill({"prompt": self.prompt}, variables, self.file, frozenset(self.example))
        text = filled["prompt"].strip()
        return RenderedPrompt(self.name, self.hash, text, self.temperature, self.max_tokens)
