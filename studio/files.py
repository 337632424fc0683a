"""The files of the pages, under a name that changes with their content.

All pages are given out with `{{static}}` replaced by a folder whose name is a hash over every file. A file asked for
under that folder may be cached for ever; modules import one another by relative paths, and so stay in it.
"""

import hashlib
import mimetypes
from dataclasses import dataclass, field
from pathlib import Path

STATIC = Path(__file__).parent / "static"
VERSION_LENGTH = 12
TEXT_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}

Signature = tuple[tuple[str, int, int], ...]


@dataclass
class Files:
    """The files below a folder, read when they are asked for and again when they have changed."""

    folder: Path = STATIC
    _signature: Signature = ()
    _version: str = ""
    _contents: dict[str, bytes] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Name the state of all files, by their contents."""
        self._look()
        return self._version

    def get(self, name: str) -> bytes | None:
        """Return a file's content; None if there is no such file."""
        self._look()
        return self._contents.get(name)

    def _look(self) -> None:
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        marks = [(path.relative_to(self.folder).as_posix(), path.stat()) for path in paths]
        signature = tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in marks)
        if signature == self._signature:
            return
        contents = {name: (self.folder / name).read_bytes() for name, _ in marks}
        whole = hashlib.sha256()
        for name, content in contents.items():
            whole.update(f"{name}\0{len(content)}\0".encode())
            whole.update(content)
        self._contents, self._version, self._signature = contents, whole.hexdigest()[:VERSION_LENGTH], signature


def media_type(name: str) -> str:
    """Tell a file's media type by its name; the same on every machine for those that a browser is strict about."""
    return TEXT_TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
