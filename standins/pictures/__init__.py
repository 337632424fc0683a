"""The stand-in's painter: pictures that look like their representation and depend on every input.

prompt ─► reading ─► solids ─► relief ─┐
structure (ControlNet) ──────► relief ─┴► style (sketch, clay, photo, normals) ─► picture
scene words ─► scene ───────────────────────────────────────────────────────────► picture
init image, mask ─► blend
"""

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from standins.pictures.codec import flat
from standins.pictures.painter import paint
from standins.pictures.structure import Structure, detected_map
from standins.pictures.wish import Wish

__all__ = ["Structure", "Wish", "detected_map", "draw", "grid", "half_done"]


def draw(wish: Wish) -> Image.Image:
    """The picture of a wish, RGB, in the wished size, marked as a stand-in's."""
    picture = _mark(_plain(wish) if wish.is_plain else paint(wish))
    if wish.init is None:
        return picture
    init = flat(wish.init).resize(wish.size)
    if wish.mask is None:
        return _mark(Image.blend(init, picture, min(1.0, max(0.0, wish.denoising_strength))))
    mask = wish.mask.resize(wish.size).convert("L").point(lambda grey: 255 * (grey > 127))
    feather = _repainted(mask, wish.mask_blur)
    return Image.composite(picture, _spread(init, mask), feather)


def _repainted(mask: Image.Image, mask_blur: int) -> Image.Image:
    """Soft on the repainted side of the seam only, so that what is kept is kept exactly."""
    inner = mask.filter(ImageFilter.GaussianBlur(mask_blur / 3)).point(lambda grey: max(0, 2 * grey - 255))
    return Image.composite(inner, Image.new("L", mask.size, 0), mask)


def _spread(init: Image.Image, mask: Image.Image) -> Image.Image:
    """What is kept, its rim's colours carried outwards: else the old ground would shine about it as a light rim."""
    kept = ImageChops.invert(mask)
    black = Image.new("RGB", init.size)
    colours = np.asarray(Image.composite(init, black, kept).filter(ImageFilter.BoxBlur(3)), np.float32)
    share = np.asarray(kept.filter(ImageFilter.BoxBlur(3)), np.float32)[:, :, None] / 255
    around = np.clip(colours / np.maximum(share, 0.02), 0, 255).astype(np.uint8)
    return Image.composite(init, Image.fromarray(around), kept)


def _plain(wish: Wish) -> Image.Image:
    dice = wish.dice("plain")
    small = Image.fromarray(dice.integers(60, 230, (4, 4, 3), dtype=np.uint8))
    return small.resize(wish.size, Image.Resampling.NEAREST)


def _mark(picture: Image.Image) -> Image.Image:
    """Write STAND-IN into the lower right corner, small and on a plate of its own."""
    width, height = picture.size
    points = max(8, min(width, height) // 36)
    font = ImageFont.load_default(points)
    pen = ImageDraw.Draw(picture)
    box = pen.textbbox((0, 0), "STAND-IN", font=font)
    wide, high = int(box[2]) + points, int(box[3]) + points // 2
    if wide > width or high > height:
        return picture
    pen.rectangle((width - wide, height - high, width, height), fill=(245, 245, 245))
    pen.text((width - wide + points // 2, height - high + points // 5), "STAND-IN", fill=(90, 90, 90), font=font)
    return picture


def half_done(picture: Image.Image, done: float, seed: int) -> Image.Image:
    """What a picture looks like after a part of its steps: noise above it, all of it at 0."""
    noise = np.random.default_rng(abs(seed)).integers(0, 256, (picture.height // 8 + 1, picture.width // 8 + 1, 3))
    rough = Image.fromarray(noise.astype(np.uint8)).resize(picture.size, Image.Resampling.BICUBIC)
    return Image.blend(rough, picture, min(1.0, done) * 0.9)


def grid(pictures: list[Image.Image]) -> Image.Image:
    """All pictures in one, as square as possible."""
    columns = max(1, round(len(pictures) ** 0.5 + 0.49))
    rows = -(-len(pictures) // columns)
    width, height = pictures[0].size
    sheet = Image.new("RGB", (columns * width, rows * height))
    for index, picture in enumerate(pictures):
        sheet.paste(picture, (index % columns * width, index // columns * height))
    return sheet
