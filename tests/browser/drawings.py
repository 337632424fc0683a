"""Drawings made with the mouse, and whether a picture follows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

Point = tuple[int, int]
REACH = 8
"""How far from the drawn line its counterpart may lie, in pixels; a ControlNet is no copying machine."""


@dataclass(frozen=True)
class Drawing:
    """Closed lines of straight pieces, in pixels of the canvas."""

    lines: tuple[tuple[Point, ...], ...]

    def followed_by(self, picture: Image.Image) -> float:
        """The part of the drawing, from 0 to 1, that has dark strokes of the picture beside it."""
        grey = np.asarray(picture.convert("L"), dtype=np.int16)
        dark = grey < np.median(grey) - 60
        return float(np.mean([_near(dark, point) for line in self.lines for point in _points(line)]))


HOUSE = Drawing((((110, 400), (110, 230), (256, 110), (400, 230), (400, 400), (110, 400)),))
TOWER = Drawing((((230, 60), (290, 60), (290, 450), (230, 450), (230, 60)),))
"""Two drawings that hardly touch, so that a picture cannot follow both."""


def _points(line: tuple[Point, ...]) -> list[Point]:
    pieces = zip(line, line[1:], strict=False)
    return [(round(x), round(y)) for (x0, y0), (x1, y1) in pieces
            for x, y in zip(np.linspace(x0, x1, 40), np.linspace(y0, y1, 40), strict=True)]  # fmt: skip


def _near(dark: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], point: Point) -> bool:
    x, y = point
    return bool(dark[max(0, y - REACH) : y + REACH + 1, max(0, x - REACH) : x + REACH + 1].any())
