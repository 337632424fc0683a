"""The looks of a relief: pencil sketch, white clay, product photo, normal map. All return SIDE x SIDE x 3 and are
composed in the picture's size, so that rims stay sharp."""

import numpy as np
from PIL import Image

from standins.pictures import grids
from standins.pictures.grids import Grid
from standins.pictures.relief import SIDE, Relief
from standins.pictures.scenes import Colours, Dice

Direction = tuple[float, float, float]
KEY, SOFT = (-0.5, 0.75, 0.6), (0.7, 0.2, 0.5)


def _laid(relief: Relief, surface: Colours, ground: Colours, size: tuple[int, int]) -> Image.Image:
    """Put the surface onto the ground in the picture's size, its rim smoothed."""
    mask = grids.blur(relief.covered.astype(np.float32), 1)
    inner = _spread(surface, relief)
    front, back = (grids.to_image(part).resize(size, Image.Resampling.BICUBIC) for part in (inner, ground))
    soft = grids.to_image(mask).resize(size, Image.Resampling.BICUBIC)
    return Image.composite(front, back, soft.point(lambda grey: max(0, min(255, (grey - 90) * 3))))


def _spread(surface: Colours, relief: Relief) -> Colours:
    """Carry the colours of the rim outwards, so that enlarging mixes no ground into them."""
    known = relief.covered.copy()
    out = surface * known[:, :, None]
    for _ in range(3):
        for shift in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            moved = np.roll(known, shift, (0, 1)) & ~known
            out[moved] = np.roll(out, shift, (0, 1))[moved]
            known |= moved
    return out


def _hollows(relief: Relief) -> Grid:
    """Ambient occlusion: how much lower a pixel lies than its surroundings."""
    depth = np.where(relief.covered, relief.depth, relief.depth[relief.covered].min() if relief.covered.any() else 0)
    around = grids.blur(depth.astype(np.float32), 6)
    return np.asarray(np.clip((around - depth) * 5, 0, 0.5), dtype=np.float32)


def studio(tone: tuple[float, float, float], relief: Relief, strength: float) -> Colours:
    """A seamless ground: lighter in the middle, the product's shadow on it."""
    rows, across = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    glow = 1.04 - 0.1 * (across**2 + (rows + 0.2) ** 2) - 0.05 * np.clip(rows, 0, 1)
    ground = np.array(tone, np.float32) * glow[:, :, None].astype(np.float32)
    shaded: Colours = np.clip(ground * (1 - strength * relief.shadow)[:, :, None], 0, 1).astype(np.float32)
    return shaded


def _shade(relief: Relief) -> Grid:
    """What the input picture knows of light and dark, or else the hollows of the relief."""
    return 1 - 0.7 * _hollows(relief) if relief.shade is None else relief.shade


def _falloff(key: Direction) -> Grid:
    """Lighter on the lamp's side of the picture; nothing for the usual lamp."""
    if key == KEY:
        return np.ones((SIDE, SIDE), np.float32)
    rows, across = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    return np.asarray(1 + 0.16 * key[0] * across - 0.12 * key[1] * rows, dtype=np.float32)


def clay(relief: Relief, size: tuple[int, int], key: Direction = KEY, warmth: float = 0.0) -> Image.Image:
    """A matte white model on light grey."""
    light = 0.56 + 0.38 * np.clip(relief.facing(*key), 0, 1) + 0.14 * np.clip(relief.facing(*SOFT), 0, 1)
    light = light * _shade(relief) * _falloff(key) - 0.1 * relief.lines
    tint = np.array([1.0 + 0.5 * warmth, 0.995, 0.985 - 0.5 * warmth], np.float32)
    surface = np.clip(np.clip(light, 0, 1)[:, :, None] * tint, 0, 1)
    tone = 0.84 + 2 * warmth
    return _laid(relief, surface.astype(np.float32), studio((tone, tone, tone + 0.01), relief, 0.45), size)


