"""The first half of an export: all records of a study, read once, become files in a folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from apps.research.dataset import rows
from apps.research.dataset.errors import ChangedMeanwhileError, NotExportableError
from apps.research.dataset.files import Files
from apps.research.dataset.provenance import StudyProvenance
from apps.research.dataset.rows import Record
from apps.research.dataset.session_files import SessionFiles
from apps.research.dataset.tallies import Tallies
from store import dump
from store.contents import Contents
from store.dump import Dump, Kind

# Uploads first: a picture that was uploaded and then used is an upload.
KINDS: Final = (dump.UPLOAD_KIND, dump.EVENT_KIND, dump.GENERATION_KIND, dump.SAVE_KIND, dump.TIME_KIND)


class Reader:
    """Reads a study into files, one session after another."""

    def __init__(self, source: Dump, contents: Contents, study: Record, files: Files) -> None:
        self._source = source
        self._contents = contents
        self._files = files
        self._study = study
        self.tallies = Tallies(study)
        self.under_way = 0

    def read(self, version: str, told: Callable[[float], None]) -> None:
        """Read everything but the pictures themselves; `told` hears how much of it is done, 0 to 1.

        `version` is this server's.

        Raises:
            NotExportableError: something is missing; ChangedMeanwhileError if it changed while it was read.
        """
        self._files.keep("studies", self._study)
        self._files.add("conditions", rows.condition_rows(self._study))
        names = self._source.session_ids(self._study["_id"])
        there = frozenset(names)
        for assignment in self._source.assignments(self._study["_id"]):
            # Of one who was erased, or is just joining, there is no session.
            if assignment["session_id"] in there:
                self._files.keep("assignments", assignment)
        participants: dict[str, None] = {}
        provenance = StudyProvenance(self._study, version)
        for number, session in enumerate(self._source.sessions(names), start=1):
            self._session(session)
            provenance.add(session)
            participants[session["participant_id"]] = None
            told(0.9 * number / len(names))
        for participant in self._source.participants(participants):
            self._files.keep("participants", participant)
        provenance.write(self._files.folder / "provenance" / "prov.json")
        self._resolve()
        self._uploads_of_nobody()

    def _session(self, session: Record) -> None:
        one = SessionFiles(self._files, session, self.tallies)
        self._files.keep("sessions", session)
        self.tallies.session(session)
        for kind in KINDS:
            for record in self._source.of_session(kind, dict(session)):
                one.take(kind, record)
            self._compare(kind, session, one.counts[kind.collection])
        self.under_way += self._source.under_way(dict(session))
        one.close()

    def _compare(self, kind: Kind, session: Record, count: int) -> None:
        kept = self._source.count(kind, dict(session))
        if kept != count:
            raise ChangedMeanwhileError(
                f"of session {session['_id']} {count} {kind.collection} were read, but {kept} are kept: they were "
                "changed meanwhile, or the database is damaged; start the export again"
            )

    def _uploads_of_nobody(self) -> None:
        for upload in self._source.uploads_of_nobody():
            picture = upload["content_sha256"]
            if self._files.found.has(picture):
                self._files.keep("uploads", upload)
                self._files.add("uploads", [rows.upload_row(upload, None)])

    def _resolve(self) -> None:
        """Find out which hashes are contents and which are versions of settings, and keep these."""
        found = self._files.found
        # A text that is found may name others, so this goes on until nothing new turns up.
        while names := found.unchecked(dump.AT_ONCE):
            for version in self._source.settings_versions(names):
                self._files.keep("settings_versions", version)
            for content in self._source.contents(names):
                self._content(content)
        for lost in found.lost():
            raise NotExportableError(f"content {lost} is missing, which records of the study name; look at the backup")

    def _content(self, content: dict[str, Any]) -> None:
        """Keep what is known of a content, and of texts all."""
        name, media_type = content["_id"], content["media_type"]
        self._files.found.resolve(name, media_type, content["size"])
        if not media_type.startswith("image/"):
            whole = self._contents.get(name)
            data = b"" if whole is None else whole.data
            try:
                content = {**content, "text": data.decode("utf-8")}
            except UnicodeDecodeError:
                content = {**content, "content": data}
        self._files.keep("contents", content)
