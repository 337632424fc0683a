"""Find the object in a picture: ground estimated from the border, hard edges, largest closed blob, holes cut out."""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from standins.pictures import edges, grids
from standins.pictures.codec import flat
from standins.pictures.grids import Colours, Grid, Mask

SIDE = 256
NO_DITHER = Image.Dither.NONE
SMALLEST, LARGEST = 0.004, 0.97
"""Parts of the picture between which a blob counts as an object."""
SMALLEST_HOLE = 0.0012


def _bent_ground(colours: Colours) -> Colours:
    """A ground that changes smoothly: a surface of second degree through the border, outliers left out."""
    rows, across = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j].astype(np.float32)
    terms = np.stack([np.ones_like(rows), rows, across, rows**2, across**2, rows * across], -1)
    rim = grids.dilate(grids.border((SIDE, SIDE)), 4)
    typical = np.abs(colours[rim] - np.median(colours[rim], axis=0)).sum(axis=1) < 0.35
    points, values = terms[rim][typical], colours[rim][typical]
    fit = np.linalg.solve(points.T @ points + 1e-3 * np.eye(6, dtype=np.float32), points.T @ values)
    return np.asarray(terms @ fit, dtype=np.float32)


def _ground_by_rows(colours: Colours) -> Colours:
    """A ground that changes from row to row, as with a horizon."""
    sides = np.concatenate([colours[:, :5], colours[:, -5:]], axis=1)
    return np.asarray(np.median(sides, axis=1)[:, None, :], dtype=np.float32)


def _distance(difference: Colours, is_hard: Mask) -> Grid:
    """How far each pixel is from the ground's colour; a grey darkening without a hard edge is a shadow, so near."""
    light = difference.mean(axis=2)
    chroma = np.abs(difference - light[:, :, None]).sum(axis=2)
    may_be_shadow = (light > -0.45) & (chroma < 0.08) & ~is_hard
    darker = np.clip(-light, 0, None) * np.where(may_be_shadow, 0.1, 1)
    far: Grid = (np.clip(light, 0, None) * 1.5 + darker + chroma).astype(np.float32)
    return far


def object_mask(image: Image.Image) -> Mask | None:
    """The object's silhouette at SIDE x SIDE with the holes one sees through, or None if the picture shows none."""
    colours = grids.from_image(flat(image), (SIDE, SIDE))
    grey = np.ascontiguousarray(colours.mean(axis=2))
    blob = _drawn(grey) if edges.is_drawing(grey) else _photographed(colours, grey)
    return blob if SMALLEST < blob.mean() < LARGEST else None


def _drawn(grey: Grid) -> Mask:
    """All that is not paper, but only as far as strokes reach: a hatched shadow beside the object lies beyond them."""
    lines = edges.strokes(grey)
    ink = (grey < float(np.median(grey)) - 0.08) | (lines > 0.3)
    inked, loose = edges.solid(ink, 4), edges.solid(ink, 7)
    if inked.sum() < 0.95 * loose.sum():  # the outline has a wider gap, and the inside ran out
        inked = loose
    strokes = (lines > 0.3) & grids.dilate(inked, 2)
    between = _between(strokes, 1)
    middle = int(np.flatnonzero(inked.any(axis=1)).mean()) if inked.any() else 0
    between[middle:] &= _between(strokes, 0)[middle:]
    reached = grids.largest_blob(edges.closed(inked & between, 3) & inked)
    whole = reached if reached.sum() > 0.8 * inked.sum() else inked
    even = grids.blur(whole.astype(np.float32), 2) > 0.5  # a pencil line is ragged, the thing is not
    return even & ~_open_fields(grey, lines, even)


def _open_fields(grey: Grid, lines: Grid, whole: Mask) -> Mask:
    """What a hatched drawing leaves white inside a handle: the highest field without hatching in a narrow frame."""
    bare, whole = (grey > float(np.median(grey)) - 0.05)[::2, ::2], whole[::2, ::2]  # half the size is enough
    hole, top = np.zeros_like(whole), SIDE
    strokes = np.maximum(np.maximum(lines[::2, ::2], lines[1::2, 1::2]), np.maximum(lines[1::2, ::2], lines[::2, 1::2]))
    left = grids.erode(whole & (strokes < 0.2))
    left &= ~grids.largest_blob(left)
    for _ in range(3 * ((whole & ~bare).sum() > 0.12 * whole.sum())):
        field = grids.largest_blob(left)
        if field.sum() < 0.0025 * field.size:
            break
        near = grids.dilate(field, 3)
        beyond = grids.dilate(near, 7) & ~grids.dilate(near, 5)
        is_framed = bool(whole[near].all()) and whole[beyond].mean() < 0.95
        row = int(field.any(axis=1).argmax())
        if is_framed and row < top and bare[field].mean() > 0.96 and field.sum() < 0.2 * whole.sum():
            hole, top = grids.dilate(field, 1), row
        left &= ~field
    return grids.enlarge(grids.blur(hole.astype(np.float32), 1), (SIDE, SIDE)) > 0.45