def photo(
    relief: Relief, colours: Colours, ground: Colours, size: tuple[int, int], key: Direction = KEY
) -> Image.Image:
    """Coloured materials with a highlight; `colours` is the table of materials."""
    base = colours[relief.materials]
    facing = np.clip(relief.facing(*key), 0, 1)
    light = 0.32 + 0.68 * facing + 0.2 * np.clip(relief.facing(*SOFT), 0, 1)
    glance = (key[0] * 0.7, key[1] * 0.8, key[2] + 0.35)
    shine = np.clip(relief.facing(*glance), 0, 1) ** 28 * (0.55 if relief.shade is None else 0.3)
    rim = np.clip(1 - relief.normals[:, :, 2], 0, 1) ** 3 * 0.18
    sky = np.clip(relief.normals[:, :, 1], 0, 1) * 0.08
    dim = (1 - _hollows(relief) if relief.shade is None else relief.shade) * _falloff(key)
    surface = base * (light * dim)[:, :, None] + (shine + rim * facing + sky)[:, :, None]
    surface = surface * (1 - 0.3 * relief.lines)[:, :, None]
    return _laid(relief, np.clip(surface, 0, 1).astype(np.float32), ground, size)


def normals(relief: Relief, size: tuple[int, int]) -> Image.Image:
    """The normal map's usual colours on white."""
    surface = (relief.normals * 0.5 + 0.5).astype(np.float32)
    return _laid(relief, surface, np.ones((SIDE, SIDE, 3), np.float32), size)


def sketch(relief: Relief, size: tuple[int, int], dice: Dice) -> Image.Image:
    """Pencil on paper: lines drawn twice with a slightly unsteady hand, hatching in the shade."""
    strokes = np.maximum(_wobbled(relief.lines, dice, 1.3), 0.55 * _wobbled(relief.lines, dice, 2.6))
    light = np.clip(relief.facing(*KEY), 0, 1) * (1 if relief.shade is None else relief.shade)
    rows, across = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    lean, pace = (0.9, 1.25) if relief.shade is None else (float(dice.uniform(-1.2, 1.2)), float(dice.uniform(1, 1.4)))
    hatch = np.clip(np.sin((across + rows * lean) * pace + dice.uniform(0, 6)) * 1.4, 0, 1)
    cross = np.clip(np.sin((across - rows * 0.8) * 1.25) * 1.4, 0, 1)
    shade = np.clip(0.62 - light, 0, 1) * hatch * 0.75 + np.clip(0.28 - light, 0, 1) * cross * 0.9
    cast = np.clip(relief.shadow - 0.25, 0, 1) * hatch * 0.5 * ~relief.covered
    pressure = 0.75 + 0.25 * grids.enlarge(dice.random((12, 12)).astype(np.float32), (SIDE, SIDE))
    # Lines are softened before they are enlarged and hardened after it: so they show no steps.
    soft, fine = grids.blur(strokes * pressure, 1), (shade * relief.covered + cast).astype(np.float32)
    edges = np.clip((grids.enlarge(soft.astype(np.float32), size) - 0.2) * 3.2, 0, 0.95)
    ink = np.maximum(edges, np.clip(grids.enlarge(fine, size) * 1.35 - 0.12, 0, 0.8))[:, :, None]
    paper, graphite = np.array([0.985, 0.98, 0.97], np.float32), np.array([0.2, 0.2, 0.23], np.float32)
    return grids.to_image((paper + (graphite - paper) * ink).astype(np.float32))


def _wobbled(lines: Grid, dice: Dice, reach: float) -> Grid:
    """The same lines, each point moved a little, smoothly."""
    field = [grids.enlarge(dice.random((9, 9)).astype(np.float32), (SIDE, SIDE)) - 0.5 for _ in range(2)]
    rows, across = np.mgrid[0:SIDE, 0:SIDE]
    rows = np.clip(rows + np.round(field[0] * 2 * reach), 0, SIDE - 1).astype(np.int32)
    across = np.clip(across + np.round(field[1] * 2 * reach), 0, SIDE - 1).astype(np.int32)
    return np.asarray(lines[rows, across], dtype=np.float32)
