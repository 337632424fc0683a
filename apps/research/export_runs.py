"""Makes exports in the background of a server, and finds their files again."""

from __future__ import annotations

import logging
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from apps.research.dataset.errors import DatasetError
from jobs.threads import in_thread, tell_error
from store.clock import utc_now
from store.errors import StoreError
from store.exports import Export, ExportState
from store.stores import Stores

logger = logging.getLogger(__name__)

BEAT_S: Final = 1.0
SETTLED_AFTER_S: Final = 0.5
"""What was on its way into the database at the start is there after so long, or was not acknowledged."""
UNFORESEEN: Final = "an error that nobody foresaw; the server's log has it"
TURN: Final = threading.Lock()
"""One export at a time in each process: two would only take the disk from one another."""


class ExportRuns:
    """The exports that this host makes; `folder` is where their files are."""

    def __init__(self, stores: Stores, folder: Path, version: str) -> None:
        self._stores = stores
        self._folder = folder
        self._version = version
        self._host = socket.gethostname()

    def start(self, study_id: str, requested_by: str) -> Export:
        """Begin an export in a thread of its own, and give it as it is kept; one that still waits is given instead."""
        exports = self._stores.exports
        # One that has begun would lack what came since.
        waiting = next((one for one in exports.of_study(study_id) if one.state == "queued"), None)
        if waiting is not None:
            return waiting
        export = exports.create(Export(study_id, requested_by, self._host))
        Context().run(in_thread, lambda: self._run(export), f"export {export.id}").add_done_callback(tell_error)
        return export

    def file(self, export: Export) -> Path | None:
        """Give the file of an export that is done; None if it is not on this host."""
        path = self._folder / f"{export.id}.zip"
        return path if export.state == "done" and path.is_file() else None

    def _run(self, export: Export) -> None:
        exports = self._stores.exports
        with _beating(self._stores, export) as beat, TURN:
            try:
                facts = self._made(export, beat)
            except (DatasetError, StoreError, OSError) as exc:
                logger.warning("export %s failed: %s", export.id, exc)
                exports.fail(export.id, str(exc))
            except BaseException:
                exports.fail(export.id, UNFORESEEN)
                raise
            else:
                exports.finish(export.id, **facts)

    def _made(self, export: Export, beat: _Beat) -> dict[str, Any]:
        # Only where it is used: what it needs is large, and most processes never make an export.
        from apps.research.dataset.exporting import export_study

        # In this order: whoever finds it queued may count on a beginning that is still to come.
        beat.state = "writing"
        self._stores.exports.beat(export.id, "writing", 0.0)
        until = moment_after_all(self._stores)
        self._stores.exports.set_until(export.id, until)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.sweep()
        time.sleep(SETTLED_AFTER_S)
        path = self._folder / f"{export.id}.zip"
        done = export_study(self._stores, export.study_id, path, until=until, version=self._version, told=beat.note)
        return {"size": done.size, "sha256": done.sha256, "records": done.records, "pictures": done.pictures,
                "under_way": done.under_way}  # fmt: skip

    def sweep(self) -> None:
        """Remove what killed exports left, and files of exports that were taken back."""
        for path in self._folder.iterdir():
            export_id = path.name.removeprefix(".").partition(".")[0]
            export = self._stores.exports.get(export_id)
            if export is None or export.state == "failed":
                _remove(path)


class _Beat:
    """How far an export is, told to the database now and then."""

    def __init__(self) -> None:
        self.state: ExportState = "queued"
        self.progress = 0.0
        self.is_over = threading.Event()
        self.is_withdrawn = False

    def note(self, state: ExportState, progress: float) -> None:
        """Hear how far the export is. Raises DatasetError when nobody wants it any more."""
        self.state, self.progress = state, progress
        if self.is_withdrawn:
            raise DatasetError("the export was taken back while it was made")


@contextmanager
def _beating(stores: Stores, export: Export) -> Iterator[_Beat]:
    """Give the export's signs of life while the block runs."""
    beat = _Beat()

    def go_on() -> None:
        while not beat.is_over.wait(BEAT_S):
            try:
                beat.is_withdrawn = not stores.exports.beat(export.id, beat.state, beat.progress)
            except StoreError as exc:
                # The database may be back at the next beat; the export itself learns of it if not.
                logger.warning("export %s: %s", export.id, exc)

    thread = in_thread(go_on, f"beat of export {export.id}")
    try:
        yield beat
    finally:
        beat.is_over.set()
        thread.result()


def moment_after_all(stores: Stores) -> datetime:
    """Give the first moment after everything that was acknowledged so far, on whatever clock."""
    return max(utc_now(), stores.events.now()) + timedelta(milliseconds=1)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
