"""POST /api/generations/<id>/rerun: the same once more, byte for byte; or a variant that names its parent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from store.ids import new_id
from store.schema import SUBJECTS
from tests.api.answers import failure_of
from tests.api.front_end import BUTTONS, TEXT_OPERATIONS, body
from tests.api.server import Server, serving
from tests.api.submitting import ended, job_in, made
from tests.stand_ins import StandIn, picture

pytestmark = pytest.mark.api

SETTINGS = Path(__file__).parents[2] / "settings"
SHAPES = ("brief.create_new", "sketch.reference", "model.multi_view", "rendering.create_new", "rendering.extend")
"""One operation of each kind: texts, a card and pictures, views, a scene, a picture around a picture."""

Made = dict[str, Any]


def _copied(folder: Path) -> Path:
    return Path(shutil.copytree(SETTINGS, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__")))


def _editable(folder: Path) -> dict[str, Any]:
    return {"SETTINGS_DIR": str(_copied(folder)), "SETTINGS_RELOAD": True}


@pytest.fixture(scope="module")
def lasting(settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server whose settings nobody edits."""
    own = {"MONGO_DB": f"test_{new_id().lower()}", "DATA_DIR": str(tmp_path_factory.mktemp("data"))}
    with serving({**settings, **own}) as running:
        yield running


@pytest.fixture
def own(serve: Callable[..., Server], tmp_path: Path) -> Server:
    """Run a server with settings of its own, which are read again when they are edited."""
    return serve(**_editable(tmp_path / "settings"))


def _made(server: Server, operation: str, **more: Any) -> Made:
    images = [] if operation in TEXT_OPERATIONS else [server.uploaded(picture(512, 512))]
    job = made(server, operation, **{"texts": ["轻便"], "images": images, "num": 2, "seed": 41, **more})
    assert job["state"] == "succeeded", job["error"]
    return job


def _rerun(server: Server, parent: Made, **overrides: Any) -> Made:
    answer = server.post(f"/api/generations/{parent['id']}/rerun", overrides, headers={"Prefer": "wait=30"})
    assert answer.status_code == 200, answer.text
    job = job_in(answer)
    assert job["state"] == "succeeded", job["error"]
    assert (job["rerun_of"], job["operation"]) == (parent["id"], parent["operation"])
    return job


def _outputs(job: Made) -> list[tuple[int, str]]:
    """Give what came of it; the name of a picture is the SHA-256 of its bytes."""
    return sorted((output["index"], output.get("url") or output["text"]) for output in job["outputs"])


def _details(job: Made, name: str) -> list[Any]:
    return [step["details"][name] for step in job["steps"] if name in step["details"]]


def _edit_everything(folder: Path) -> None:
    """Change what every file says, so that nothing that is made from now on is as before."""
    for path in folder.rglob("*.toml"):
        text = path.read_text(encoding="utf-8").replace("prompt = '''\n", "prompt = '''\nQuite another beginning. ")
        text = text.replace("steps = 20", "steps = 19").replace("view, seen", "side, seen")
        text = text.replace('  "', '  "now ') if path.name == "directions.toml" else text
        path.write_text(text.replace("purpose = ", "# Edited.\npurpose = "), encoding="utf-8")


def _change_the_remembered_subjects(server: Server) -> None:
    server.stores.database.collection(SUBJECTS).update_many({}, {"$set": {"subject": "flower pot"}})


@pytest.mark.parametrize("operation", BUTTONS)
def test_every_operation_gives_the_same_once_more_and_asks_nothing(
    lasting: Server, chat: StandIn, operation: str
) -> None:
    parent = _made(lasting, operation)
    questions = len(chat.journal())

    again = _rerun(lasting, parent)

    assert _outputs(again) == _outputs(parent)
    assert len(chat.journal()) == questions
    assert (again["seed"], again["inputs"]) == (parent["seed"], parent["inputs"])
    painted, first_painted = _details(again, "task_id"), _details(parent, "task_id")
    assert len(painted) == len(first_painted)
    assert not set(painted) & set(first_painted)


