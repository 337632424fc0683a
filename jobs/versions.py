"""The versions of prompts, presets, directions and views that one run uses."""

import threading
from typing import TypeVar

from jobs.pins import Pins
from settings.book import SettingsBook
from settings.datafile import DataFile
from settings.errors import Problem, SettingsError
from settings.presets import Preset
from settings.prompts import PromptTemplate
from settings.variety import DirectionsFile, ViewsFile
from store.settings_versions import SettingsVersions

File = TypeVar("File", bound=DataFile)


class Versions:
    """The settings as one run sees them: pinned versions where it has pins, else today's.

    Each file is looked up once for a run, so an edit in the middle of it changes nothing; and each version that is
    used is kept in the store, so that it can be had by its hash for ever.
    """

    def __init__(self, book: SettingsBook, kept: SettingsVersions, pins: Pins) -> None:
        self._book = book
        self._kept = kept
        self._pins = pins
        self._used: dict[tuple[str, str], DataFile] = {}
        self._lock = threading.Lock()

    def prompt(self, name: str) -> PromptTemplate:
        """Return the prompt template of that name. Raises SettingsError if there is none, or no such version."""
        return self._once(name, self._pins.prompts.get(name, ""), self._book.prompt(name))

    def preset(self, name: str) -> Preset:
        """Return the image preset of that name, with the pinned checkpoint. Raises SettingsError as `prompt` does."""
        preset = self._once(name, self._pins.presets.get(name, ""), self._book.preset(name))
        checkpoint = self._pins.checkpoint
        return preset if checkpoint is None else preset.model_copy(update={"checkpoint": checkpoint})

    def directions(self) -> DirectionsFile:
        """Return the directions of all kinds. Raises SettingsError as `prompt` does."""
        return self._once("", self._pins.directions, self._book.directions())

    def views(self) -> ViewsFile:
        """Return the views. Raises SettingsError as `prompt` does."""
        return self._once("", self._pins.views, self._book.views())

    def _once(self, name: str, pinned: str, today: File) -> File:
        key = (today.kind, name)
        with self._lock:
            found = self._used.get(key)
            if not isinstance(found, type(today)):
                found = version_of(self._book, self._kept, pinned, today)
                self._kept.keep(found.hash, found.kind, found.name, found.source)
                self._used[key] = found
        return found


def version_of(book: SettingsBook, kept: SettingsVersions, pinned: str, today: File) -> File:
    """Return the version of a file with the pinned hash, or today's where none is pinned.

    Raises:
        SettingsError: that version is not kept, or cannot be used with the apps of today.
    """
    if pinned in ("", today.hash):
        return today
    version = kept.get(pinned)
    if version is None:
        message = f"no generation used a version {pinned}; name one that a record names, or 'current'"
        raise SettingsError(Problem(today.file, "", message))
    return book.former(today, version.text)


def check_pins(book: SettingsBook, kept: SettingsVersions, pins: Pins) -> None:
    """Make sure that every pinned version can be used. Raises SettingsError that names the file."""
    for name, wanted in pins.prompts.items():
        version_of(book, kept, wanted, book.prompt(name))
    for name, wanted in pins.presets.items():
        version_of(book, kept, wanted, book.preset(name))
    if pins.directions:
        version_of(book, kept, pins.directions, book.directions())
    if pins.views:
        version_of(book, kept, pins.views, book.views())
