"""The check of an export finds what is wrong, memory does not grow with a study, and its README says what works."""

from __future__ import annotations

import gc
import hashlib
import json
import re
import subprocess
import sys
import threading
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.research.dataset import table_files
from apps.research.dataset.checking import Checker
from apps.research.dataset.errors import NotImportableError, NotValidError
from apps.research.dataset.exporting import export_study
from apps.research.dataset.importing import import_study
from apps.research.dataset.png import parameters_of, with_parameters, without_parameters
from apps.research.dataset.psychds import broken_rules
from apps.research.dataset.work_rows import output_text
from store.ids import new_id
from store.stores import Stores
from tests.stores import opened_stores
from tests.study_records import STUDY, UNTIL, StudyMaker, picture, small_study

pytestmark = pytest.mark.unit

STEM = f"data/study-{STUDY}_description"
Change = Callable[[bytes], bytes]


def made(stores: Stores, path: Path) -> Path:
    """Export the study."""
    export_study(stores, STUDY, path, until=UNTIL, version="1.0.0")
    return path


@pytest.fixture(scope="module")
def data_set(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Export a small study once."""
    with opened_stores(mongo_uri, f"test_{new_id().lower()}") as stores:
        small_study(stores)
        yield made(stores, tmp_path_factory.mktemp("set") / "small.zip")


def changed(data_set: Path, path: Path, name: str, change: Change, *, is_told: bool = True) -> Path:
    """Write the ZIP anew with one file changed; with `is_told` the manifest says so, as a wrong writer would."""
    with zipfile.ZipFile(data_set) as old, zipfile.ZipFile(path, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        for one in old.namelist():
            content = change(old.read(one)) if one == name else old.read(one)
            if is_told:
                for told in manifest["files"]:
                    if told["path"] == one:
                        told.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())
            if one != "manifest.json":
                new.writestr(one, content)
        new.writestr("manifest.json", json.dumps(manifest))
    return path


def _json(change: Callable[[dict[str, Any]], object]) -> Change:
    def write(content: bytes) -> bytes:
        value = json.loads(content)
        change(value)
        return json.dumps(value).encode()

    return write


def _without_last_line(content: bytes) -> bytes:
    return b"".join(content.splitlines(keepends=True)[:-1])


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (f"{STEM}-generations_data.csv", _without_last_line, "generations_data.csv"),
        (f"{STEM}-generations_data.jsonl", _without_last_line, "generations_data.jsonl, rows"),
        (f"{STEM}-sessions_data.csv", lambda content: content.replace(b"000006,", b"000003,", 1), "row_id"),
        (f"{STEM}-outputs_data.csv", lambda content: content.replace(b"row_id", b"row", 1), "header"),
        ("records/generations.jsonl", _without_last_line, "records/generations.jsonl"),
        ("dataset_description.json", _json(lambda one: one["variableMeasured"].pop()), "Psych-DS"),
        ("dataset_description.json", _json(lambda one: one.pop("name")), "Psych-DS"),
        ("codebook.json", _json(lambda one: one.pop()), "codebook.json"),
        ("codebook.csv", _without_last_line, "codebook.csv"),
        ("provenance/prov.json", lambda _content: b"{", "provenance/prov.json"),
        ("ro-crate-metadata.json", _json(lambda one: one["@graph"].pop(1)), "ro-crate-metadata.json"),
    ],
)
def test_an_export_that_does_not_agree_with_itself_is_refused(
    data_set: Path, tmp_path: Path, name: str, change: Change, said: str
) -> None:
    path = changed(data_set, tmp_path / "changed.zip", name, change)
    with zipfile.ZipFile(data_set) as opened:
        facts = json.loads(opened.read("manifest.json"))
    Checker(data_set).check(facts["rows"], facts["records"])

    with pytest.raises(NotValidError, match=re.escape(said)):
        Checker(path).check(facts["rows"], facts["records"])


def test_a_file_that_is_not_what_the_manifest_says_is_refused(data_set: Path, tmp_path: Path, stores: Stores) -> None:
    path = changed(data_set, tmp_path / "one.zip", "METHODS.md", lambda content: content + b"!", is_told=False)

    with pytest.raises(NotImportableError, match=r"METHODS\.md is not what the manifest says"):
        import_study(stores, path)


def test_a_picture_that_is_not_what_its_name_says_is_refused(data_set: Path, tmp_path: Path, stores: Stores) -> None:
    with zipfile.ZipFile(data_set) as opened:
        name = next(one for one in opened.namelist() if one.endswith(".jpg"))
    path = changed(data_set, tmp_path / "one.zip", name, lambda content: content + b"!")

    with pytest.raises(NotImportableError, match="is not the picture that its name says"):
        import_study(stores, path)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("format", "other", "no export of a study"), ("format_version", 99, "form 99"),
     ("schema_versions", {"generations": 99}, "generations are of version 99")],
)  # fmt: skip
def test_a_data_set_of_another_form_is_refused(
    data_set: Path, tmp_path: Path, stores: Stores, field: str, value: Any, said: str
) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(data_set) as old, zipfile.ZipFile(path, "w") as new:
        for one in old.namelist():
            content = old.read(one)
            new.writestr(one, json.dumps({**json.loads(content), field: value}) if one == "manifest.json" else content)

    with pytest.raises(NotImportableError, match=said):
        import_study(stores, path)


GOOD = {"@context": "https://schema.org/", "@type": "Dataset", "name": "n", "description": "d",
        "variableMeasured": [{"@type": "PropertyValue", "name": "row_id"}]}  # fmt: skip
TABLE = "data/study-a_description-events_data.csv"


@pytest.mark.parametrize(
    ("paths", "description", "headers", "said"),
    [
        ([TABLE], None, {}, "dataset_description.json is missing"),
        ([], GOOD, {}, "there is no table"),
        (["data/events_data.csv", TABLE], GOOD, {TABLE: ["row_id"]}, "not named by keywords"),
        ([TABLE], {**GOOD, "@type": "Thing"}, {TABLE: ["row_id"]}, "@type"),
        ([TABLE], {**GOOD, "@context": "x"}, {TABLE: ["row_id"]}, "@context"),
        ([TABLE], GOOD, {TABLE: ["row_id", "more"]}, "column more is not described"),
        ([TABLE], {**GOOD, "variableMeasured": ["row_id", "less"]}, {TABLE: ["row_id"]}, "less is in no table"),
        ([TABLE], GOOD, {TABLE: ["row_id", "row_id"]}, "two columns"),
        ([TABLE], GOOD, {TABLE: []}, "no header"),
    ],
)
def test_every_rule_of_psych_ds_is_kept(
    paths: list[str], description: dict[str, Any] | None, headers: dict[str, list[str]], said: str
) -> None:
    assert list(broken_rules([TABLE], GOOD, {TABLE: ["row_id"]})) == []
    assert any(said in problem for problem in broken_rules(paths, description, headers))


@pytest.mark.parametrize("text", ["plain", "Grüße", "机器人\nSteps: 20"])
def test_parameters_are_put_into_a_png_and_taken_out_again(text: str) -> None:
    plain = picture(3)
    written = with_parameters(plain, text)

    assert written is not None and written != plain
    assert parameters_of(written) == text
    assert without_parameters(written) == plain
    assert with_parameters(written, "other") is None
    assert without_parameters(plain) == plain


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_what_is_no_png_stays_as_it_is(content: bytes) -> None:
    assert with_parameters(content, "text") is None
    assert without_parameters(content) == content


def test_the_three_lines_of_the_readme_work(data_set: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(data_set) as opened:
        opened.extractall(tmp_path)
    found = re.search(r"```python\n(.+?)```", (tmp_path / "README.md").read_text("utf-8"), re.DOTALL)
    assert found is not None

    ran = subprocess.run([sys.executable, "-c", found[1]], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    assert len(found[1].strip().splitlines()) == 3
    assert "generation.accepted" in ran.stdout


def _peak(stores: Stores, path: Path, study_id: str) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        export_study(stores, study_id, path, until=UNTIL, version="1.0.0")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_study(stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "ROWS_AT_ONCE", 20)
    peaks, sizes = [], []
    # The first one pays for what is loaded once.
    for sessions in (1, 8, 32):
        maker = StudyMaker(stores, f"01JSTUDY{new_id()[8:]}", side=256, prefix=new_id())
        maker.study()
        for _ in range(sessions):
            session = maker.session()
            for number in range(5):
                maker.generation(session, number)
        peaks.append(_peak(stores, tmp_path / "one.zip", maker.study_id))
        sizes.append((tmp_path / "one.zip").stat().st_size)

    assert sizes[2] - sizes[1] > 20_000_000
    assert peaks[2] - peaks[1] < 3_000_000


def test_what_is_written_meanwhile_neither_harms_nor_gets_in(stores: Stores, tmp_path: Path) -> None:
    maker = small_study(stores)
    sessions = stores.sessions.of_study(STUDY)
    moment, is_over = maker.tick(), threading.Event()

    def write(place: int) -> None:
        own = StudyMaker(stores, clock=moment)
        session = {"_id": sessions[place].id, "participant_id": sessions[place].participant_id, "condition_id": "a"}
        number = 1000
        while not is_over.is_set():
            number += 1
            own.event(session, number)
            own.generation(session, number)

    writers = [threading.Thread(target=write, args=(place,)) for place in range(len(sessions))]
    before = export_study(stores, STUDY, tmp_path / "before.zip", until=moment, version="1.0.0")
    for writer in writers:
        writer.start()
    try:
        meanwhile = export_study(stores, STUDY, tmp_path / "meanwhile.zip", until=moment, version="1.0.0")
    finally:
        is_over.set()
        for writer in writers:
            writer.join()

    assert meanwhile.sha256 == before.sha256
    assert (tmp_path / "meanwhile.zip").read_bytes() == (tmp_path / "before.zip").read_bytes()


PAINTING = {"kind": "txt2img", "name": "x", "id": "s1",
            "details": {"prompt": "a robot", "steps": 20, "seed": 7, "image_id": "p", "index": 0,
                        "width": 512, "height": 512}}  # fmt: skip
CUTTING = {"kind": "sam", "name": "sam-predict", "id": "s2", "details": {"mask_id": "m"}}


@pytest.mark.parametrize(
    ("steps", "output", "text"),
    [
        ([PAINTING], {"image_id": "p", "step": "s1", "index": 0}, "a robot\nSteps: 20, Seed: 7, Size: 512x512"),
        ([PAINTING, CUTTING], {"image_id": "c", "step": "s2", "index": 0},
         "a robot\nSteps: 20, Seed: 7, Size: 512x512, Made by: sam sam-predict"),
        ([CUTTING], {"image_id": "c", "step": "s2", "index": 0},
         "a task\nOperation: sketch.create_new, Seed: 3, Made by: sam sam-predict"),
    ],
)  # fmt: skip
def test_every_result_that_is_a_picture_has_parameters(
    steps: list[dict[str, Any]], output: dict[str, Any], text: str
) -> None:
    generation = {"steps": steps, "inputs": {"task": "a task"}, "operation": "sketch.create_new", "seed": 3}

    assert output_text(generation, output) == text
