"""Read a whole settings folder and find everything that is wrong with it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from settings.agreement import check_directions, check_preset, check_prompt
from settings.datafile import DataFile, parse, read_source, read_toml
from settings.errors import Problem, SettingsError
from settings.needs import PresetNeed, PromptNeed
from settings.presets import Preset
from settings.prompts import PromptTemplate
from settings.spelling import did_you_mean, listed
from settings.variety import DIRECTIONS_FILE, VIEWS_FILE, DirectionsFile, ViewsFile

Model = TypeVar("Model", bound=DataFile)
Need = TypeVar("Need", PromptNeed, PresetNeed)


@dataclass(frozen=True)
class Contents:
    """Hold all that one settings folder says, by name; None for a file that no app needs."""

    prompts: Mapping[str, PromptTemplate]
    presets: Mapping[str, Preset]
    directions: DirectionsFile | None
    views: ViewsFile | None


def check(folder: Path, prompt_needs: Collection[PromptNeed], preset_needs: Collection[PresetNeed]) -> list[Problem]:
    """Return every problem of the folder, in the order of the files; with an empty list it can be used."""
    return read_folder(folder, prompt_needs, preset_needs)[1]


def read_folder(
    folder: Path, prompt_needs: Collection[PromptNeed], preset_needs: Collection[PresetNeed]
) -> tuple[Contents, list[Problem]]:
    """Return what could be read and every problem; the contents are whole only if there is no problem."""
    if not folder.is_dir():
        return Contents({}, {}, None, None), [Problem(str(folder), "", "there is no such settings folder")]
    reader = _Reader(folder)
    prompts = reader.read_all("prompts", PromptTemplate, prompt_needs, check_prompt)
    presets = reader.read_all("presets", Preset, preset_needs, check_preset)
    directions = reader.read_directions({need.direction for need in prompt_needs if need.direction})
    views = reader.read_views(any(need.views for need in preset_needs))
    reader.find_strangers()
    return Contents(prompts, presets, directions, views), sorted(
        dict.fromkeys(reader.problems), key=lambda problem: problem.file
    )


def data_files(folder: Path) -> list[Path]:
    """Return every data file of the folder, sorted; hidden ones are an editor's or a system's own."""
    found = (path for pattern in ("*.toml", "*/*.toml") for path in folder.glob(pattern))
    return sorted(path for path in found if not path.name.startswith("."))


@dataclass
class _Reader:
    """Reads one folder and gathers the problems on the way, so that none hides another."""

    folder: Path
    problems: list[Problem] = field(default_factory=list)

    def read_all(
        self,
        subfolder: str,
        model: type[Model],
        needs: Collection[Need],
        agrees: Callable[[Mapping[str, Any], str, Need], list[Problem]],
    ) -> dict[str, Model]:
        """Read every file of the subfolder and compare it with each need of its name."""
        found = {path.stem: path for path in data_files(self.folder) if path.parent == self.folder / subfolder}
        needed = {need.name for need in needs}
        for name in sorted(needed - found.keys()):
            self._missing(f"{subfolder}/{name}.toml", did_you_mean(name, found.keys() - needed))
        checked = {}
        for name, path in found.items():
            file = f"{subfolder}/{name}.toml"
            if name not in needed:
                self._unused(file, did_you_mean(name, needed - found.keys()))
            content, checked[name] = self._read(model, path, file)
            if content is not None:
                for need in needs:
                    self.problems += agrees(content, file, need) if need.name == name else []
        return {name: parsed for name, parsed in checked.items() if parsed is not None}

    def read_directions(self, kinds: set[str]) -> DirectionsFile | None:
        """Read the directions and compare their kinds with those that an app needs."""
        content, checked = self._read_single(DIRECTIONS_FILE, DirectionsFile, is_needed=bool(kinds))
        present = content.get("directions") if content else None
        if isinstance(present, dict):
            self.problems += check_directions(present, kinds)
            for kind in sorted(present.keys() - kinds):
                hint = did_you_mean(kind, kinds - present.keys())
                message = f"no app uses a list of this name{hint} (used: {listed(kinds)})"
                self.problems.append(Problem(DIRECTIONS_FILE, f"directions.{kind}", message))
        return checked

    def read_views(self, is_needed: bool) -> ViewsFile | None:
        """Read the views; the file must be there exactly if an app needs it."""
        return self._read_single(VIEWS_FILE, ViewsFile, is_needed)[1]

    def find_strangers(self) -> None:
        """Report data files that lie where nothing is read."""
        at_home = {self.folder / DIRECTIONS_FILE, self.folder / VIEWS_FILE}
        homes = {self.folder / "prompts", self.folder / "presets"}
        for path in data_files(self.folder):
            if path not in at_home and path.parent not in homes:
                self._unused(path.relative_to(self.folder).as_posix(), "")

    def _read_single(
        self, file: str, model: type[Model], is_needed: bool
    ) -> tuple[dict[str, Any] | None, Model | None]:
        path = self.folder / file
        if not path.exists():
            if is_needed:
                self._missing(file, "")
            return None, None
        if not is_needed:
            self._unused(file, "")
        return self._read(model, path, file)

    def _read(self, model: type[Model], path: Path, file: str) -> tuple[dict[str, Any] | None, Model | None]:
        content = None
        try:
            source = read_source(path, file)
            content = read_toml(source, file)
            return content, parse(model, content, path.stem, file, source)
        except SettingsError as error:
            self.problems += error.problems
            return content, None

    def _missing(self, file: str, hint: str) -> None:
        self.problems.append(Problem(file, "", f"the file is missing, and an app needs it{hint}"))

    def _unused(self, file: str, hint: str) -> None:
        self.problems.append(Problem(file, "", f"no app uses this file; remove it or correct its name{hint}"))
