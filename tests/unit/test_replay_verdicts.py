"""The verdict about a generation and its repetition, and why: on records and pictures made for it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from apps.research.replaying import likeness
from apps.research.replaying.judging import judge, not_replayed
from apps.research.replaying.shapes import Judgement
from standins.pictures import Wish, draw
from store.documents import ErrorRecord, GenerationInputs, GenerationRecord, Output, StepRecord

pytestmark = pytest.mark.unit

PROMPTS = ("a garden chair, line sketch", "a lamp, white model, clay render", "a drone in a field, product photograph")
USED = {
    "sd_model_name": "a",
    "sd_model_hash": "h1",
    "sampler_name": "Euler a",
    "scheduler": None,
    "version": "v1",
    "random_source": "GPU",
}
ASKED = {"index": 0, "preset": "sketch_create_new", "preset_hash": "p1", "prompt": "a chair", "seed": 7, "batch": 1}


def _png(picture: Image.Image, **more: Any) -> bytes:
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "PNG", **more)
    return buffer.getvalue()


def _drawn(prompt: str, seed: int) -> bytes:
    return _png(draw(Wish(prompt, seed=seed, size=(512, 512))))


def _noisy(content: bytes, sigma: float) -> bytes:
    values = np.asarray(Image.open(io.BytesIO(content)), float)
    noise = np.random.default_rng(1).normal(0, sigma, values.shape)
    return _png(Image.fromarray(np.clip(values + noise, 0, 255).astype("uint8")))


def _record(picture: str = "", *, text: str = "", state: str = "succeeded", **details: Any) -> GenerationRecord:
    used = {**USED, **details.pop("used", {})}
    step = StepRecord(
        kind="txt2img", name="sketch_create_new", details={**ASKED, "instance": "gpu-1", "used": used, **details}
    )
    outputs = [Output(kind="image", image_id=picture)] if picture else []
    outputs += [Output(kind="text", text=text, index=1)] if text else []
    error = ErrorRecord(type="PoolTimeoutError", message="all were busy") if state == "failed" else None
    return GenerationRecord(
        app_id=1, participant_id="p", operation="sketch.create_new", inputs=GenerationInputs(task="a chair"),
        state=state, steps=(step,), outputs=tuple(outputs), seed=7, error=error,
    )  # type: ignore[arg-type]  # fmt: skip


def _judged(old: GenerationRecord, new: GenerationRecord, **pictures: bytes) -> Judgement:
    return judge(old, new, pictures.get)


def _codes(judgement: Judgement) -> list[str]:
    return [reason.code for reason in judgement.why]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_pictures_of_other_seeds_differ_and_those_with_a_little_noise_are_similar(prompt: str) -> None:
    pictures = [_drawn(prompt, seed) for seed in (1, 2, 3)]
    others = [likeness.of_pictures(pictures[0], other).score for other in pictures[1:]]
    noisy = [likeness.of_pictures(pictures[0], _noisy(pictures[0], sigma)).score for sigma in (1, 3, 8)]

    assert max(others) < likeness.SIMILAR_FROM - 0.1
    assert min(noisy) >= likeness.SIMILAR_FROM
    assert noisy == sorted(noisy, reverse=True)
    assert likeness.of_pictures(pictures[0], pictures[0]).score == 1.0


@pytest.mark.parametrize(
    ("old", "new", "is_similar"),
    [
        ('{"痛点": "收纳不便"}', '{"痛点": "收纳很不便"}', True),
        ('{"pain": "hard to store away"}', '{"pain": "heavy in the hand"}', False),
        ("", "", True),
    ],
)
def test_texts_are_compared_word_by_word(old: str, new: str, is_similar: bool) -> None:
    assert (likeness.of_texts(old, new).score >= likeness.SIMILAR_FROM) is is_similar


def test_equal_outputs_need_no_reason_and_the_facts_that_differ_are_told_all_the_same() -> None:
    found = _judged(_record("a"), _record("a", instance="gpu-2"))

    assert (found.verdict, found.score, found.why) == ("equal", 1.0, [])
    assert [(one.what, one.old, one.new) for one in found.differences] == [("instance", "gpu-1", "gpu-2")]


def test_a_similar_picture_of_another_instance_says_so_and_that_noise_is_what_is_left() -> None:
    old = _drawn(PROMPTS[0], 1)

    found = _judged(_record("a"), _record("b", instance="gpu-2"), a=old, b=_noisy(old, 3))

    assert found.verdict == "similar"
    assert found.score is not None
    assert likeness.SIMILAR_FROM <= found.score < 1
    assert _codes(found) == ["instance", "random_source"]


@pytest.mark.parametrize(
    ("details", "code"),
    [
        ({"checkpoint": "other"}, "checkpoint"),
        ({"used": {"sd_model_hash": "h2"}}, "model_hash"),
        ({"used": {"random_source": "CPU"}}, "random_source"),
        ({"preset_hash": "p2"}, "preset_version"),
        ({"seed": 8}, "seed"),
        ({"batch": 2}, "batch"),
        ({"prompt": "a stool"}, "prompt"),
        ({"not_applied": {"controlnet_0": {"asked": "x", "used": None}}}, "not_applied"),
        ({}, "unexplained"),
    ],
)
def test_another_picture_has_its_reason(details: dict[str, Any], code: str) -> None:
    pictures = {"a": _drawn(PROMPTS[0], 1), "b": _drawn(PROMPTS[0], 2)}

    found = _judged(_record("a"), _record("b", **details), **pictures)

    assert found.verdict == "differs"
    assert _codes(found)[0] == code


def test_what_an_older_record_does_not_know_is_no_reason() -> None:
    pictures = {"a": _drawn(PROMPTS[0], 1), "b": _drawn(PROMPTS[0], 2)}

    found = _judged(_record("a", used={"random_source": None}), _record("b"), **pictures)

    assert _codes(found) == ["unexplained"]


def test_the_same_pixels_in_another_file_are_as_good_as_equal() -> None:
    picture = draw(Wish(PROMPTS[0], seed=1, size=(64, 64)))
    pictures = {"a": _png(picture, compress_level=1), "b": _png(picture, compress_level=9)}

    found = _judged(_record("a"), _record("b"), **pictures)

    assert (found.verdict, found.score, _codes(found)) == ("similar", 1.0, ["encoding"])


def test_another_size_is_told_and_never_similar() -> None:
    picture = draw(Wish(PROMPTS[0], seed=1, size=(256, 256)))
    pictures = {"a": _png(picture), "b": _png(picture.resize((128, 128)))}

    found = _judged(_record("a"), _record("b"), **pictures)

    assert found.verdict == "differs"
    assert "size" in _codes(found)


def test_fewer_results_differ() -> None:
    found = _judged(_record("a", text="x"), _record("a"))

    assert found.verdict == "differs"
    assert [pair.verdict for pair in found.outputs] == ["equal", "missing"]
    assert "output_missing" in _codes(found)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("succeeded", "failed", "failed"),
        ("failed", "succeeded", "recovered"),
        ("failed", "failed", "failed_again"),
    ],
)
def test_failures_have_verdicts_of_their_own(old: str, new: str, verdict: str) -> None:
    found = _judged(_record("a", state=old), _record("a", state=new))

    assert found.verdict == verdict
    assert _codes(found) == ["error"]


def test_a_picture_that_is_not_kept_any_more_cannot_be_compared() -> None:
    found = _judged(_record("a"), _record("b"), b=_drawn(PROMPTS[0], 1))

    assert (found.verdict, found.score) == ("differs", None)
    assert "gone" in _codes(found)


def test_what_was_not_replayed_shows_the_session_alone() -> None:
    found = not_replayed(_record("a", state="canceled"), "was_canceled", "it was canceled")

    assert (found.verdict, found.new) == ("not_replayed", None)
    assert [(pair.old, pair.new, pair.verdict) for pair in found.outputs] == [("a", None, None)]


def test_a_judgement_is_read_back_as_it_was_written() -> None:
    old = _drawn(PROMPTS[0], 1)
    found = _judged(_record("a"), _record("b", seed=8), a=old, b=_noisy(old, 3))

    assert Judgement.model_validate_json(found.model_dump_json(exclude_defaults=True)) == found
