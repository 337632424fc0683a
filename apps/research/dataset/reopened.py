"""A data set's ZIP, opened again: what its manifest says, and whether its members are that."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

from apps.research.dataset.archive import CHUNK, MANIFEST
from apps.research.dataset.errors import DatasetError
from apps.research.dataset.png import without_parameters

IMAGE: Final = re.compile(r"images/part-[0-9]{4,}/([0-9a-f]{64})\.[a-z]{3,4}")
FORMAT: Final = "stepideator-study"
LARGEST: Final = 200_000_000
"""A manifest or a cell larger than this many bytes is none of ours."""


@dataclass(frozen=True)
class Manifest:
    """What a manifest says: facts of the data set, and size and SHA-256 of each member by its path."""

    facts: dict[str, Any]
    files: dict[str, tuple[int, str]]


class Reopened:
    """A ZIP of a data set. Everything that is wrong with it is raised as the error that it was opened with."""

    def __init__(self, path: Path, error: type[DatasetError]) -> None:
        self._error = error
        try:
            self._zip = ZipFile(path)
        except FileNotFoundError:
            raise error(f"there is no file {path}") from None
        except (OSError, BadZipFile) as exc:
            raise error(f"{path} is no ZIP: {exc}") from exc
        self.manifest = self._manifest()

    def __enter__(self) -> Reopened:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    @property
    def paths(self) -> list[str]:
        """Give the paths of all members, in their order."""
        return self._zip.namelist()

    def check_members(self, told: Callable[[float], None] = lambda _: None) -> None:
        """Compare every member with the manifest, and every picture with its name; `told` hears the part done."""
        names = [name for name in self.paths if name != MANIFEST]
        if sorted(names) != sorted(self.manifest.files):
            odd = sorted(set(names) ^ set(self.manifest.files))[:3]
            raise self._error(f"the files are not those of the manifest: {', '.join(odd) or 'one is there twice'}")
        total, done = max(1, sum(size for size, _ in self.manifest.files.values())), 0
        for name in names:
            self._check(name)
            done += self.manifest.files[name][0]
            told(done / total)

    def text(self, path: str) -> str:
        """Read a member that is a text."""
        try:
            return self._zip.read(path).decode("utf-8")
        except (KeyError, BadZipFile, UnicodeDecodeError) as exc:
            raise self._error(f"{path} is missing or broken") from exc

    def json(self, path: str) -> Any:
        """Read a member that is JSON."""
        try:
            return json.loads(self.text(path))
        except ValueError as exc:
            raise self._error(f"{path} is no JSON: {exc}") from exc

    def lines(self, path: str) -> Iterator[str]:
        """Read a member line by line."""
        try:
            with self._zip.open(path) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="\n") as lines:
                for line in lines:
                    yield line.rstrip("\n")
        except (KeyError, BadZipFile, UnicodeDecodeError) as exc:
            raise self._error(f"{path} is missing or broken") from exc

    def rows(self, path: str) -> Iterator[list[str]]:
        """Read a member that is CSV, row by row, its header first."""
        csv.field_size_limit(LARGEST)
        try:
            with self._zip.open(path) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as text:
                yield from csv.reader(text, strict=True)
        except (KeyError, BadZipFile, UnicodeDecodeError, csv.Error) as exc:
            raise self._error(f"{path} is missing or broken: {exc}") from exc

    def picture(self, path: str) -> tuple[str, bytes]:
        """Read a picture: its SHA-256, and its bytes as they were before a text was put in."""
        found = IMAGE.fullmatch(path)
        if found is None:
            raise self._error(f"{path} is not named as a picture is")
        content = self._zip.read(path)
        if hashlib.sha256(content).hexdigest() != found[1]:
            content = without_parameters(content)
        if hashlib.sha256(content).hexdigest() != found[1]:
            raise self._error(f"{path} is not the picture that its name says")
        return found[1], content

    def member(self, path: str) -> Any:
        """Open a member that is stored as it is, to be read at any place."""
        return self._zip.open(path)

    def _manifest(self) -> Manifest:
        facts = self.json(MANIFEST)
        if not isinstance(facts, dict) or facts.get("format") != FORMAT or not isinstance(facts.get("files"), list):
            raise self._error("this is no export of a study: its manifest does not say so")
        files = {one["path"]: (one["size"], one["sha256"]) for one in facts.pop("files")}
        return Manifest(facts, files)

    def _check(self, name: str) -> None:
        size, sha256 = self.manifest.files[name]
        found, length, chunks = hashlib.sha256(), 0, []
        is_image = IMAGE.fullmatch(name)
        try:
            with self._zip.open(name) as member:
                while chunk := member.read(CHUNK):
                    found.update(chunk)
                    length += len(chunk)
                    if is_image and is_image[1] != sha256:
                        chunks.append(chunk)
        except (BadZipFile, EOFError, OSError) as exc:
            raise self._error(f"{name} is broken: {exc}") from exc
        if (length, found.hexdigest()) != (size, sha256):
            raise self._error(f"{name} is not what the manifest says")
        if chunks and is_image and hashlib.sha256(without_parameters(b"".join(chunks))).hexdigest() != is_image[1]:
            raise self._error(f"{name} is not the picture that its name says")
