"""The pictures of a data set on their way into the ZIP, a few at a time."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Final

from apps.research.dataset.errors import NotExportableError
from apps.research.dataset.files import Files
from apps.research.dataset.found import Found
from apps.research.dataset.png import size_of, with_parameters
from store.contents import Content, Contents

IN_ONE_PART: Final = 1000
AHEAD: Final = 4
"""How many pictures are read while another one is being written."""
ENDINGS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}


@dataclass(frozen=True)
class Picture:
    """A picture as it goes into the ZIP: its path there, its bytes, and their hash, which is not its name if a text
    was put in."""

    path: str
    content: bytes
    sha256: str


def picture_path(number: int, sha256: str, media_type: str) -> str:
    """Give the path of the picture that is the `number`th by hash, from 0."""
    return f"images/part-{number // IN_ONE_PART + 1:04}/{sha256}.{ENDINGS.get(media_type, 'bin')}"


def pictures(contents: Contents, files: Files) -> Iterator[Picture]:
    """Give all pictures in the order of their hashes, and write the row of each.

    Raises:
        NotExportableError: one is gone, or is not what its name says.
    """
    numbers, waiting = count(), deque[tuple[Found, Future[tuple[Content, bytes, str]]]]()
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="export-pictures") as readers:
        for found in files.found.pictures():
            waiting.append((found, readers.submit(_read, contents, found)))
            if len(waiting) > AHEAD:
                yield _written(next(numbers), *waiting.popleft(), files)
        while waiting:
            yield _written(next(numbers), *waiting.popleft(), files)


def _read(contents: Contents, found: Found) -> tuple[Content, bytes, str]:
    content = contents.get(found.hash)
    if content is None:
        raise NotExportableError(f"picture {found.hash} was removed meanwhile; start the export again")
    if hashlib.sha256(content.data).hexdigest() != found.hash:
        raise NotExportableError(f"picture {found.hash} is not what its name says; take it from a backup")
    changed = with_parameters(content.data, found.parameters) if found.parameters else None
    if changed is None:
        return content, content.data, found.hash
    return content, changed, hashlib.sha256(changed).hexdigest()


def _written(number: int, found: Found, read: Future[tuple[Content, bytes, str]], files: Files) -> Picture:
    content, data, sha256 = read.result()
    ref = content.ref
    path = picture_path(number, found.hash, ref.media_type)
    width, height = size_of(data)
    row = {
        "row_id": found.hash,
        "image": found.hash,
        "file": path,
        "media_type": ref.media_type,
        "size_bytes": ref.size,
        "width": ref.width or width,
        "height": ref.height or height,
        "created_at": ref.created_at,
        "image_role": found.role,
        "generation_id": found.generation_id,
        "output_index": found.output_index,
        "parameters_added": sha256 != found.hash,
    }
    files.add("images", [row])
    return Picture(path, data, sha256)
