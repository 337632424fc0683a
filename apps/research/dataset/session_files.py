"""One session on its way into the files of an export."""

from __future__ import annotations

from collections import Counter

from apps.research.dataset import rows
from apps.research.dataset.entries import SessionEntries
from apps.research.dataset.files import Files
from apps.research.dataset.found import Found
from apps.research.dataset.provenance import SessionProvenance
from apps.research.dataset.rows import Record
from apps.research.dataset.tallies import Tallies
from apps.research.dataset.work_rows import (
    images_of_step,
    infotext,
    link_rows,
    output_text,
    step_rows,
)
from store.dump import EVENT_KIND, GENERATION_KIND, SAVE_KIND, TIME_KIND, UPLOAD_KIND, Kind


class SessionFiles:
    """Takes the records of one session, kind by kind in the order of their times, and writes its rows at the end."""

    def __init__(self, files: Files, session: Record, tallies: Tallies) -> None:
        self.counts: Counter[str] = Counter()
        self._files = files
        self._session = session
        self._tallies = tallies
        self._entries = SessionEntries()
        self._positions: dict[str, int] = {}
        self._made: dict[str, list[str]] = {}
        self._reports: dict[int | None, Record] = {}
        self._provenance = SessionProvenance(session)
        self._takers = {
            EVENT_KIND: self._event,
            GENERATION_KIND: self._generation,
            SAVE_KIND: self._save,
            UPLOAD_KIND: self._upload,
            TIME_KIND: self._time_record,
        }

    def take(self, kind: Kind, record: Record) -> None:
        """Take a record in."""
        self.counts[kind.collection] += 1
        self._takers[kind](record)
        # After what is known of its pictures, as the first place where a hash is met stays.
        self._files.keep(kind.collection, record)

    def close(self) -> None:
        """Write what is known once all records of the session are read."""
        session, files = self._session, self._files
        files.add("visits", rows.visit_rows(self._reports, session))
        before = files.row_counts["events"]
        files.add("events", self._entries.rows(session))
        counts = {**self._tallies.states(), "events": files.row_counts["events"] - before}
        files.add("sessions", [rows.session_row(session, counts, self._tallies.waited_s())])
        self._provenance.write(files.folder / "provenance" / "sessions")

    def _event(self, event: Record) -> None:
        self._entries.event(event)
        self._tallies.at(event["at"])

    def _generation(self, generation: Record) -> None:
        name, session, files = generation["_id"], self._session, self._files
        self._positions[name] = len(self._positions) + 1
        self._made[name] = [output["image_id"] for output in generation["outputs"] if output.get("image_id")]
        files.add("generations", [rows.generation_row(generation, session)])
        files.add("steps", step_rows(generation, session))
        files.add("outputs", rows.output_rows(generation, session))
        files.add("links", link_rows(generation, session, self._positions, self._made))
        self._entries.generation(generation)
        self._provenance.add(generation)
        self._tallies.generation(generation, session)
        self._note_pictures(generation)

    def _note_pictures(self, generation: Record) -> None:
        name, found = generation["_id"], self._files.found
        texts = {image: infotext(step, image) for step in generation.get("steps", ()) for image in images_of_step(step)}
        for output in generation["outputs"]:
            if image := output.get("image_id"):
                found.add(Found(image, "output", True, name, output.get("index"), output_text(generation, output)))
        for image, text in texts.items():
            found.add(Found(image, "step", False, name, None, text))
        for image in generation["inputs"]["image_ids"]:
            found.add(Found(image, "input", needed=True))

    def _save(self, save: Record) -> None:
        self._files.add("saves", [rows.save_row(save, self._session)])
        self._entries.save(save)
        self._files.found.add(Found(save["content_sha256"], "other", needed=True))
        self._tallies.at(save["saved_at"])

    def _upload(self, upload: Record) -> None:
        self._files.add("uploads", [rows.upload_row(upload, self._session)])
        self._entries.upload(upload)
        self._files.found.add(Found(upload["content_sha256"], "upload", needed=True))
        self._tallies.at(upload["received_at"])

    def _time_record(self, report: Record) -> None:
        # They come in the order of their arrival; each holds all since its page was loaded, so the last one counts.
        self._reports[report["page_loaded_at_ms"]] = report
        self._entries.report(report)
        self._tallies.at(report["received_at"])
