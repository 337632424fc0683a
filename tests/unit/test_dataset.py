"""The data set of a study: what its ZIP holds, that it is the same each time, and that the study comes back from it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image
from prov.model import ProvAgent, ProvDocument
from rocrate.rocrate import ROCrate

from apps.research.dataset.columns import stem_of
from apps.research.dataset.importing import import_study
from apps.research.dataset.tables import TABLES
from store.ids import new_id
from store.stores import Stores
from tests.data_sets import lines, made, table
from tests.stores import opened_stores
from tests.study_records import ODD, STUDY, small_study

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def data_set(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Export a small study with everything odd in it, once for all tests that only look."""
    path = tmp_path_factory.mktemp("set") / "small.zip"
    with opened_stores(mongo_uri, f"test_{new_id().lower()}") as stores:
        small_study(stores)
        made(stores, path)
    yield path


@pytest.fixture(scope="module")
def unpacked(data_set: Path) -> Path:
    """Unpack it as anybody would."""
    folder = data_set.parent / "unpacked"
    with zipfile.ZipFile(data_set) as opened:
        opened.extractall(folder)
    return folder


def test_the_same_records_give_the_same_bytes_and_come_back_equal(
    stores: Stores, mongo_uri: str, tmp_path: Path
) -> None:
    small_study(stores)
    made(stores, tmp_path / "one.zip")
    made(stores, tmp_path / "two.zip")
    with opened_stores(mongo_uri, f"test_{new_id().lower()}") as others:
        done = import_study(others, tmp_path / "one.zip")
        made(others, tmp_path / "three.zip")

    assert done.study_id == STUDY
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "three.zip").read_bytes()


def test_an_imported_study_is_equal_record_by_record(stores: Stores, mongo_uri: str, tmp_path: Path) -> None:
    maker = small_study(stores)
    made(stores, tmp_path / "one.zip")
    with opened_stores(mongo_uri, f"test_{new_id().lower()}") as others:
        import_study(others, tmp_path / "one.zip")
        for name in ("assignments", "sessions", "participants", "events", "saved_states", "uploads", "time_records"):
            assert _documents(others, name) == _documents(stores, name), name
        ended = {key: one for key, one in _documents(stores, "generations").items() if one["state"] != "running"}
        assert _documents(others, "generations") == ended
        contents, were = _documents(others, "contents"), _documents(stores, "contents")
        assert contents == {key: were[key] for key in contents}
        # The picture of the generation under way, and one that no record names.
        assert len(were) - len(contents) == 2
        study, was = others.studies.get(STUDY), stores.studies.get(STUDY)
        assert study is not None and was is not None
        # The link to join is a key, and no part of what is passed on.
        assert study.join_key and study.join_key != was.join_key
        assert study.model_copy(update={"join_key": ""}) == was.model_copy(update={"join_key": ""})
    assert maker.number == 3


def _documents(stores: Stores, name: str) -> dict[str, dict[str, Any]]:
    return {one["_id"]: one for one in stores.database.collection(name).find()}


def test_a_table_loads_in_three_lines_and_texts_are_as_they_were_typed(unpacked: Path) -> None:
    events = table(unpacked, "events")

    assert list(events["session_number"].unique()) == [1, 2]
    assert events.groupby("session_id")["seq"].apply(lambda seq: list(seq) == list(range(1, len(seq) + 1))).all()
    assert ODD[0] in set(events["object"])
    assert json.loads(events["inputs"].iloc[list(events["object"]).index(ODD[0])]) == [ODD[1]]
    assert events["at"].is_monotonic_increasing or events.groupby("session_id")["at"].is_monotonic_increasing.all()


def test_every_event_is_in_the_table_exactly_once(unpacked: Path) -> None:
    told = Counter(one["_id"].partition("/")[0] for one in lines(unpacked, "records/events.jsonl"))
    shown = table(unpacked, "events")
    own = shown[shown["verb"].isin(["stage.switch", "generation.shown"])]  # what the pages told

    assert Counter(own["session_id"]) == told


@pytest.mark.parametrize("one", TABLES, ids=lambda one: one.name)
def test_csv_json_lines_and_parquet_have_the_same_rows(unpacked: Path, one: Any) -> None:
    stem = unpacked / "data" / stem_of(STUDY, one)
    rows = [json.loads(line) for line in Path(f"{stem}.jsonl").read_text("utf-8").splitlines()]
    parquet = pd.read_parquet(f"{stem}.parquet")
    with Path(f"{stem}.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file, strict=True))

    assert len(rows) == len(parquet) == len(cells)
    assert list(parquet.columns) == [column.name for column in one.columns]
    for row, cell in zip(rows, cells, strict=True):
        for column in one.columns:
            assert cell[column.name] == _cell(row[column.name]), column.name
    assert parquet["row_id"].is_unique
    assert list(parquet["row_id"]) == [row["row_id"] for row in rows]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)


def test_numbers_of_the_study_are_those_of_its_records(unpacked: Path) -> None:
    sessions, generations = table(unpacked, "sessions"), table(unpacked, "generations")
    held = generations[generations["hold_s"] == 20.0].iloc[0]

    assert list(sessions["generation_count"]) == [2, 3, 0]
    assert list(sessions["failed_count"]) == [0, 1, 0]
    assert list(sessions["canceled_count"]) == [0, 1, 0]
    assert list(sessions["event_count"])[2] == 0
    assert (held["waited_s"], held["shown_s"]) == (3.5, 20.0)
    assert set(generations["state"]) == {"succeeded", "failed", "canceled"}