def _between(strokes: Mask, axis: int) -> Mask:
    """What has a stroke before and after it along an axis; strokes bridge the gaps that a pencil leaves."""
    line = strokes.copy()
    for step in (1, 2, 4):
        line |= np.roll(line, step, 1 - axis) | np.roll(line, -step, 1 - axis)
    after = np.flip(np.maximum.accumulate(np.flip(line, axis), axis), axis)
    return np.asarray(np.maximum.accumulate(line, axis) & after)


def _photographed(colours: Colours, grey: Grid) -> Mask:
    differences = [colours - ground for ground in (_bent_ground(colours), _ground_by_rows(colours))]
    sharp = edges.sharpness(grey)
    near_edge = grids.dilate(sharp > edges.HARD, 1)
    far = np.minimum(*(_distance(difference, near_edge) for difference in differences))
    if float(np.quantile(far, 0.995)) < 0.05:
        return np.zeros((SIDE, SIDE), dtype=bool)
    seen = (sharp > edges.HARD) | (far > max(0.04, min(0.12, float(np.quantile(far, 0.995)) * 0.3)))
    blob = edges.solid(seen, 2)  # sharpness lies on both sides of an edge
    return blob & ~_holes(blob, _like_ground(differences[0], blob), sharp > edges.HARD)


def _like_ground(difference: Colours, blob: Mask) -> Mask:
    """What has the colour of the ground about the object; the estimate from the border is mended for that."""
    light = difference.mean(axis=2)
    chroma = np.abs(difference - light[:, :, None]).max(axis=2)
    open_ground = (~grids.dilate(blob, 3) & (np.abs(light) < 0.1)).astype(np.float32)
    error = grids.blur(light * open_ground, 40) / np.maximum(grids.blur(open_ground, 40), 0.02)
    return np.asarray((np.abs(light - error) < 0.03) & (chroma < 0.05))


def _holes(blob: Mask, like_ground: Mask, is_hard: Mask) -> Mask:
    """Parts of the object that show the ground and have a hard rim all around, as inside a handle."""
    left = grids.erode(blob, 1) & like_ground & ~is_hard
    holes = np.zeros_like(blob)
    for _ in range(4):
        if left.sum() < SMALLEST_HOLE * SIDE * SIDE:
            break
        hole = grids.largest_blob(grids.dilate(grids.erode(left, 1), 1) & left)
        if hole.sum() < SMALLEST_HOLE * SIDE * SIDE:
            break
        rim = grids.dilate(hole, 2) & ~hole
        is_inside = blob[grids.dilate(hole, 5)].mean() > 0.99
        if is_inside and grids.dilate(is_hard, 1)[rim].mean() > 0.8:
            holes |= grids.dilate(hole, 1)
        left &= ~hole
    return holes


def candidates(image: Image.Image) -> list[Image.Image]:
    """Three masks in the picture's size: a tight one, the object, a loose one. Empty if nothing is found."""
    mask = object_mask(image)
    if mask is None:
        return []
    tight = grids.erode(mask, 3)
    masks = (tight if tight.any() else mask, mask, grids.dilate(mask, 3))
    ground = _shown_ground(image)
    return [_in_size(one, image.size, ground) for one in masks]


def _shown_ground(image: Image.Image) -> Image.Image:
    """White, in the picture's size, where a pixel has just the colour of the ground."""
    picture = flat(image)
    small = _bent_ground(grids.from_image(picture, (SIDE, SIDE)))
    ground = grids.to_image(small).resize(image.size, Image.Resampling.BILINEAR)
    away = ImageChops.difference(picture, ground).split()
    furthest = ImageChops.lighter(ImageChops.lighter(away[0], away[1]), away[2])
    return furthest.point(lambda grey: 255 if grey < 24 else 0)


def _in_size(mask: Mask, size: tuple[int, int], ground: Image.Image) -> Image.Image:
    """Smooth, and a little inside the outline: the outermost pixels are the old ground's or mixed with it."""
    hard = _enlarged(mask, size)
    if min(size) < SIDE:
        return hard
    trimmed = ImageChops.lighter(_enlarged(grids.erode(mask, 2), size), ImageChops.subtract(hard, ground))
    return trimmed.filter(ImageFilter.MinFilter(3))


def _enlarged(mask: Mask, size: tuple[int, int]) -> Image.Image:
    soft = grids.to_image(grids.blur(mask.astype(np.float32), 1)).resize(size, Image.Resampling.BICUBIC)
    return soft.point(lambda grey: 255 if grey > 150 else 0)


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
