"""Everything that can be wrong in a settings folder is found, and the message names file and key."""

import shutil
from pathlib import Path

import pytest

from settings.book import SettingsBook
from settings.check import check
from settings.errors import SettingsError
from settings.needs import PresetNeed, PromptNeed

SMALL = Path(__file__).parent / "golden" / "small_settings"
PROMPTS = (
    PromptNeed(
        "greeting",
        frozenset({"person"}),
        frozenset({"mood"}),
        answer_keys=frozenset({"greeting"}),
        direction="mood",
    ),
)
PRESETS = (
    PresetNeed("portrait", frozenset({"person"}), controlnet=True, views=True),
    PresetNeed("repair", frozenset(), inpaint=True),
)

GREETING, PORTRAIT, REPAIR = "prompts/greeting.toml", "presets/portrait.toml", "presets/repair.toml"
CONTROLNET = '[controlnet]\nmodule = "lineart"\nmodel = "control_lineart"'
BACKWARDS = "[controlnet]\nguidance_start = 0.8\nguidance_end = 0.2"
# file, what is replaced by what, the key that the message must name, words that it must have
BROKEN = [
    (GREETING, "max_tokens", "max_token", "max_token", "did you mean 'max_tokens'"),
    (GREETING, "max_tokens = 50", "", "max_tokens", "missing"),
    (GREETING, "= 50", '= "50"', "max_tokens", "whole number"),
    (GREETING, "= 50", "= 0", "max_tokens", "greater than or equal to 1"),
    (GREETING, "= 0.5", "= 2.1", "temperature", "less than or equal to 2, but is 2.1"),
    (GREETING, "= 0.5", "= true", "temperature", "must be a number"),
    (GREETING, "= 0.5", "= ", "", "at line 2, column"),
    (GREETING, '"Greets."', '""', "purpose", "empty"),
    (GREETING, "purpose =", "name = 'x'\npurpose =", "name", "unknown key"),
    (GREETING, "$person", "$persn", "prompt", "did you mean 'person'? (possible here: mood, person)"),
    (GREETING, "$person", "somebody", "prompt", "$person must be used"),
    (GREETING, "$person.", "$person for 5$.", "prompt", "line 1 of the text has a '$'"),
    (GREETING, 'person = "Ada"', "", "example.person", "missing"),
    (GREETING, 'mood = "cheerful"', "", "example.mood", "missing"),
    (GREETING, 'person = "Ada"', 'person = "Ada"\nage = "36"', "example.age", "no variable"),
    (GREETING, 'person = "Ada"', 'person = "Ada"\nmax_tokens = 9', "example.max_tokens", "above [example]"),
    (GREETING, '{"greeting": "the words"}', "", "prompt", "must end with the JSON object"),
    (GREETING, '"the words"}', '"the words",}', "prompt", "must end with the JSON object"),
    (GREETING, '"the words"}', '"the words"} Thank you.', "prompt", "must end with the JSON object"),
    (GREETING, '{"greeting"', '{"greting"', "prompt", "lacks 'greeting'"),
    (GREETING, '{"greeting"', '{"name": "", "greeting"', "prompt", "has 'name'"),
    (PORTRAIT, "steps = 20", "steps = 151", "steps", "less than or equal to 150"),
    (PORTRAIT, "steps = 20", "steps = 20.5", "steps", "whole number"),
    (PORTRAIT, "= 7.0", "= 0.5", "cfg_scale", "greater than or equal to 1"),
    (PORTRAIT, "width = 512", "width = 500", "width", "multiple of 8"),
    (PORTRAIT, "height = 512", "height = 4096", "height", "less than or equal to 2048"),
    (PORTRAIT, "Euler a", "Euler A", "sampler_name", "did you mean 'Euler a'"),
    (PORTRAIT, "Euler a", "k_euler_a", "sampler_name", "unknown sampler"),
    (PORTRAIT, "steps =", 'scheduler = "Karas"\nsteps =', "scheduler", "did you mean 'Karras'"),
    (REPAIR, "steps =", 'scheduler = "Karras"\nsteps =', "scheduler", "says the scheduler already"),
    (PORTRAIT, '"some-model"', '""', "checkpoint", "empty"),
    (PORTRAIT, "negative_prompt", "negativ_prompt", "negative_prompt", "missing"),
    (PORTRAIT, '"blurry"', '"blurry $persn"', "negative_prompt", "unknown variable $persn"),
    (PORTRAIT, "${person}'s", "${person's", "prompt", "line 2 of the text has a '$'"),
    (PORTRAIT, CONTROLNET, "", "controlnet", "an app needs it"),
    (REPAIR, "[example]", f"{CONTROLNET}\n[example]", "controlnet", "nothing to use"),
    (PORTRAIT, 'model = "control_lineart"', "", "controlnet.model", "missing"),
    (PORTRAIT, '"lineart"', '"linart"', "controlnet.module", "did you mean 'lineart'"),
    (PORTRAIT, "[controlnet]", "[controlnet]\nweigth = 1", "controlnet.weigth", "did you mean 'weight'"),
    (PORTRAIT, "[controlnet]", "[controlnet]\nweight = 2.5", "controlnet.weight", "less than or equal to 2"),
    (PORTRAIT, "[controlnet]", "[controlnet]\nresize_mode = 1", "controlnet.resize_mode", "'Just Resize'"),
    (PORTRAIT, "[controlnet]", BACKWARDS, "controlnet.guidance_end", "not be smaller than guidance_start"),
    (PORTRAIT, "[controlnet]", "[controlnet]\nsteps = 9", "controlnet.steps", "above [controlnet]"),
    (PORTRAIT, "[controlnet]", "[controlnett]", "controlnett", "did you mean 'controlnet'"),
    (REPAIR, "mask_blur = 4", "mask_blur = 65", "inpaint.mask_blur", "less than or equal to 64"),
    (REPAIR, "= false", "= 0", "inpaint.inpaint_full_res", "true or false"),
    (REPAIR, "denoising_strength = 0.75", "", "denoising_strength", "missing"),
    (REPAIR, "= 0.75", "= 1.5", "denoising_strength", "less than or equal to 1"),
    ("directions.toml", "mood =", "moood =", "directions.mood", "did you mean 'moood'"),
    ("directions.toml", "mood =", 'other = ["x"]\nmood =', "directions.other", "no app uses"),
    ("directions.toml", '"sleepy"', '"Cheerful"', "directions.mood", "twice"),
    ("directions.toml", '"sleepy"', '""', "directions.mood.entry 2", "empty"),
    ("directions.toml", '["cheerful", "sleepy", "grave"]', "[]", "directions.mood", "empty"),
    ("directions.toml", '["cheerful", "sleepy", "grave"]', '"cheerful"', "directions.mood", "a list"),
    ("views.toml", '"from behind"', "3", "views.back", "text in quotes"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SMALL, tmp_path / "settings"))


