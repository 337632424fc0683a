"""The shipped prompts and presets: they keep the conventions, and their renders are the golden ones.

After a wanted change, `UPDATE_GOLDEN=1` in the environment writes the golden files anew; look at their
differences before you commit them.
"""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from apps.registry import PRESETS, PROMPTS
from settings.agreement import skeleton_of
from settings.book import SettingsBook
from settings.check import check
from settings.needs import PromptNeed

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "settings"
GOLDEN = HERE / "golden"


PROMPT_NAMES = [need.name for need in PROMPTS]
PRESET_NAMES = [need.name for need in PRESETS]
LOOKS = {
    "sketch": ("line sketch", "line drawing"),
    "model": ("white clay model",),
    "rendering": ("product photography",),
}


@pytest.fixture(scope="module")
def book() -> SettingsBook:
    return SettingsBook.load(SHIPPED, PROMPTS, PRESETS)


def compare(path: Path, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_the_shipped_settings_have_no_problem() -> None:
    assert check(SHIPPED, PROMPTS, PRESETS) == []


@pytest.mark.parametrize("name", PROMPT_NAMES)
def test_a_prompt_renders_as_its_golden_file(book: SettingsBook, name: str) -> None:
    template = book.prompt(name)
    rendered = template.render(**template.example)
    head = f"temperature {rendered.temperature}, max_tokens {rendered.max_tokens}\n\n"
    compare(GOLDEN / "prompts" / f"{name}.txt", head + rendered.text + "\n")


@pytest.mark.parametrize("name", [need.name for need in PROMPTS if "texts" in need.variables])
def test_a_prompt_reads_well_when_nothing_is_selected(book: SettingsBook, name: str) -> None:
    template = book.prompt(name)
    text = template.render(**{**template.example, "texts": ""}).text
    assert "selected: []" in text
    compare(GOLDEN / "prompts" / f"{name}_without_texts.txt", text + "\n")


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_a_preset_renders_as_its_golden_file(book: SettingsBook, name: str) -> None:
    rendered = book.preset(name).render(**book.preset(name).example)
    parameters = rendered.preset.model_dump(
        exclude={"name", "hash", "purpose", "example", "prompt", "negative_prompt"}, exclude_none=True
    )
    content = {"prompt": rendered.prompt, "negative_prompt": rendered.negative_prompt, **parameters}
    compare(GOLDEN / "presets" / f"{name}.json", json.dumps(content, ensure_ascii=False, indent=2) + "\n")


@pytest.mark.parametrize("need", [need for need in PROMPTS if need.answer_keys], ids=lambda need: need.name)
def test_a_prompt_ends_with_the_sentence_and_the_skeleton(book: SettingsBook, need: PromptNeed) -> None:
    text = book.prompt(need.name).render(**book.prompt(need.name).example).text
    sentence = "\nAnswer with one JSON object of exactly this form and nothing else:\n"
    assert text.count(sentence) == 1
    assert skeleton_of(text) == json.loads(text.split(sentence)[1])
    if "task" in need.variables:
        assert "\nDesign task: 为独居老人设计一款安全易用的电热水壶\n" in text


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_a_preset_says_its_representation(book: SettingsBook, name: str) -> None:
    representation = name.split("_")[0]
    for other, phrases in LOOKS.items():
        has_phrase = any(phrase in book.preset(name).prompt for phrase in phrases)
        assert has_phrase == (other == representation)


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_a_rendered_preset_is_short_enough_to_be_read_by_the_image_model(book: SettingsBook, name: str) -> None:
    rendered = book.preset(name).render(**book.preset(name).example)
    # CLIP reads 75 tokens at a time; words and commas are a fair lower estimate of their number.
    assert len(re.findall(r"\w+|,", rendered.prompt)) <= 75


@pytest.mark.parametrize("kind", ["brief", "reference", "extend", "scene"])
def test_there_are_a_dozen_directions_of_each_kind(book: SettingsBook, kind: str) -> None:
    assert len({book.directions().phrase(kind, index) for index in range(12)}) == 12


def test_the_six_views_are_those_of_the_multi_view_service(book: SettingsBook) -> None:
    assert [view.name for view in book.views().as_tuple()] == [
        "front",
        "front_right",
        "right",
        "back",
        "left",
        "front_left",
    ]


def test_the_rules_for_extending_a_brief_are_all_told(book: SettingsBook) -> None:
    text = book.prompt("brief_extend").prompt
    for rule in (
        "目标人群 → 8 目标人群, 3 痛点, 3 使用场景\n",
        "使用场景 → 8 使用场景, 3 目标人群, 3 主要功能\n",
        "痛点 → 8 痛点, 3 主要功能\n",
        "主要功能 → 8 主要功能, 3 外观造型, 3 结构, 3 现有技术\n",
        "结构 → 8 外观造型, 3 结构, 3 现有技术\n",
        "现有技术 → 8 现有技术\n",
    ):
        assert rule in text


def test_the_readme_for_designers_names_every_file_and_variable() -> None:
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    names = {need.name for need in (*PROMPTS, *PRESETS)}
    variables = {f"${name}" for need in (*PROMPTS, *PRESETS) for name in need.variables | need.optional}
    assert [word for word in sorted(names | variables) if f"`{word}`" not in readme] == []


def test_the_error_messages_in_the_readme_are_the_real_ones(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "settings"))
    for file, right, wrong in (
        ("presets/sketch_create_new.toml", "steps = ", "setps = "),
        ("prompts/scene.toml", "$direction", "$diretcion"),
    ):
        text = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text(text.replace(right, wrong), encoding="utf-8")
    messages = "\n".join(str(problem) for problem in check(folder, PROMPTS, PRESETS))
    assert f"```\n{messages}\n```" in (SHIPPED / "README.md").read_text(encoding="utf-8")
