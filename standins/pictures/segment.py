"""Find the object in a picture: ground estimated from the border, distance to it, largest blob, holes filled."""

import numpy as np
from PIL import Image

from standins.pictures import grids
from standins.pictures.codec import flat
from standins.pictures.grids import Grid, Mask

SIDE = 208
NO_DITHER = Image.Dither.NONE
SMALLEST, LARGEST = 0.004, 0.97
"""Parts of the picture between which a blob counts as an object."""


def distance_to_ground(image: Image.Image) -> Grid:
    """How far each pixel is from the ground's colour, at SIDE x SIDE; smooth shadows count little."""
    colours = grids.from_image(flat(image), (SIDE, SIDE))
    return np.minimum(_distance(colours, _bent_ground(colours)), _distance(colours, _ground_by_rows(colours)))


def _bent_ground(colours: Grid) -> Grid:
    """A ground that changes smoothly: a surface of second degree through the border, outliers left out."""
    rows, across = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j].astype(np.float32)
    terms = np.stack([np.ones_like(rows), rows, across, rows**2, across**2, rows * across], -1)
    rim = grids.dilate(grids.border((SIDE, SIDE)), 4)
    typical = np.abs(colours[rim] - np.median(colours[rim], axis=0)).sum(axis=1) < 0.35
    points, values = terms[rim][typical], colours[rim][typical]
    fit = np.linalg.solve(points.T @ points + 1e-3 * np.eye(6, dtype=np.float32), points.T @ values)
    return np.asarray(terms @ fit, dtype=np.float32)


def _ground_by_rows(colours: Grid) -> Grid:
    """A ground that changes from row to row, as with a horizon."""
    sides = np.concatenate([colours[:, :5], colours[:, -5:]], axis=1)
    return np.asarray(np.median(sides, axis=1)[:, None, :], dtype=np.float32)


def _distance(colours: Grid, ground: Grid) -> Grid:
    difference = colours - ground
    light = difference.mean(axis=2)
    chroma = np.abs(difference - light[:, :, None]).sum(axis=2)
    down, across = np.gradient(colours.mean(axis=2))
    is_smooth = np.clip(1.2 - grids.blur(np.hypot(down, across), 1) * 40, 0, 1)
    darker = np.clip(-light, 0, None) * np.where((light > -0.4) & (chroma < 0.06), 1 - 0.9 * is_smooth, 1)
    far: Grid = (np.clip(light, 0, None) * 1.5 + darker + chroma).astype(np.float32)
    return far


def object_mask(image: Image.Image) -> Mask | None:
    """The object's silhouette at SIDE x SIDE, or None if the picture shows none."""
    distance = distance_to_ground(image)
    strong = float(np.quantile(distance, 0.995))
    if strong < 0.05:
        return None
    seen = distance > max(0.04, min(0.12, strong * 0.3))
    solid = _closed(seen, 4)
    if seen.sum() > 0.6 * solid.sum():  # surfaces, not strokes: less to bridge
        solid = _closed(seen, 2)
    blob = grids.largest_blob(grids.dilate(grids.erode(solid, 1), 1))
    part = blob.mean()
    return grids.filled(blob) if SMALLEST < part < LARGEST else None


def _closed(seen: Mask, gap: int) -> Mask:
    """Gaps bridged, what is enclosed filled."""
    return grids.erode(grids.filled(grids.dilate(seen, gap)), gap) | seen


def candidates(image: Image.Image) -> list[Image.Image]:
    """Three masks in the picture's size: a tight one, the object, a loose one. Empty if nothing is found."""
    mask = object_mask(image)
    if mask is None:
        return []
    tight = grids.erode(mask, 3)
    masks = (tight if tight.any() else mask, mask, grids.dilate(mask, 3))
    return [_in_size(one, image.size) for one in masks]


def _in_size(mask: Mask, size: tuple[int, int]) -> Image.Image:
    soft = grids.to_image(mask.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    return soft.point(lambda grey: 255 if grey > 127 else 0)


def cut_out(image: Image.Image, mask: Image.Image) -> Image.Image:
    """The object alone, everything else transparent."""
    out = Image.new("RGBA", image.size, (0, 0, 0, 0))
    out.paste(image.convert("RGBA"), (0, 0), mask)
    return out


def blended(image: Image.Image, mask: Image.Image) -> Image.Image:
    """The picture with the mask laid over it in blue."""
    tint = Image.new("RGBA", image.size, (30, 144, 255, 255))
    base = image.convert("RGBA")
    return Image.composite(Image.blend(base, tint, 0.6), base, mask)
