"""Writing a data file so that nobody ever reads half of it."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def marked(mark: Path) -> Iterator[None]:
    """Let one process at a time write in a folder, and mark when it was; raises OSError before anything is written."""
    with mark.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.utime(mark)
        yield
        os.utime(mark)


def replace_text(path: Path, text: str) -> None:
    """Put a text in the place of a file, whole or not at all, with the file's own rights. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
