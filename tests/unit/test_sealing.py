"""What is sealed of a study, and what counts as another than was sealed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from agent.models import Model
from apps.sealing import Content, Difference, Facts, content_of, differences, hash_of, text_of, unknown

pytestmark = pytest.mark.unit

STUDY: dict[str, Any] = {"name": "s", "conditions": [{"id": "a", "hold": {"kind": "none"}}], "planned": None}
MODEL = Model("checkpoint", "realistic", "gpu-1", "aaaaaaaaaabbbb")
FACTS = Facts(
    files={"prompt:brief": "11", "views:views": "22"},
    models=(MODEL, Model("checkpoint", "other", "gpu-1", "cc"), Model("controlnet", "lineart", "gpu-1", "dd")),
    services={"chat": "openai/gpt-4o", "server": "1.0.0"},
)
NEEDED = {("checkpoint", "realistic"), ("controlnet", "lineart")}


def _sealed(facts: Facts = FACTS) -> Content:
    # As it is read back: by way of its text.
    content: Content = json.loads(text_of(content_of(STUDY, facts, NEEDED)))
    return content


def _now(**changes: Any) -> list[Difference]:
    return differences(_sealed(), STUDY, replace(FACTS, **changes))


def test_nothing_is_different_at_first() -> None:
    assert _now() == []


def test_equal_contents_have_equal_hashes_in_whatever_order_they_were_found() -> None:
    turned = Facts(
        dict(reversed(FACTS.files.items())), tuple(reversed(FACTS.models)), dict(reversed(FACTS.services.items()))
    )

    assert hash_of(text_of(content_of(STUDY, turned, NEEDED))) == hash_of(text_of(content_of(STUDY, FACTS, NEEDED)))


def test_only_the_models_that_are_needed_are_sealed() -> None:
    assert _sealed()["models"] == {"checkpoint:realistic": {"gpu-1": MODEL.hash}, "controlnet:lineart": {"gpu-1": "dd"}}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"files": {"prompt:brief": "99", "views:views": "22"}}, Difference("prompt", "brief", "11", "99")),
        ({"files": {"views:views": "22"}}, Difference("prompt", "brief", "11", None)),
        ({"files": {**FACTS.files, "preset:new": "33"}}, Difference("preset", "new", None, "33")),
        ({"services": {**FACTS.services, "server": "2.0.0"}}, Difference("service", "server", "1.0.0", "2.0.0")),
        (
            {"models": (*FACTS.models, replace(MODEL, instance="gpu-2", hash="ff"))},
            Difference("checkpoint", "realistic on gpu-2", MODEL.hash, "ff"),
        ),
        (
            {"models": (replace(MODEL, hash="ff"),)},
            Difference("checkpoint", "realistic on gpu-1", MODEL.hash, "ff"),
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_another_than_was_sealed_is_named(changes: dict[str, Any], found: Difference) -> None:
    assert _now(**changes) == [found]


@pytest.mark.parametrize(
    "models",
    [
        (),
        (MODEL, replace(MODEL, instance="gpu-2")),
        (replace(MODEL, hash=""),),
        (replace(MODEL, hash=MODEL.hash[:10]),),
        (Model("checkpoint", "other", "gpu-1", "changed"),),
    ],
    ids=["a WebUI left", "one joined with the same", "not known", "its first letters", "a model that is not needed"],
)
def test_what_makes_the_same_pictures_is_no_difference(models: tuple[Model, ...]) -> None:
    assert _now(models=models) == []


def test_each_changed_field_of_the_study_is_named() -> None:
    changed = {**STUDY, "conditions": [{"id": "a", "hold": {"kind": "fixed"}}], "planned": 4}

    found = differences(_sealed(), changed, FACTS)

    assert [(one.what, one.name) for one in found] == [("study", "conditions"), ("study", "planned")]
    assert (found[1].sealed, found[1].now) == ("null", "4")


def test_a_hash_that_nobody_knew_is_named_and_cannot_be_compared() -> None:
    sealed = _sealed(replace(FACTS, models=(replace(MODEL, hash=""),)))

    assert unknown(sealed) == ["checkpoint:realistic", "controlnet:lineart"]
    assert differences(sealed, STUDY, FACTS) == []
