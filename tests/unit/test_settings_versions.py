"""Versions of the data files: the text of one can be had, and the same version can be built from its text."""

import shutil
from pathlib import Path

import pytest

from apps.registry import PRESETS, PROMPTS
from settings.book import File, SettingsBook
from settings.errors import SettingsError
from settings.needs import PromptNeed

pytestmark = pytest.mark.unit

SHIPPED = Path(__file__).parents[2] / "settings"
SMALL = Path(__file__).parent / "golden" / "small_settings"
GREETING = PromptNeed("greeting", frozenset({"person"}), frozenset({"mood"}), direction="mood")


@pytest.fixture(scope="module")
def book() -> SettingsBook:
    return SettingsBook.load(SHIPPED, PROMPTS, PRESETS)


def _same(book: SettingsBook, file: File) -> bool:
    again = book.former(file, file.source)
    return again == file and again.hash == file.hash


@pytest.mark.parametrize("name", [need.name for need in PROMPTS])
def test_a_prompt_can_be_built_again_from_its_text(book: SettingsBook, name: str) -> None:
    assert _same(book, book.prompt(name))


@pytest.mark.parametrize("name", [need.name for need in PRESETS])
def test_a_preset_can_be_built_again_from_its_text(book: SettingsBook, name: str) -> None:
    assert _same(book, book.preset(name))


def test_directions_and_views_can_be_built_again_from_their_texts(book: SettingsBook) -> None:
    assert _same(book, book.directions())
    assert _same(book, book.views())


def test_the_text_of_a_version_is_the_file_as_the_designer_wrote_it(book: SettingsBook) -> None:
    written = (SHIPPED / "presets" / "model_view.toml").read_text(encoding="utf-8")

    assert book.preset("model_view").source == written
    assert "# Low weight" in written


def test_a_former_version_renders_as_it_did_then(book: SettingsBook) -> None:
    today = book.prompt("scene")
    source = today.source.replace("temperature = ", "temperature = 0.125 # ")

    former = book.former(today, source)

    assert (former.name, former.temperature) == ("scene", 0.125)
    assert former.hash != today.hash
    assert former.prompt == today.prompt


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("$task", "the task"), r"prompts/scene.toml: prompt: the variable \$task must be used"),
        (('"prompt"', '"prose"'), "lacks 'prompt'"),
        (("max_tokens", "max_token"), "did you mean 'max_tokens'"),
        (("purpose = ", "purpose "), "is not valid TOML"),
    ],
    ids=["a variable is missing", "another answer", "a key is wrong", "no TOML"],
)
def test_a_version_that_the_apps_of_today_cannot_use_is_refused_by_name(
    book: SettingsBook, change: tuple[str, str], message: str
) -> None:
    today = book.prompt("scene")

    with pytest.raises(SettingsError, match=message):
        book.former(today, today.source.replace(*change))


def test_a_preset_version_without_its_controlnet_is_refused(book: SettingsBook) -> None:
    today = book.preset("model_view")
    source = today.source[: today.source.index("[controlnet]")] + today.source[today.source.index("[example]") :]

    with pytest.raises(
        SettingsError, match=r"presets/model_view.toml: controlnet: the table \[controlnet\] is missing"
    ):
        book.former(today, source)


def test_directions_without_a_kind_that_an_app_needs_are_refused(book: SettingsBook) -> None:
    with pytest.raises(SettingsError, match=r"directions.toml: directions.scene: is missing"):
        book.former(
            book.directions(), 'purpose = "x"\n[directions]\nbrief = ["a"]\nreference = ["a"]\nextend = ["a"]\n'
        )


def test_every_value_of_directions_and_views_is_in_their_hashes(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "settings", ignore=shutil.ignore_patterns("*.py")))
    before = SettingsBook.load(folder, PROMPTS, PRESETS)
    for name, old, new in (("directions", '"safety:', '"safe:'), ("views", "from behind", "behind")):
        path = folder / f"{name}.toml"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    after = SettingsBook.load(folder, PROMPTS, PRESETS)

    assert after.directions().hash != before.directions().hash
    assert after.views().hash != before.views().hash


def test_files_that_no_app_asked_for_are_said_to_be_unread(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SMALL, tmp_path / "settings"))
    shutil.rmtree(folder / "presets")
    (folder / "views.toml").unlink()
    book = SettingsBook.load(folder, [GREETING], [])

    with pytest.raises(SettingsError, match=r"views.toml: no app asked for this file"):
        book.views()