@pytest.mark.parametrize("operation", SHAPES)
def test_the_same_comes_of_it_after_the_settings_and_the_memory_have_changed(
    own: Server, tmp_path: Path, operation: str
) -> None:
    parent = _made(own, operation)
    _edit_everything(tmp_path / "settings")
    _change_the_remembered_subjects(own)

    assert _outputs(_rerun(own, parent)) == _outputs(parent)

    assert not {value for _, value in _outputs(_made(own, operation))} & {value for _, value in _outputs(parent)}


def test_another_server_with_other_settings_gives_the_same(serve: Callable[..., Server], tmp_path: Path) -> None:
    first = serve(**_editable(tmp_path / "first"))
    parent = _made(first, "rendering.create_new")
    _edit_everything(_copied(tmp_path / "second"))
    second = serve(SETTINGS_DIR=str(tmp_path / "second"), PUBLIC_URL=first.url)

    again = _rerun(second, parent)

    assert _outputs(again) == _outputs(parent)


def test_a_rerun_of_a_rerun_gives_the_same(own: Server, tmp_path: Path, chat: StandIn) -> None:
    parent = _made(own, "sketch.reference")
    _edit_everything(tmp_path / "settings")
    child = _rerun(own, parent)
    questions = len(chat.journal())

    grandchild = _rerun(own, child)

    assert _outputs(grandchild) == _outputs(parent)
    assert len(chat.journal()) == questions
    assert set(_details(grandchild, "replayed_from")) == {child["id"]}


def test_a_legacy_generation_can_be_run_again(lasting: Server) -> None:
    answer = lasting.post("/generate", body("sketch.create_new", currentNum=2))
    parent = {"id": answer.headers["X-Generation-ID"], "operation": "sketch.create_new"}

    again = _rerun(lasting, parent)

    assert dict(_outputs(again)) == {int(index): url for index, url in answer.json()["data"].items()}


def test_a_generation_that_failed_is_run_to_a_good_end(lasting: Server, chat: StandIn) -> None:
    chat.plan("garbage", forever=True)
    answer = lasting.post("/generate", body("sketch.reference"))
    failure_of(answer, 502, 2)
    chat.reset()

    again = _rerun(lasting, {"id": answer.headers["X-Generation-ID"], "operation": "sketch.reference"})

    assert [output["kind"] for output in again["outputs"]] == ["text", "image"]


def test_pictures_that_were_painted_in_one_batch_are_painted_in_one_again(lasting: Server) -> None:
    first = lasting.stores.generations.get(_made(lasting, "sketch.create_new")["id"])
    assert first is not None
    steps = tuple(step for step in first.steps if step.kind != "txt2img")
    pins = first.pins | {"batches": {"sketch_create_new": [2]}}
    parent = first.model_copy(update={"id": new_id(), "steps": steps, "pins": pins, "log": ()})
    lasting.stores.generations.insert(parent)
    lasting.stores.generations.cancel(parent.id)

    again = _rerun(lasting, {"id": parent.id, "operation": parent.operation})

    assert _details(again, "batch") == [2]
    assert len(again["outputs"]) == 2


def test_another_seed_makes_a_variant_of_the_same_subject(lasting: Server, chat: StandIn) -> None:
    parent = _made(lasting, "sketch.create_new")
    questions = len(chat.journal())

    variant = _rerun(lasting, parent, seed=1042)

    assert variant["seed"] == 1042
    assert not {url for _, url in _outputs(variant)} & {url for _, url in _outputs(parent)}
    assert _details(variant, "prompt") == _details(parent, "prompt")[-2:]
    assert len(chat.journal()) == questions
    record = lasting.stores.generations.get(variant["id"])
    assert record is not None
    assert (record.rerun_of, record.overrides) == (parent["id"], {"seed": 1042})


def test_another_seed_asks_for_other_scenes(lasting: Server) -> None:
    parent = _made(lasting, "rendering.create_new")

    variant = _rerun(lasting, parent, seed=1042)

    assert "replayed_from" not in next(s["details"] for s in variant["steps"] if s["name"] == "scene")
    assert not {url for _, url in _outputs(variant)} & {url for _, url in _outputs(parent)}


