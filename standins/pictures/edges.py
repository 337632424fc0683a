"""Where a picture changes sharply: hard edges against soft shadows, strokes against hatching, drawing against photo."""

import numpy as np

from standins.pictures import grids
from standins.pictures.grids import Grid, Mask

HARD = 0.009
"""Sharpness from which a place belongs to a hard edge: a cast shadow's penumbra stays below it."""

REACH = 4
"""Pixels from the middle of a stroke to the paper beside it."""


def sharpness(grey: Grid) -> Grid:
    """How much each pixel differs from its nearest surroundings: high on both sides of a hard edge, low on slopes."""
    return np.asarray(np.abs(grey - grids.blur(grey, 1)), dtype=np.float32)


def strokes(grey: Grid) -> Grid:
    """Pen and pencil lines from 0 to 1, dashes joined: dark with paper on both sides, so that hatching stays out."""
    even = grids.blur(grey, 1)  # hatching becomes a plain tone
    wide = np.pad(even, REACH, mode="edge")
    high, long = grey.shape
    depth = np.zeros_like(even)
    for down, across in ((0, REACH), (REACH, 0), (3, 3), (3, -3)):
        row, column = REACH + down, REACH + across
        one = wide[row : row + high, column : column + long]
        row, column = REACH - down, REACH - across
        np.maximum(depth, np.minimum(one, wide[row : row + high, column : column + long]) - even, out=depth)
    lines = np.clip((depth - 0.05) * 7, 0, 1)
    joined = grids.erode(grids.dilate(lines > 0.25, 2), 2)
    lines = np.maximum(lines, 0.6 * joined)
    return np.asarray(lines * np.clip((grids.blur(lines, 4) - 0.08) * 16, 0, 1), dtype=np.float32)  # no specks


def outlines(grey: Grid) -> Grid:
    """The ridges of the slope at hard edges, from 0 to 1: the lines that a draughtsman would trace."""
    down, across = np.gradient(grids.blur(grey, 1))
    slope = np.hypot(down, across)
    padded = np.pad(slope, 1)
    left, right, above, below = padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1]
    is_steep = np.abs(down) > np.abs(across)
    is_ridge = np.where(is_steep, (slope >= above) & (slope > below), (slope >= left) & (slope > right))
    is_hard = grids.dilate(sharpness(grey) > HARD * 0.9)
    return np.asarray(np.clip((slope - 0.008) * 34, 0, 1) * is_ridge * is_hard, dtype=np.float32)


def is_drawing(grey: Grid) -> bool:
    """Whether this is strokes on plain bright paper: little else but paper, and what is dark is thin."""
    paper = float(np.median(grey))
    ink = grey < paper - 0.2
    is_plain = float(np.mean(np.abs(grey - paper) < 0.06)) > 0.6
    return paper > 0.88 and is_plain and ink.mean() > 3e-3 and bool(grids.erode(ink, 3).sum() < 0.12 * ink.sum())


def closed(seen: Mask, gap: int) -> Mask:
    """Gaps bridged, what is enclosed filled."""
    return grids.erode(grids.filled(grids.dilate(seen, gap)), gap) | seen


def solid(seen: Mask, gap: int) -> Mask:
    """The largest closed thing, gaps bridged, a pixel taken off all around."""
    core = grids.erode(closed(seen, gap), 1)
    return grids.largest_blob(grids.dilate(core, 1)) & core
