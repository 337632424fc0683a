"""What a rerun keeps fixed: gathered from the parent, kept in the record, used in whichever process runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from apps.registry import PRESETS, PROMPTS
from jobs.errors import InvalidOverrideError
from jobs.pins import Pins
from jobs.rerun import rerun_of
from jobs.versions import Versions
from settings.book import SettingsBook
from settings.errors import SettingsError
from store.documents import ErrorRecord, GenerationInputs, GenerationRecord, StepRecord
from store.stores import Stores

pytestmark = pytest.mark.unit

SHIPPED = Path(__file__).parents[2] / "settings"
OLD, NEW = "a" * 64, "b" * 64
PINS = Pins({"scene": OLD}, {"model_view": NEW}, OLD, NEW, "some-model", {"sketch_create_new": (2, 1)})


def _record(*steps: StepRecord, **values: Any) -> GenerationRecord:
    inputs = GenerationInputs(task="设计一把椅子", texts=("轻",), image_ids=("c" * 64,), num=3, current_stage="sketch")
    given = {"id": "parent", "app_id": 4, "participant_id": "p", "operation": "model.transform", "seed": 7}
    return GenerationRecord.model_validate({**given, "inputs": inputs, "state": "succeeded", "steps": steps, **values})


def _step(kind: str, error: ErrorRecord | None = None, **details: Any) -> StepRecord:
    return StepRecord(kind=kind, name=kind, details=details, error=error)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a copy of the settings that may be edited."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "settings", ignore=shutil.ignore_patterns("*.py")))


@pytest.fixture
def book(folder: Path) -> SettingsBook:
    """Read the settings; edits are picked up."""
    return SettingsBook.load(folder, PROMPTS, PRESETS, reload=True)


def _edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_pins_survive_the_way_through_a_record() -> None:
    assert Pins.from_document(json.loads(json.dumps(PINS.to_document()))) == PINS
    assert Pins.from_document({}) == Pins()


def test_pins_are_gathered_from_what_the_steps_used() -> None:
    chat = {"template": "scene", "template_hash": OLD, "directions_hash": NEW}
    pins = Pins.of_record(
        _record(
            _step("chat", **chat, asked_again={"template": "ask_again", "template_hash": OLD}),
            _step("txt2img", preset="model_view", preset_hash=NEW, index=0),
            _step("multiview", views_hash=OLD),
        )
    )

    assert pins == Pins({"scene": OLD, "ask_again": OLD}, {"model_view": NEW}, NEW, OLD)


def test_what_a_generation_did_not_come_to_is_as_it_was_pinned_itself() -> None:
    used = _step("chat", template="scene", template_hash=NEW)

    pins = Pins.of_record(_record(used, pins=PINS.to_document()))

    assert pins == Pins({"scene": NEW}, PINS.presets, PINS.directions, PINS.views, PINS.checkpoint, PINS.batches)


def test_batches_are_in_the_order_of_their_pictures_without_those_that_failed_or_were_done_again() -> None:
    failure = ErrorRecord(type="SDError", message="broken")
    painted = {"preset": "sketch_create_new", "preset_hash": OLD}
    steps = (
        _step("txt2img", **painted, index=0, batch=1),
        _step("txt2img", **painted, index=2, batch=1),
        _step("txt2img", failure, **painted, index=0, batch=3),
        _step("txt2img", **painted, index=0, batch=2),
    )

    pins = Pins.of_record(_record(*steps))

    assert pins.sizes("sketch_create_new", 3) == (2, 1)


def test_batches_count_only_for_the_number_of_pictures_that_they_make() -> None:
    assert PINS.sizes("sketch_create_new", 3) == (2, 1)
    assert PINS.sizes("sketch_create_new", 4) is None
    assert PINS.sizes("model_view", 1) is None


def test_a_version_that_was_used_can_be_had_when_the_file_is_another_one(
    book: SettingsBook, folder: Path, stores: Stores
) -> None:
    before = book.prompt("scene"), book.preset("model_view"), book.directions(), book.views()
    used = Versions(book, stores.settings_versions, Pins())
    assert (used.prompt("scene"), used.preset("model_view"), used.directions(), used.views()) == before
    for file in ("prompts/scene.toml", "presets/model_view.toml", "directions.toml", "views.toml"):
        _edit(folder, file, 'purpose = "', 'purpose = "Another purpose. ')
    pins = Pins({"scene": before[0].hash}, {"model_view": before[1].hash}, before[2].hash, before[3].hash)

    again = Versions(book, stores.settings_versions, pins)

    assert (again.prompt("scene"), again.preset("model_view"), again.directions(), again.views()) == before
    assert book.prompt("scene") != before[0]


def test_a_run_sees_one_version_of_a_file_from_its_beginning_to_its_end(
    book: SettingsBook, folder: Path, stores: Stores
) -> None:
    versions = Versions(book, stores.settings_versions, Pins())
    before = versions.preset("model_view")
    _edit(folder, "presets/model_view.toml", "steps = 20", "steps = 21")

    assert versions.preset("model_view") is before
    assert Versions(book, stores.settings_versions, Pins()).preset("model_view").steps == 21


def test_a_pinned_checkpoint_takes_the_place_of_the_presets(book: SettingsBook, stores: Stores) -> None:
    today = book.preset("model_view")

    preset = Versions(book, stores.settings_versions, Pins(checkpoint="other")).preset("model_view")

    assert (preset.checkpoint, preset.hash, preset.steps) == ("other", today.hash, today.steps)


def test_batches_are_kept_but_for_other_seeds(book: SettingsBook, stores: Stores) -> None:
    parent = _record(pins=Pins(batches={"model_view": (2, 1)}).to_document())

    assert rerun_of(parent, {}, stores, book).pins.sizes("model_view", 3) == (2, 1)
    assert rerun_of(parent, {"seed": 2**32 - 1}, stores, book).pins.sizes("model_view", 3) is None


def test_a_version_that_nobody_used_is_refused_by_name(book: SettingsBook, stores: Stores) -> None:
    with pytest.raises(SettingsError, match=f"prompts/scene.toml: no generation used a version {OLD}"):
        Versions(book, stores.settings_versions, Pins({"scene": OLD})).prompt("scene")


def test_a_rerun_has_the_inputs_of_its_parent(book: SettingsBook, stores: Stores) -> None:
    preset = book.preset("model_from_sketch")
    step = _step("txt2img", preset="model_from_sketch", preset_hash=preset.hash, index=0)
    parent = _record(step, origin={"button_text": "x"})

    rerun = rerun_of(parent, {}, stores, book)

    assert (rerun.app_id, rerun.participant_id, rerun.operation) == (4, "p", "model.transform")
    assert (rerun.inputs.task, rerun.inputs.texts, rerun.inputs.num) == ("设计一把椅子", ("轻",), 3)
    assert (rerun.inputs.image_ids, rerun.inputs.stage, rerun.inputs.seed) == (("c" * 64,), "sketch", 7)
    assert (rerun.rerun_of, rerun.overrides, rerun.origin) == ("parent", {}, {"button_text": "x"})
    assert rerun.pins.presets == {"model_from_sketch": preset.hash}
    assert rerun.generation_id != "parent"


def test_overrides_take_the_place_of_what_the_parent_had(book: SettingsBook, folder: Path, stores: Stores) -> None:
    versions = Versions(book, stores.settings_versions, Pins())
    former = versions.prompt("scene").hash
    used = versions.preset("model_view").hash
    _edit(folder, "prompts/scene.toml", 'purpose = "', 'purpose = "Another purpose. ')
    _edit(folder, "presets/model_view.toml", "steps = 20", "steps = 21")
    parent = _record(_step("txt2img", preset="model_view", preset_hash=used, index=0))
    wanted = {"seed": 0, "checkpoint": " other ", "prompts": {"scene": former}, "presets": {"model_view": "current"}}

    rerun = rerun_of(parent, {**wanted, "texts": [], "task": "设计一盏灯", "num": 1}, stores, book)

    assert (rerun.inputs.seed, rerun.inputs.texts, rerun.inputs.task, rerun.inputs.num) == (0, (), "设计一盏灯", 1)
    assert rerun.pins == Pins(prompts={"scene": former}, checkpoint="other")
    assert rerun.overrides == {**wanted, "checkpoint": "other", "texts": [], "task": "设计一盏灯", "num": 1}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"prompts": {"scne": OLD}}, "there is no 'scne' in the settings; did you mean 'scene'"),
        ({"presets": {"model_veiw": "current"}}, "did you mean 'model_view'"),
        ({"prompts": {"scene": OLD}}, f"prompts/scene.toml: no generation used a version {OLD}"),
        ({"presets": {"model_view": OLD}}, f"presets/model_view.toml: no generation used a version {OLD}"),
        ({"prompts": {"scene": "abc"}}, "prompts.scene: must be the whole hash of a version"),
        ({"seed": 2**32}, "seed: Input should be less than 4294967296"),
        ({"seed": -1}, "seed: Input should be greater than or equal to 0"),
        ({"seed": True}, "seed: Input should be a valid integer"),
        ({"seed": "7"}, "seed: Input should be a valid integer"),
        ({"checkpoint": "  "}, "checkpoint: String should have at least 1 character"),
        ({"checkpoint": "a\nb"}, "checkpoint: "),
        ({"checkpoint": "x" * 201}, "checkpoint: String should have at most 200 characters"),
        ({"task": " "}, "task: String should have at least 1 character"),
        ({"num": 0}, "num: Input should be greater than or equal to 1"),
        ({"sede": 7}, "sede: Extra inputs are not permitted"),
    ],
)
def test_an_override_of_no_use_is_refused_by_name(
    book: SettingsBook, stores: Stores, overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidOverrideError) as caught:
        rerun_of(_record(), overrides, stores, book)

    assert message in str(caught.value)


def test_a_version_of_another_prompt_is_refused(book: SettingsBook, stores: Stores) -> None:
    other = Versions(book, stores.settings_versions, Pins()).prompt("brief_create_new").hash

    with pytest.raises(InvalidOverrideError, match=r"prompts/scene.toml: "):
        rerun_of(_record(), {"prompts": {"scene": other}}, stores, book)


def test_a_parent_whose_version_is_not_kept_can_be_run_with_the_one_of_today(
    book: SettingsBook, stores: Stores
) -> None:
    parent = _record(_step("chat", template="scene", template_hash=OLD))
    with pytest.raises(InvalidOverrideError, match="'current'"):
        rerun_of(parent, {}, stores, book)

    assert rerun_of(parent, {"prompts": {"scene": "current"}}, stores, book).pins == Pins()


@pytest.mark.parametrize("state", ["queued", "running"])
def test_what_has_not_ended_is_not_run_again(book: SettingsBook, stores: Stores, state: str) -> None:
    with pytest.raises(InvalidOverrideError, match="generation parent has not ended yet"):
        rerun_of(_record(state=state), {}, stores, book)


def test_a_rerun_of_a_variant_keeps_what_the_variant_had_otherwise(book: SettingsBook, stores: Stores) -> None:
    variant = _record(pins=Pins(checkpoint="other").to_document(), overrides={"checkpoint": "other"}, seed=9)

    rerun = rerun_of(variant, {}, stores, book)

    assert (rerun.pins.checkpoint, rerun.inputs.seed, rerun.overrides) == ("other", 9, {})