def problems_of(folder: Path) -> list[str]:
    return [str(problem) for problem in check(folder, PROMPTS, PRESETS)]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_sound_folder_has_no_problem(folder: Path) -> None:
    assert problems_of(folder) == []


@pytest.mark.parametrize(("file", "old", "new", "key", "words"), BROKEN)
def test_a_broken_file_is_named_with_its_key(folder: Path, file: str, old: str, new: str, key: str, words: str) -> None:
    edit(folder / file, old, new)
    found = [problem for problem in check(folder, PROMPTS, PRESETS) if (problem.file, problem.key) == (file, key)]
    assert any(words in problem.message for problem in found), problems_of(folder)


def test_a_missing_file_is_named_with_the_likely_one(folder: Path) -> None:
    (folder / GREETING).rename(folder / "prompts/greting.toml")
    assert problems_of(folder) == [
        f"{GREETING}: the file is missing, and an app needs it; did you mean 'greting'?",
        "prompts/greting.toml: no app uses this file; remove it or correct its name; did you mean 'greeting'?",
    ]


@pytest.mark.parametrize("file", ["presets/spare.toml", "direction.toml", "preset/portrait.toml"])
def test_a_file_that_no_app_uses_is_a_problem(folder: Path, file: str) -> None:
    (folder / file).parent.mkdir(exist_ok=True)
    shutil.copy(folder / PORTRAIT, folder / file)
    assert problems_of(folder) == [f"{file}: no app uses this file; remove it or correct its name"]


@pytest.mark.parametrize("file", ["directions.toml", "views.toml"])
def test_directions_and_views_must_be_there_if_an_app_needs_them(folder: Path, file: str) -> None:
    (folder / file).unlink()
    assert problems_of(folder) == [f"{file}: the file is missing, and an app needs it"]


@pytest.mark.parametrize("file", ["directions.toml", "views.toml"])
def test_directions_and_views_must_not_be_there_if_no_app_needs_them(folder: Path, file: str) -> None:
    prompts = [PromptNeed("greeting", PROMPTS[0].variables, PROMPTS[0].optional)]
    presets = [PresetNeed("portrait", PRESETS[0].variables, controlnet=True), PRESETS[1]]
    assert file in {problem.file for problem in check(folder, prompts, presets)}


def test_a_missing_folder_is_one_problem(tmp_path: Path) -> None:
    assert len(check(tmp_path / "nowhere", PROMPTS, PRESETS)) == 1


def test_a_file_in_another_encoding_is_named(folder: Path) -> None:
    (folder / GREETING).write_bytes('purpose = "问候"'.encode("gbk"))
    assert problems_of(folder) == [f"{GREETING}: is not UTF-8; save it with that encoding"]


def test_the_byte_order_mark_and_line_ends_of_windows_are_taken(folder: Path) -> None:
    text = (folder / GREETING).read_bytes()
    (folder / GREETING).write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    assert problems_of(folder) == []


def test_loading_a_broken_folder_tells_all_problems_in_one_message(folder: Path) -> None:
    edit(folder / GREETING, "= 0.5", "= 3")
    edit(folder / GREETING, "$person", "$persn")
    edit(folder / PORTRAIT, "steps = 20", "steps = 0")
    with pytest.raises(SettingsError) as caught:
        SettingsBook.load(folder, PROMPTS, PRESETS)
    assert [(problem.file, problem.key) for problem in caught.value.problems] == [
        (PORTRAIT, "steps"),
        (GREETING, "temperature"),
        (GREETING, "prompt"),
        (GREETING, "prompt"),
    ]
    assert all(str(problem) in str(caught.value) for problem in caught.value.problems)


def test_needs_of_two_apps_for_one_file_are_both_checked(folder: Path) -> None:
    other = PromptNeed("greeting", frozenset({"person", "mood", "age"}))
    assert [problem.key for problem in check(folder, (*PROMPTS, other), PRESETS)] == ["prompt", "example.age"]
