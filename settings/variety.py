"""What makes parallel answers different: directions for texts, views for pictures."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from settings.datafile import DataFile

DIRECTIONS_FILE = "directions.toml"
VIEWS_FILE = "views.toml"


def _different(phrases: tuple[str, ...]) -> tuple[str, ...]:
    seen: set[str] = set()
    for phrase in phrases:
        if phrase.strip().lower() in seen:
            raise ValueError(f"has the phrase '{phrase}' twice; each answer needs one of its own")
        seen.add(phrase.strip().lower())
    return phrases


Phrase = Annotated[str, Field(min_length=1)]
# A TOML list arrives as a Python list; only this step is lax, the phrases in it are not.
Phrases = Annotated[tuple[Phrase, ...], Field(min_length=1, strict=False), AfterValidator(_different)]


class View(BaseModel):
    """Name one side from which a product is shown, with the phrase that tells Stable Diffusion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    phrase: str


class DirectionsFile(DataFile):
    """Hold `directions.toml`: kind → phrases, each an angle that makes one answer unlike the others."""

    directions: dict[str, Phrases] = Field(min_length=1)


class ViewsFile(DataFile):
    """Hold `views.toml`: name → phrase, in the order in which the views are made."""

    views: dict[str, Phrase] = Field(min_length=1)

    def as_tuple(self) -> tuple[View, ...]:
        """Return the views in the file's order."""
        return tuple(View(name=name, phrase=phrase) for name, phrase in self.views.items())