def test_a_checkpoint_takes_the_place_of_the_presets_also_in_a_rerun_of_the_variant(lasting: Server) -> None:
    parent = _made(lasting, "sketch.create_new")

    variant = _rerun(lasting, parent, checkpoint="v1-5-pruned-emaonly")
    again = _rerun(lasting, variant)

    assert set(_details(variant, "checkpoint")) == {"v1-5-pruned-emaonly"}
    assert not {url for _, url in _outputs(variant)} & {url for _, url in _outputs(parent)}
    assert _outputs(again) == _outputs(variant)


def test_the_version_of_a_prompt_can_be_chosen_by_its_hash(own: Server, tmp_path: Path) -> None:
    before = _made(own, "rendering.create_new")
    [former] = {step["details"]["template_hash"] for step in before["steps"] if step["name"] == "scene"}
    path = tmp_path / "settings" / "prompts" / "scene.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("prompt = '''\n", "prompt = '''\nOn the moon.\n"))
    after = _made(own, "rendering.create_new")

    variant = _rerun(own, after, prompts={"scene": former})
    of_today = _rerun(own, before, prompts={"scene": "current"})

    assert _outputs(after) != _outputs(before)
    assert _outputs(variant) == _outputs(before)
    assert _outputs(of_today) == _outputs(after)


def test_every_version_that_was_used_is_kept_with_its_text(own: Server, tmp_path: Path) -> None:
    written = (tmp_path / "settings" / "prompts" / "scene.toml").read_text(encoding="utf-8")
    jobs = [_made(own, operation) for operation in ("rendering.create_new", "model.multi_view")]
    _edit_everything(tmp_path / "settings")

    names = ("template_hash", "preset_hash", "directions_hash", "views_hash")
    used = {found for job in jobs for name in names for found in _details(job, name)}
    kept = {found: own.stores.settings_versions.get(found) for found in used}

    assert {version.kind for version in kept.values() if version} == {"prompt", "preset", "directions", "views"}
    assert all(kept.values())
    assert written in {version.text for version in kept.values() if version}


def test_the_task_the_texts_and_the_number_can_be_others(lasting: Server) -> None:
    parent = _made(lasting, "brief.create_new")

    variant = _rerun(lasting, parent, task="设计一盏台灯", texts=[], num=3)

    assert variant["inputs"] | {"num": 3, "texts": [], "task": "设计一盏台灯"} == variant["inputs"]
    assert len(variant["outputs"]) == 3
    assert _details(variant, "replayed_from") == []


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"prompts": {"scne": "current"}}, "did you mean 'scene'"),
        ({"prompts": {"scene": "a" * 64}}, "no generation used a version aaa"),
        ({"presets": {"model_view": "abc"}}, "presets.model_view: "),
        ({"seed": 2**32}, "seed: "),
        ({"seed": "seven"}, "seed: "),
        ({"checkpoint": ""}, "checkpoint: "),
        ({"checkpoint": "no-such-model"}, "no-such-model"),
        ({"num": 9}, "num: "),
        ({"sede": 7}, "sede: "),
    ],
)
def test_an_override_of_no_use_is_refused_and_makes_no_record(
    lasting: Server, overrides: dict[str, Any], message: str
) -> None:
    parent = _made(lasting, "sketch.create_new")
    before = lasting.stores.database.collection("generations").count_documents({})

    answer = lasting.post(f"/api/generations/{parent['id']}/rerun", overrides)

    assert message in failure_of(answer, 422)
    assert lasting.stores.database.collection("generations").count_documents({}) == before


def test_a_generation_that_nobody_made_cannot_be_run_again(lasting: Server) -> None:
    failure_of(lasting.post(f"/api/generations/{new_id()}/rerun", {}), 404)


def test_a_generation_under_way_is_run_again_only_after_its_end(
    lasting: Server, webuis: tuple[StandIn, StandIn]
) -> None:
    for webui in webuis:
        webui.close_gate()
    job = job_in(lasting.post("/api/generations", {"operation": "sketch.create_new", "task": "设计一把椅子"}))
    path = f"/api/generations/{job['id']}/rerun"

    assert job["id"] in failure_of(lasting.post(path, {}), 409)

    for webui in webuis:
        webui.open_gate()
    ended(lasting, job["id"])
    assert lasting.post(path, {}, headers={"Prefer": "wait=30"}).status_code == 200
