"""What makes parallel answers different: directions for texts, views for pictures."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from settings.datafile import DataFile
from settings.errors import Problem, SettingsError
from settings.spelling import did_you_mean, listed

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

    kind: ClassVar[Literal["directions"]] = "directions"

    directions: dict[str, Phrases] = Field(min_length=1)

    @property
    def file(self) -> str:
        """Return the file's path inside the settings folder."""
        return DIRECTIONS_FILE

    def phrase(self, kind: str, index: int) -> str:
        """Return the phrase for the answer number `index` (from 0 on); after the last one comes the first.

        Raises SettingsError if there is no such kind.
        """
        if kind not in self.directions:
            hint = f"{did_you_mean(kind, self.directions)} (there are: {listed(self.directions)})"
            message = f"there is no '{kind}' in the settings{hint}"
            raise SettingsError(Problem(DIRECTIONS_FILE, f"directions.{kind}", message))
        phrases = self.directions[kind]
        return phrases[index % len(phrases)]


class ViewsFile(DataFile):
    """Hold `views.toml`: name → phrase, in the order in which the views are made."""

    kind: ClassVar[Literal["views"]] = "views"

    views: dict[str, Phrase] = Field(min_length=1)

    @property
    def file(self) -> str:
        """Return the file's path inside the settings folder."""
        return VIEWS_FILE

    def as_tuple(self) -> tuple[View, ...]:
        """Return the views in the file's order."""
        return tuple(View(name=name, phrase=phrase) for name, phrase in self.views.items())
