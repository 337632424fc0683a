"""From a wish to a picture: choose what to show, from where, in which style."""

import re
import zlib
from dataclasses import replace

import numpy as np
from PIL import Image

from standins.pictures import grids, relief, scenes, styles
from standins.pictures.reading import SCENES, UNKNOWN, Reading, read
from standins.pictures.relief import Relief, View
from standins.pictures.scenes import Colours
from standins.pictures.structure import Structure
from standins.pictures.wish import Wish


def paint(wish: Wish) -> Image.Image:
    """The picture in the wished size, without mark, before it is mixed with an init image."""
    reading, side = read(wish.prompt), max(wish.size)
    structure = next((one for one in wish.structures if "inpaint" not in one.module + one.model), None)
    is_around = wish.mask is not None and (reading.scene is not None or reading.build is None)
    if is_around or (not reading.has_product and structure is None):
        picture = grids.to_image(_place(wish, reading))
        return picture.resize((side, side), Image.Resampling.BICUBIC).resize(wish.size)
    return _cropped(_product(wish, reading, structure, side), wish.size)


def _place(wish: Wish, reading: Reading) -> Colours:
    dice = wish.dice("scene")
    return scenes.paint(reading.scene or str(dice.choice(list(SCENES))), wish.prompt, dice)


def _product(wish: Wish, reading: Reading, structure: Structure | None, side: int) -> Image.Image:
    shape = _relief(wish, reading, structure)
    if reading.style == "sketch":
        return styles.sketch(shape, (side, side), wish.dice("hand"))
    key, warmth = (styles.KEY, 0.0) if structure is None else _lamp(wish)
    if structure is not None:
        shape = replace(shape, shadow=np.roll(shape.shadow, round(-14 * key[0]), axis=1))
    if reading.style == "clay":
        return styles.clay(shape, (side, side), key, warmth)
    if reading.style == "normals":
        return styles.normals(shape, (side, side))
    return styles.photo(shape, _materials(wish, reading), _ground(wish, reading, shape), (side, side), key)


def _lamp(wish: Wish) -> tuple[styles.Direction, float]:
    """Where the light of this seed comes from and how warm it is: the form of a given picture must not vary."""
    dice = wish.dice("lamp")
    side = float(dice.choice([-0.9, -0.45, 0.2, 0.75])) + float(dice.uniform(-0.12, 0.12))
    return (side, float(dice.uniform(0.4, 0.9)), 0.55), float(dice.uniform(-0.02, 0.03))


def _relief(wish: Wish, reading: Reading, structure: Structure | None) -> Relief:
    """A strong structure is the picture's form; a weak one, with a view in the prompt, only gives its proportions."""
    if structure is not None and (reading.view is None or structure.weight >= STRONG):
        return relief.of_structure(structure)
    dice = wish.dice("form")
    chooser = int.from_bytes(reading.nouns.encode()[-4:] or b"\0", "big") % len(UNKNOWN)
    build = reading.build or UNKNOWN[chooser]
    if reading.view is None:
        return relief.of_solids(build(dice), View(float(dice.uniform(-48, 48)), float(dice.uniform(10, 28))), fill=0.72)
    # Views of one product must show the same product: its form depends on the picture given, or on the seed alone.
    source = abs(wish.seed) if structure is None else zlib.crc32(structure.image.tobytes())
    solids = build(np.random.default_rng(source))
    return relief.of_solids(solids, reading.view, 0.72, structure.proportion if structure else None)


STRONG = 0.7
"""The weight of a ControlNet unit from which its lines are binding."""
PALETTES = (
    ((0.86, 0.85, 0.82), (0.9, 0.5, 0.16)), ((0.24, 0.34, 0.42), (0.93, 0.72, 0.2)),
    ((0.42, 0.55, 0.5), (0.93, 0.9, 0.83)), ((0.72, 0.34, 0.25), (0.93, 0.87, 0.77)),
    ((0.9, 0.78, 0.52), (0.3, 0.36, 0.4)), ((0.34, 0.5, 0.66), (0.94, 0.94, 0.92)),
    ((0.55, 0.57, 0.6), (0.85, 0.22, 0.2)), ((0.91, 0.9, 0.89), (0.2, 0.52, 0.56)),
    ((0.32, 0.42, 0.3), (0.85, 0.7, 0.4)), ((0.64, 0.46, 0.31), (0.25, 0.28, 0.3)),
    ((0.83, 0.6, 0.56), (0.96, 0.93, 0.9)), ((0.2, 0.21, 0.24), (0.2, 0.66, 0.72)),
)  # fmt: skip
"""Body and accent colours that products really have."""


def _materials(wish: Wish, reading: Reading) -> Colours:
    """The table of colours by material: body, accent, dark, metal, light."""
    dice = wish.dice("colours")
    body, accent = PALETTES[int(dice.integers(len(PALETTES)))]
    shift = dice.uniform(-0.04, 0.04, 3)
    table = [reading.colour or tuple(body + shift), accent, (0.17, 0.18, 0.2), (0.62, 0.64, 0.67), (0.9, 0.93, 0.95)]
    return np.clip(np.array(table, np.float32), 0, 1)


def _ground(wish: Wish, reading: Reading, shape: Relief) -> Colours:
    if reading.scene:
        picture = _place(wish, reading)
        picture = np.stack([grids.blur(picture[:, :, channel], 2) for channel in range(3)], -1)
        return picture * (1 - 0.4 * shape.shadow)[:, :, None]
    warm = float(wish.dice("ground").uniform(-0.02, 0.02))
    is_white = re.search(r"white (?:seamless )?background", wish.prompt) is not None
    light, shadow = (0.97, 0.25) if is_white else (0.9, 0.5)
    return styles.studio((light + warm, light, light - warm), shape, shadow)


def _cropped(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The middle of a square picture in the wished size."""
    if picture.size == size:
        return picture
    left, top = (picture.width - size[0]) // 2, (picture.height - size[1]) // 2
    return picture.crop((left, top, left + size[0], top + size[1]))
