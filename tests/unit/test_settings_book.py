"""The loaded settings: rendering, directions, views, and edits that are picked up."""

import logging
import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.book import SettingsBook
from settings.errors import SettingsError
from settings.needs import PresetNeed, PromptNeed

SMALL = Path(__file__).parent / "golden" / "small_settings"
PROMPTS = (PromptNeed("greeting", frozenset({"person"}), frozenset({"mood"}), direction="mood"),)
PRESETS = (
    PresetNeed("portrait", frozenset({"person"}), controlnet=True, views=True),
    PresetNeed("repair", frozenset(), inpaint=True),
)


@pytest.fixture
def book() -> SettingsBook:
    return SettingsBook.load(SMALL, PROMPTS, PRESETS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SMALL, tmp_path / "settings"))


@pytest.fixture
def live_book(folder: Path) -> SettingsBook:
    return SettingsBook.load(folder, PROMPTS, PRESETS, reload=True)


def rewrite(folder: Path, old: str, new: str) -> None:
    path = folder / "prompts/greeting.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_prompt_is_rendered_with_its_name_hash_and_parameters(book: SettingsBook) -> None:
    template = book.prompt("greeting")
    rendered = template.render(person="Grace", mood="")
    assert rendered.text == 'Greet Grace. \nAnswer:\n{"greeting": "the words"}'
    assert (rendered.name, rendered.hash) == ("greeting", template.hash)
    assert (rendered.temperature, rendered.max_tokens) == (0.5, 50)


def test_a_preset_is_rendered_on_one_line_with_its_parameters(book: SettingsBook) -> None:
    rendered = book.preset("portrait").render(person="Grace")
    assert rendered.prompt == "portrait of Grace, Grace's desk"
    assert rendered.negative_prompt == "blurry"
    assert rendered.preset is book.preset("portrait")


def test_what_controlnet_needs_has_the_webui_defaults(book: SettingsBook) -> None:
    controlnet = book.preset("portrait").controlnet
    assert controlnet is not None
    assert controlnet.model_dump() == {
        "module": "lineart", "model": "control_lineart", "weight": 1.0, "resize_mode": "Crop and Resize",
        "control_mode": "Balanced", "guidance_start": 0.0, "guidance_end": 1.0, "processor_res": 512,
        "threshold_a": -1.0, "threshold_b": -1.0, "pixel_perfect": False,
    }  # fmt: skip


@given(person=st.text(), mood=st.text())
def test_values_stand_in_the_text_unchanged_whatever_they_hold(person: str, mood: str) -> None:
    template = SettingsBook.load(SMALL, PROMPTS, PRESETS).prompt("greeting")
    assert f"Greet {person}. {mood}\nAnswer:" in template.render(person=person, mood=mood).text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mood": "calm"}, "prompts/greeting.toml: $person: no value was given"),
        (
            {"person": "Ada", "mood": "", "prson": ""},
            "$prson: is no variable of this file; did you mean 'person'?",
        ),
    ],
)
def test_a_missing_or_unknown_variable_is_refused_by_name(
    book: SettingsBook, values: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        book.prompt("greeting").render(**values)
    assert message in str(caught.value)


def test_unknown_names_are_refused_with_the_likely_one(book: SettingsBook) -> None:
    with pytest.raises(SettingsError, match=r"prompts/greting.toml: there is no 'greting'.*'greeting'"):
        book.prompt("greting")
    with pytest.raises(SettingsError, match=r"presets/portait.toml: .*'portrait'"):
        book.preset("portait")
    with pytest.raises(SettingsError, match=r"directions.toml: directions.moods: .*'mood'"):
        book.directions().phrase("moods", 0)


def test_directions_go_round(book: SettingsBook) -> None:
    assert [book.directions().phrase("mood", index) for index in (0, 1, 2, 3, 301)] == [
        "cheerful", "sleepy", "grave", "cheerful", "sleepy",
    ]  # fmt: skip


def test_views_come_in_the_order_of_the_file(book: SettingsBook) -> None:
    assert [(view.name, view.phrase) for view in book.views().as_tuple()] == [
        ("left", "from the left"),
        ("back", "from behind"),
    ]


def test_the_hash_changes_with_the_content_and_not_with_the_layout(folder: Path) -> None:
    def hash_now() -> str:
        return SettingsBook.load(folder, PROMPTS, PRESETS).prompt("greeting").hash

    before = hash_now()
    rewrite(folder, "max_tokens = 50", "# a remark\nmax_tokens   =   50")
    assert hash_now() == before
    rewrite(folder, "Greet", "Welcome")
    assert hash_now() != before
    assert len(before) == 64


def test_an_edit_is_picked_up_with_reload_only(folder: Path, live_book: SettingsBook) -> None:
    still_book = SettingsBook.load(folder, PROMPTS, PRESETS)
    rewrite(folder, "Greet", "Welcome")
    assert live_book.prompt("greeting").prompt.startswith("Welcome")
    assert still_book.prompt("greeting").prompt.startswith("Greet")


def test_a_broken_edit_is_logged_once_and_the_last_good_state_stays(
    folder: Path, live_book: SettingsBook, caplog: pytest.LogCaptureFixture
) -> None:
    rewrite(folder, "temperature", "temprature")
    for _ in range(3):
        assert live_book.prompt("greeting").temperature == 0.5
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "prompts/greeting.toml: temprature: unknown key; did you mean 'temperature'?" in errors[0]
    rewrite(folder, "temprature = 0.5", "temperature = 0.75")
    assert live_book.prompt("greeting").temperature == 0.75


def test_a_removed_file_leaves_the_last_good_state(folder: Path, live_book: SettingsBook) -> None:
    (folder / "views.toml").unlink()
    assert len(live_book.views().as_tuple()) == 2


def test_many_threads_see_an_edit_whole(folder: Path, live_book: SettingsBook) -> None:
    start = threading.Barrier(8)
    seen: list[tuple[str, str]] = []

    def look() -> None:
        start.wait(timeout=10)
        for _ in range(20):
            rendered = live_book.prompt("greeting").render(person="Ada", mood="")
            seen.append((rendered.text.split()[0], rendered.hash))

    hash_before = live_book.prompt("greeting").hash
    rewrite(folder, "Greet", "Welcome")
    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(seen) == 160
    assert {word for word, _ in seen} == {"Welcome"}
    assert {hash_ for _, hash_ in seen}.isdisjoint({hash_before})
