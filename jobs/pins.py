"""What a rerun keeps fixed: the versions of the settings, the checkpoint, and how pictures were put into batches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from store.documents import GenerationRecord, StepRecord


@dataclass(frozen=True)
class Pins:
    """What a run takes as given; what is not named here is as the settings say today.

    `prompts` and `presets` give the hash of a version by name, `directions` and `views` that of their one file. A
    `checkpoint` takes the place of the one in every preset. `batches` gives, by preset, how many pictures each call
    paints: on a GPU the pictures of one batch are not those of single calls.
    """

    prompts: Mapping[str, str] = field(default_factory=dict)
    presets: Mapping[str, str] = field(default_factory=dict)
    directions: str = ""
    views: str = ""
    checkpoint: str | None = None
    batches: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def sizes(self, preset: str, num: int) -> tuple[int, ...] | None:
        """Look up the batches in which `num` pictures are to be painted; None leaves it to the pool."""
        sizes = self.batches.get(preset, ())
        return sizes if sum(sizes) == num else None

    def to_document(self) -> dict[str, Any]:
        """Write the pins for the record of a generation; `from_document` reads them again."""
        return {
            "prompts": dict(self.prompts),
            "presets": dict(self.presets),
            "directions": self.directions,
            "views": self.views,
            "checkpoint": self.checkpoint,
            "batches": {preset: list(sizes) for preset, sizes in self.batches.items()},
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Pins":
        """Read what `to_document` wrote; an empty document pins nothing."""
        return cls(
            prompts=dict(document.get("prompts", {})),
            presets=dict(document.get("presets", {})),
            directions=document.get("directions", ""),
            views=document.get("views", ""),
            checkpoint=document.get("checkpoint"),
            batches={preset: tuple(sizes) for preset, sizes in document.get("batches", {}).items()},
        )

    @classmethod
    def of_record(cls, record: GenerationRecord) -> "Pins":
        """Gather what a generation used from its steps; what it did not come to is as it was pinned itself."""
        own = cls.from_document(record.pins)
        details = [step.details for step in record.steps]
        # A second question to an unusable answer has a template of its own and stands inside the first one's step.
        asked = [*details, *(found["asked_again"] for found in details if "asked_again" in found)]
        return cls(
            prompts={**own.prompts, **_by_name(asked, "template", "template_hash")},
            presets={**own.presets, **_by_name(details, "preset", "preset_hash")},
            directions=_last(details, "directions_hash") or own.directions,
            views=_last(details, "views_hash") or own.views,
            checkpoint=own.checkpoint,
            batches={**own.batches, **_batches(record.steps)},
        )


def _by_name(details: Iterable[Mapping[str, Any]], name: str, value: str) -> dict[str, str]:
    return {found[name]: found[value] for found in details if name in found and value in found}


def _last(details: Iterable[Mapping[str, Any]], name: str) -> str:
    return next((str(found[name]) for found in reversed(list(details)) if name in found), "")


def _batches(steps: Iterable[StepRecord]) -> dict[str, tuple[int, ...]]:
    """Read the sizes of the batches of each preset, in the order of their pictures."""
    painted: dict[str, dict[int, int]] = {}
    for step in steps:
        details = step.details
        if "batch" in details and "preset" in details and step.error is None:
            # One that was run once more, after its runner died, may have a picture twice: the last one counts.
            painted.setdefault(details["preset"], {})[details["index"]] = details["batch"]
    return {preset: tuple(size for _, size in sorted(sizes.items())) for preset, sizes in painted.items()}
