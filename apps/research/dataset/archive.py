"""Writes the ZIP of a data set to the disk, member after member, and what its manifest says of each."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from stream_zip import NO_COMPRESSION_64, ZIP_64, Method, stream_zip

CHUNK: Final = 2**20
MODE: Final = 0o100644
LEVEL: Final = 6
MANIFEST: Final = "manifest.json"

Part = tuple[str, datetime, int, Method, Iterable[bytes]]


@dataclass(frozen=True)
class Member:
    """One file of a ZIP: its path there, its size in bytes, and its hash."""

    path: str
    size: int
    sha256: str


class Members:
    """The members of a ZIP on their way into it; every one has the same date, that of the data."""

    def __init__(self, changed_at: datetime, told: Callable[[int], None]) -> None:
        self.written: list[Member] = []
        self._changed_at = changed_at
        self._told = told

    def of_bytes(self, path: str, content: bytes, sha256: str) -> Part:
        """Give a member that is small enough for the memory, stored as it is: it is compressed already."""
        self._note(path, len(content), sha256)
        method = NO_COMPRESSION_64(len(content), zlib.crc32(content))
        return path, self._changed_at, MODE, method, (content,)

    def of_text(self, path: str, text: str) -> Part:
        """Give a member that is a text."""
        content = text.encode("utf-8")
        self._note(path, len(content), hashlib.sha256(content).hexdigest())
        return path, self._changed_at, MODE, ZIP_64, (content,)

    def of_file(self, path: str, file: Path, *, is_compressed: bool = False) -> Part:
        """Give a member that is a file on the disk."""
        sha256, crc, size = hashlib.sha256(), 0, 0
        for chunk in _chunks(file):
            sha256.update(chunk)
            crc, size = zlib.crc32(chunk, crc), size + len(chunk)
        self._note(path, size, sha256.hexdigest())
        method: Method = NO_COMPRESSION_64(size, crc) if is_compressed else ZIP_64
        return path, self._changed_at, MODE, method, _chunks(file)

    def manifest(self, facts: dict[str, Any]) -> Part:
        """Give the manifest, which comes last as it has all others."""
        head = json.dumps(facts, ensure_ascii=False, indent=1).rstrip("}").rstrip()
        lines = ",\n".join(f"  {json.dumps(asdict(one), ensure_ascii=False)}" for one in self.written)
        content = f'{head},\n "files": [\n{lines}\n ]\n}}\n'.encode()
        return MANIFEST, self._changed_at, MODE, ZIP_64, (content,)

    def _note(self, path: str, size: int, sha256: str) -> None:
        self.written.append(Member(path, size, sha256))
        self._told(size)


def write_zip(path: Path, parts: Iterable[Part]) -> str:
    """Write a ZIP and give the SHA-256 of it."""
    sha256 = hashlib.sha256()
    with path.open("wb") as file:
        for chunk in stream_zip(parts, chunk_size=CHUNK, get_compressobj=_compressor):
            sha256.update(chunk)
            file.write(chunk)
    return sha256.hexdigest()


def _compressor() -> zlib._Compress:
    return zlib.compressobj(level=LEVEL, wbits=-zlib.MAX_WBITS)


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            yield chunk
