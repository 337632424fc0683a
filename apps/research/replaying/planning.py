"""What a replay does otherwise than its session, and which generations it runs again."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from jobs.pins import Pins
from jobs.rerun import TODAY, Checkpoint, Version
from jobs.submission import SEED_LIMIT
from settings.book import SettingsBook
from settings.errors import SettingsError
from store.documents import GenerationRecord

Versions = Literal["current"] | dict[str, Version]


class Changes(BaseModel):
    """What a replay does otherwise than the session; what is left out stays as it was recorded.

    `prompts` and `presets` are either "current", for whatever the settings say now, or give by name the hash of a
    version, or "current". With all prompts the directions are current as well, with all presets the views.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    checkpoint: Checkpoint | None = None
    prompts: Versions | None = None
    presets: Versions | None = None
    seed: Annotated[int, Field(ge=0, lt=SEED_LIMIT)] | None = None

    def problem(self, book: SettingsBook) -> str:
        """Name what the settings do not know; empty if all is well."""
        try:
            for name in self.prompts if isinstance(self.prompts, dict) else ():
                book.prompt(name)
            for name in self.presets if isinstance(self.presets, dict) else ():
                book.preset(name)
        except SettingsError as exc:
            return str(exc)
        return ""

    def told(self) -> dict[str, Any]:
        """Give what is changed, for people and programs; nothing of what stays."""
        return self.model_dump(exclude_none=True)


def overrides_for(record: GenerationRecord, changes: Changes) -> dict[str, Any]:
    """Give the overrides with which a generation is run again, in the words of `jobs.rerun`."""
    used = Pins.of_record(record)
    overrides: dict[str, Any] = {
        "prompts": _versions(changes.prompts, used.prompts),
        "presets": _versions(changes.presets, used.presets),
    }
    if changes.prompts == TODAY and used.directions:
        overrides["directions"] = TODAY
    if changes.presets == TODAY and used.views:
        overrides["views"] = TODAY
    if changes.checkpoint is not None:
        overrides["checkpoint"] = changes.checkpoint
    if changes.seed is not None:
        overrides["seed"] = changes.seed
    return {name: value for name, value in overrides.items() if value != {}}


def _versions(wanted: Versions | None, used: Mapping[str, str]) -> dict[str, str]:
    if wanted is None:
        return {}
    return dict(wanted) if isinstance(wanted, dict) else dict.fromkeys(used, TODAY)
