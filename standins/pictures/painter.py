"""From a wish to a picture: choose what to show, from where, in which style."""

import numpy as np
from PIL import Image

from standins.pictures import grids, relief, scenes, styles
from standins.pictures.reading import UNKNOWN, Reading, read
from standins.pictures.relief import Relief, View
from standins.pictures.scenes import Colours
from standins.pictures.structure import Structure
from standins.pictures.wish import Wish


def paint(wish: Wish) -> Image.Image:
    """The picture in the wished size, without mark, before it is mixed with an init image."""
    reading, side = read(wish.prompt), max(wish.size)
    structure = next((one for one in wish.structures if "inpaint" not in one.module + one.model), None)
    if reading.scene and (wish.mask is not None or (not reading.has_product and structure is None)):
        picture = grids.to_image(scenes.paint(reading.scene, wish.prompt, wish.dice("scene")))
        return picture.resize((side, side), Image.Resampling.BICUBIC).resize(wish.size)
    return _cropped(_product(wish, reading, structure, side), wish.size)


def _product(wish: Wish, reading: Reading, structure: Structure | None, side: int) -> Image.Image:
    shape = _relief(wish, reading, structure)
    size = (side, side) if structure is None else wish.size
    if reading.style == "sketch":
        return styles.sketch(shape, size, wish.dice("hand"))
    if reading.style == "clay":
        return styles.clay(shape, size)
    if reading.style == "normals":
        return styles.normals(shape, size)
    return styles.photo(shape, _materials(wish, reading), _ground(wish, reading, shape), size)


def _relief(wish: Wish, reading: Reading, structure: Structure | None) -> Relief:
    if structure is not None:
        return relief.of_structure(structure)
    dice = wish.dice("form")
    chooser = int.from_bytes(reading.nouns.encode()[-4:] or b"\0", "big") % len(UNKNOWN)
    build = reading.build or UNKNOWN[chooser]
    view = reading.view or View(float(dice.uniform(-48, 48)), float(dice.uniform(10, 28)))
    # Views of one product must show the same product, so its form must not depend on the words of the view.
    form = np.random.default_rng(abs(wish.seed)) if reading.view else dice
    return relief.of_solids(build(form), view, fill=0.72)


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
        picture = scenes.paint(reading.scene, wish.prompt, wish.dice("scene"))
        picture = np.stack([grids.blur(picture[:, :, channel], 2) for channel in range(3)], -1)
        return picture * (1 - 0.4 * shape.shadow)[:, :, None]
    warm = float(wish.dice("ground").uniform(-0.02, 0.02))
    return styles.studio((0.9 + warm, 0.9, 0.9 - warm), shape, 0.5)


def _cropped(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The middle of a square picture in the wished size."""
    if picture.size == size:
        return picture
    left, top = (picture.width - size[0]) // 2, (picture.height - size[1]) // 2
    return picture.crop((left, top, left + size[0], top + size[1]))