def test_links_say_which_generation_came_from_which(unpacked: Path) -> None:
    links, images = table(unpacked, "links"), table(unpacked, "images")
    link = links.iloc[0]

    assert (len(links), link["from_position"], link["to_position"]) == (1, 1, 2)
    [image] = json.loads(link["via_images"])
    assert images.set_index("image").loc[image, "generation_id"] == link["parent_id"]


def test_every_picture_is_there_under_its_hash_with_its_parameters(unpacked: Path) -> None:
    images = table(unpacked, "images").set_index("image")

    # Three drawn by generations, one that only a save names, a JPEG, and a drawing.
    assert Counter(images["image_role"]) == {"output": 3, "step": 1, "upload": 1, "input": 1, "other": 1}
    for name, row in images.iterrows():
        content = (unpacked / row["file"]).read_bytes()
        assert row["file"].startswith("images/part-0001/")
        assert (hashlib.sha256(content).hexdigest() == name) != bool(row["parameters_added"])
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            if row["image_role"] == "output":
                parameters = str(picture.info["parameters"])
                assert parameters.startswith("a robot, 机器人\nNegative prompt: color\nSteps: 20, Sampler: DPM++ 2M")
                assert "Seed: 4000000000, Size: 16x16, Model hash: 31e35c80fc" in parameters
    assert images.loc[images["image_role"] == "input", "parameters_added"].tolist() == [False]


def test_names_of_participants_and_the_link_to_join_are_nowhere(data_set: Path) -> None:
    with zipfile.ZipFile(data_set) as opened:
        for name in opened.namelist():
            content = opened.read(name)
            assert b"geheim" not in content, name
            assert b"secret-join-key" not in content, name


def test_the_manifest_has_every_file(data_set: Path) -> None:
    with zipfile.ZipFile(data_set) as opened:
        manifest = json.loads(opened.read("manifest.json"))
        told = {one["path"]: (one["size"], one["sha256"]) for one in manifest["files"]}
        found = {name: opened.read(name) for name in opened.namelist() if name != "manifest.json"}

    assert told == {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in found.items()}
    assert manifest["schema_versions"]["generations"] == 2
    assert manifest["records"]["generations"] == 5


def test_every_column_is_in_the_codebook_and_the_description(unpacked: Path) -> None:
    book = pd.read_csv(unpacked / "codebook.csv", keep_default_na=False)
    description = json.loads((unpacked / "dataset_description.json").read_text("utf-8"))
    told = {one["name"]: one for one in description["variableMeasured"]}

    for one in TABLES:
        frame = table(unpacked, one.name)
        assert list(book[book["table"] == one.name]["name"]) == list(frame.columns)
        assert set(frame.columns) <= set(told)
    assert all(one["description"] and one["additionalType"] for one in told.values())
    assert (book["meaning"] != "").all() and (book["type"] != "").all()


def test_a_column_means_the_same_in_every_table() -> None:
    told: dict[str, tuple[Any, ...]] = {}
    for one in TABLES:
        for column in one.columns:
            meaning = (column.type, column.meaning, column.unit, column.allowed)
            assert told.setdefault(column.name, meaning) == meaning, (one.name, column.name)


def test_values_are_those_that_the_codebook_allows(unpacked: Path) -> None:
    for one in TABLES:
        frame = table(unpacked, one.name)
        for column in one.columns:
            if column.allowed:
                assert set(frame[column.name].dropna()) <= set(column.allowed), (one.name, column.name)


@pytest.mark.parametrize("one", TABLES, ids=lambda one: one.name)
def test_only_those_values_are_missing_of_which_the_codebook_says_what_it_means(unpacked: Path, one: Any) -> None:
    rows = lines(unpacked, f"data/{stem_of(STUDY, one)}.jsonl")

    for column in one.columns:
        if not column.missing:
            assert all(row[column.name] is not None for row in rows), (one.name, column.name)


def test_provenance_is_prov_and_leads_from_a_picture_to_its_model(unpacked: Path) -> None:
    whole = ProvDocument.deserialize(str(unpacked / "provenance" / "prov.json"), format="json")
    [first, *_] = sorted((unpacked / "provenance" / "sessions").iterdir())
    session = ProvDocument.deserialize(str(first), format="json")
    labels = {str(agent.label) for agent in session.get_records(ProvAgent)}

    assert len(list(whole.get_records(ProvAgent))) == 4
    assert {"gpt-4-0613", "sd_xl_base_1.0 [31e35c80fc]"} <= labels


def test_the_crate_is_read_by_its_library(unpacked: Path) -> None:
    crate = ROCrate(unpacked)

    assert crate.name == "Robots, 机器人"
    assert crate.dereference("METHODS.md") is not None
    files = [entity.id for entity in crate.data_entities if not entity.id.endswith("/")]
    assert all((unpacked / path).is_file() for path in files)
    assert (unpacked / "ro-crate-preview.html").read_text("utf-8").startswith("<!doctype html>")
    assert "<b>helps</b>" not in (unpacked / "ro-crate-preview.html").read_text("utf-8")


def test_the_paragraph_on_methods_has_the_numbers(unpacked: Path) -> None:
    text = (unpacked / "METHODS.md").read_text("utf-8")

    assert "3 sessions of 40 planned" in text
    assert "1 completed, 0 withdrew, 2 were not ended" in text
    assert "gpt-4-0613" in text and "sd_xl_base_1.0 [31e35c80fc]" in text
    assert "| 模型 B | 2 | 0 | 0 | 2 | 3 | 1 | 1 | 3.50 [3.50, 3.50] | 20.00 [20.00, 20.00] | fixed" in text
