"""What a run takes as given before it starts: nothing of its own for a new generation, its parent's for a rerun."""

from dataclasses import dataclass

from jobs.parts import Parts
from jobs.pins import Pins
from jobs.replay import Replay
from jobs.versions import Versions
from store.documents import GenerationRecord


@dataclass(frozen=True)
class Given:
    """The settings that hold for one run, the pins they come from, and the answers that are known already."""

    versions: Versions
    pins: Pins
    replay: Replay

    @classmethod
    def of(cls, record: GenerationRecord, parts: Parts) -> "Given":
        """Gather what is given for a generation from its record, in whichever process it runs.

        The answers are read from the parent's own record. If that is gone, they are asked for anew.
        """
        pins = Pins.from_document(record.pins)
        parent = parts.stores.generations.get(record.rerun_of) if record.rerun_of else None
        return cls(Versions(parts.book, parts.stores.settings_versions, pins), pins, Replay.of(parent))
