"""The settings as the rest of the server sees them."""

import logging
import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from settings.agreement import check_directions, check_preset, check_prompt
from settings.check import Contents, data_files, read_folder
from settings.datafile import DataFile, parse, read_source, read_toml
from settings.errors import Problem, SettingsError
from settings.needs import PresetNeed, PromptNeed
from settings.presets import Preset
from settings.prompts import PromptTemplate
from settings.saving import marked, replace_text
from settings.spelling import did_you_mean, listed
from settings.variety import DIRECTIONS_FILE, VIEWS_FILE, DirectionsFile, ViewsFile

_log = logging.getLogger(__name__)

MARK = ".saved"
"""A file in the folder whose time says when a page saved something last."""
MARK_EVERY_S = 1.0

Item = TypeVar("Item")
File = TypeVar("File", bound=DataFile)
# Path, time of change in ns and size of every data file: equal stamps mean that nothing was edited.
Stamp = tuple[tuple[Path, int, int], ...]


class SettingsBook:
    """Give out the prompts, presets, directions and views of one folder; safe to share between threads.

    With `reload`, edited files are noticed at the next access. If an edit cannot be used, the last good state
    stays in use and the problems are logged once.
    """

    def __init__(
        self,
        folder: Path,
        prompt_needs: Collection[PromptNeed],
        preset_needs: Collection[PresetNeed],
        reload: bool,
    ) -> None:
        self._folder = folder
        self._needs = (tuple(prompt_needs), tuple(preset_needs))
        self._reload = reload
        self._lock = threading.Lock()
        # The stamp is taken before reading, so an edit during the reading is seen at the next access.
        self._looked_s, self._marked_ns = time.monotonic(), _mark_of(folder)
        self._stamp = _stamp_of(folder)
        self._contents = self._read()

    @classmethod
    def load(
        cls,
        folder: Path,
        prompt_needs: Collection[PromptNeed],
        preset_needs: Collection[PresetNeed],
        reload: bool = False,
    ) -> "SettingsBook":
        """Read and check the whole folder. Raises SettingsError that lists all problems by file and key."""
        return cls(folder, prompt_needs, preset_needs, reload)

    def prompt(self, name: str) -> PromptTemplate:
        """Return the prompt template of that name. Raises SettingsError if there is none."""
        return _pick(self._current().prompts, name, f"prompts/{name}.toml")

    def preset(self, name: str) -> Preset:
        """Return the image preset of that name. Raises SettingsError if there is none."""
        return _pick(self._current().presets, name, f"presets/{name}.toml")

    def directions(self) -> DirectionsFile:
        """Return the directions of all kinds. Raises SettingsError if no app asked for any."""
        return _there(self._current().directions, DIRECTIONS_FILE)

    def views(self) -> ViewsFile:
        """Return the views. Raises SettingsError if no app asked for any."""
        return _there(self._current().views, VIEWS_FILE)

    def former(self, today: File, source: str) -> File:
        """Build another version of a file from its text, as `source` of that version gave it.

        Raises SettingsError if it is no such file, or does not give what the apps need of it now.
        """
        content = read_toml(source, today.file)
        version = parse(type(today), content, today.name, today.file, source)
        problems = self._disagreements(version, content)
        if problems:
            raise SettingsError(*problems)
        return version

    def files(self) -> tuple[DataFile, ...]:
        """List every file that is in use."""
        contents = self._current()
        single = (one for one in (contents.directions, contents.views) if one is not None)
        return (*contents.prompts.values(), *contents.presets.values(), *single)

    def save(self, today: DataFile, source: str) -> bool:
        """Put a text that `former` accepts in the place of a file, whole or not at all, and use it from now on.

        False, and nothing is written, if the file on the disk is not `today`'s any more. Other processes use the text
        within `MARK_EVERY_S`, also without `reload`: the save leaves a mark in the folder. All files are read again
        then, so what was edited by hand meanwhile is in use too. Raises OSError when the folder cannot be written.
        """
        with marked(self._folder / MARK), self._lock:
            path = self._folder / today.file
            kept = read_source(path, today.file)
            if parse(type(today), read_toml(kept, today.file), today.name, today.file, kept).hash != today.hash:
                return False
            replace_text(path, source)
        self._marked_ns = _mark_of(self._folder)
        with self._lock:
            self._stamp = _stamp_of(self._folder)
            self._read_again()
        return True

    def _disagreements(self, version: DataFile, content: Mapping[str, Any]) -> list[Problem]:
        prompt_needs, preset_needs = self._needs
        if isinstance(version, PromptTemplate):
            prompts = [need for need in prompt_needs if need.name == version.name]
            return [problem for need in prompts for problem in check_prompt(content, version.file, need)]
        if isinstance(version, Preset):
            presets = [need for need in preset_needs if need.name == version.name]
            return [problem for need in presets for problem in check_preset(content, version.file, need)]
        if isinstance(version, DirectionsFile):
            return check_directions(version.directions, {need.direction for need in prompt_needs if need.direction})
        return []

    def _current(self) -> Contents:
        if not self._reload and not self._was_saved():
            return self._contents
        with self._lock:
            stamp = _stamp_of(self._folder)
            if stamp != self._stamp:
                self._stamp = stamp
                self._read_again()
            return self._contents

    def _was_saved(self) -> bool:
        """Tell whether another process has saved a file since it was read here; looked at once a second."""
        now_s = time.monotonic()
        if now_s - self._looked_s < MARK_EVERY_S:
            return False
        self._looked_s = now_s
        marked_ns = _mark_of(self._folder)
        was_saved, self._marked_ns = marked_ns != self._marked_ns, marked_ns
        return was_saved

    def _read_again(self) -> None:
        try:
            self._contents = self._read()
        except SettingsError as error:
            _log.error("The edited settings are not used, the former ones stay in use. %s", error)
        else:
            _log.info("The edited settings are in use.")

    def _read(self) -> Contents:
        contents, problems = read_folder(self._folder, *self._needs)
        if problems:
            raise SettingsError(*problems)
        return contents


def _pick(items: Mapping[str, Item], name: str, file: str) -> Item:
    if name in items:
        return items[name]
    message = f"there is no '{name}' in the settings{did_you_mean(name, items)} (there are: {listed(items)})"
    raise SettingsError(Problem(file, "", message))


def _there(file: File | None, name: str) -> File:
    if file is None:
        raise SettingsError(Problem(name, "", "no app asked for this file, so it is not read"))
    return file


def _mark_of(folder: Path) -> int:
    try:
        return (folder / MARK).stat().st_mtime_ns
    except OSError:
        return 0


def _stamp_of(folder: Path) -> Stamp:
    stamps = []
    for path in data_files(folder):
        try:
            status = path.stat()
        except FileNotFoundError:
            # Some editors replace a file by removing it first; the next access sees the new one.
            continue
        stamps.append((path, status.st_mtime_ns, status.st_size))
    return tuple(stamps)
