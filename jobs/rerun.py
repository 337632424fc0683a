"""A generation once more: exactly as it was, or with some things changed."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from jobs.errors import InvalidOverrideError
from jobs.pins import Pins
from jobs.submission import SEED_LIMIT, Inputs, Submission, chosen_seed
from jobs.versions import check_pins
from settings.book import SettingsBook
from settings.errors import SettingsError
from store.documents import GenerationRecord
from store.stores import Stores

TODAY = "current"
"""In place of a version's hash: what the settings say now."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
Checkpoint = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")
]


def _version(value: str) -> str:
    if value != TODAY and not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError(f"must be the whole hash of a version, 64 hexadecimal digits, or '{TODAY}'")
    return value


Version = Annotated[str, AfterValidator(_version)]


class Overrides(BaseModel):
    """What a variant has otherwise than its parent; what is left out stays the same.

    `prompts` and `presets` give, by name, the hash of another version, or "current" for what the settings say now;
    `directions` and `views` do so for their one file. `checkpoint` takes the place of the one in every preset.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    seed: int | None = Field(None, ge=0, lt=SEED_LIMIT)
    checkpoint: Checkpoint | None = None
    prompts: dict[str, Version] = Field(default_factory=dict)
    presets: dict[str, Version] = Field(default_factory=dict)
    directions: Version = ""
    views: Version = ""
    task: Words | None = None
    texts: list[Annotated[str, Field(max_length=10_000)]] | None = Field(None, max_length=200)
    num: int | None = Field(None, ge=1, le=8)


def rerun_of(record: GenerationRecord, overrides: Mapping[str, Any], stores: Stores, book: SettingsBook) -> Submission:
    """Compose the submission that repeats a generation, its record named as the parent; nothing is written.

    Raises:
        InvalidOverrideError: an override is of no use, or a version that the parent used cannot be had any more.
    """
    if record.state in ("queued", "running"):
        raise InvalidOverrideError(f"generation {record.id} has not ended yet; run it again when it has")
    wanted = _read(overrides)
    pins = _changed(Pins.of_record(record), wanted, book)
    try:
        check_pins(book, stores.settings_versions, pins)
    except SettingsError as exc:
        raise InvalidOverrideError(str(exc)) from exc
    return Submission(
        app_id=record.app_id,
        operation=record.operation,
        participant_id=record.participant_id,
        inputs=_inputs(record, wanted),
        origin=record.origin,
        rerun_of=record.id,
        pins=pins,
        overrides=wanted.model_dump(exclude_defaults=True),
    )


def _read(overrides: Mapping[str, Any]) -> Overrides:
    try:
        return Overrides.model_validate(dict(overrides))
    except ValidationError as exc:
        problems = exc.errors(include_url=False, include_context=False, include_input=False)
        told = (
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in problems[:5]
        )
        raise InvalidOverrideError("; ".join(told)) from exc


def _inputs(record: GenerationRecord, wanted: Overrides) -> Inputs:
    given = record.inputs
    return Inputs(
        task=given.task if wanted.task is None else wanted.task,
        num=given.num if wanted.num is None else wanted.num,
        seed=chosen_seed(record.seed if wanted.seed is None else wanted.seed),
        texts=given.texts if wanted.texts is None else tuple(wanted.texts),
        image_ids=given.image_ids,
        stage=given.current_stage,
    )


def _changed(pins: Pins, wanted: Overrides, book: SettingsBook) -> Pins:
    """Put the wanted versions in the place of the parent's. Raises InvalidOverrideError for an unknown name."""
    try:
        for name in wanted.prompts:
            book.prompt(name)
        for name in wanted.presets:
            book.preset(name)
    except SettingsError as exc:
        raise InvalidOverrideError(str(exc)) from exc
    return replace(
        pins,
        prompts=_without_today({**pins.prompts, **wanted.prompts}),
        presets=_without_today({**pins.presets, **wanted.presets}),
        directions=(wanted.directions or pins.directions).replace(TODAY, ""),
        views=(wanted.views or pins.views).replace(TODAY, ""),
        checkpoint=pins.checkpoint if wanted.checkpoint is None else wanted.checkpoint,
        # Other seeds make other pictures anyway, and not every seed can begin a batch.
        batches=pins.batches if wanted.seed is None else {},
    )


def _without_today(versions: Mapping[str, str]) -> dict[str, str]:
    return {name: version for name, version in versions.items() if version != TODAY}
