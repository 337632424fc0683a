"""What a run does at the same time, and what it does once only."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

import jobs.masking
from agent.images import CutOut, on_white
from agent.sam import Segmentation
from jobs.masking import Masking
from jobs.run import Run
from jobs.submission import Image as Kept
from jobs.views import Views
from tests.stand_ins import picture

pytestmark = pytest.mark.unit

MASK = picture(64, 48, "L")


def _meeting(met: threading.Barrier, result: Any) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> Any:
        met.wait(5)
        return result

    return call


def test_the_canvas_is_prepared_while_the_subject_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    met, run = threading.Barrier(2), object.__new__(Run)
    monkeypatch.setattr(run, "subject", _meeting(met, "chair"), raising=False)
    monkeypatch.setattr(run, "canvas", _meeting(met, b"canvas"), raising=False)

    assert run.subject_and_canvas("model_view") == ("chair", b"canvas")


def test_the_picture_is_decoded_while_its_object_is_being_found(monkeypatch: pytest.MonkeyPatch) -> None:
    met, masking = threading.Barrier(2), object.__new__(Masking)
    monkeypatch.setattr(masking, "find", _meeting(met, Segmentation(MASK, 1)), raising=False)
    monkeypatch.setattr(jobs.masking, "on_white", _meeting(met, on_white(picture())))

    cut_out = masking.cut_out(picture(), "chair")

    with Image.open(io.BytesIO(cut_out.white_bytes)) as alone:
        assert (alone.mode, alone.size) == ("RGB", (64, 48))


class _Studio:
    """Stands in for the painting and the record of a run, and counts what is fitted."""

    def __init__(self) -> None:
        self.fitted_bytes: list[bytes] = []
        self.structures: list[bytes] = []

    def fitted(self, preset: str, image_bytes: bytes) -> bytes:
        """Remember what was to be fitted."""
        self.fitted_bytes.append(image_bytes)
        return b"fitted for " + preset.encode()

    def paint(self, _preset: str, index: int, *, structure: bytes, **_: str) -> Kept:
        """Remember what was to be followed."""
        self.structures.append(structure)
        return Kept(f"{index:064}")

    @contextmanager
    def step(self, *_: Any, **__: Any) -> Iterator[None]:
        """Record nothing."""
        yield

    def show(self, *_: Any) -> None:
        """Show nothing."""


def test_all_views_follow_one_picture_that_is_fitted_once() -> None:
    studio: Any = _Studio()
    named = SimpleNamespace(hash="h", as_tuple=lambda: [SimpleNamespace(name=str(i), phrase=str(i)) for i in range(6)])
    parts: Any = SimpleNamespace(multiview=None)
    given: Any = SimpleNamespace(versions=SimpleNamespace(views=lambda: named))
    cut_out = CutOut(on_white(picture()), MASK)

    images = Views(parts, studio, studio, 1, given).of(cut_out, "chair")

    assert [int(image.image_id) for image in images] == [0, 1, 2, 3, 4, 5]
    assert studio.fitted_bytes == [cut_out.white_bytes]
    assert studio.structures == [b"fitted for model_view"] * 6
