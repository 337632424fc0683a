"""Find the object in a picture: ground estimated from the border, distance to it, largest blob, holes filled."""

import numpy as np
from PIL import Image

from standins.pictures import grids
from standins.pictures.codec import flat
from standins.pictures.grids import Grid, Mask

SIDE = 160
NO_DITHER = Image.Dither.NONE
SMALLEST, LARGEST = 0.004, 0.97
"""Parts of the picture between which a blob counts as an object."""


def distance_to_ground(image: Image.Image) -> Grid:
    """How far each pixel is from the ground's colour, at SIDE x SIDE; shadows count half."""
    colours = grids.from_image(flat(image), (SIDE, SIDE))
    edge = np.concatenate([colours[:3].reshape(-1, 3), colours[:, :3].reshape(-1, 3), colours[:, -3:].reshape(-1, 3)])
    whole = np.median(edge, axis=0)
    rows = np.median(np.concatenate([colours[:, :4], colours[:, -4:]], axis=1), axis=1)[:, None, :]
    return np.minimum(_distance(colours, whole), _distance(colours, rows))


def _distance(colours: Grid, ground: Grid) -> Grid:
    difference = colours - ground
    light = difference.mean(axis=2)
    chroma = np.abs(difference - light[:, :, None]).sum(axis=2)
    darker = np.clip(-light, 0, None)
    shadow = np.where(darker < 0.3, darker * 0.6, darker)
    return (np.clip(light, 0, None) * 1.5 + shadow + chroma).astype(np.float32)


def object_mask(image: Image.Image) -> Mask | None:
    """The object's silhouette at SIDE x SIDE, or None if the picture shows none."""
    distance = distance_to_ground(image)
    strong = float(np.quantile(distance, 0.995))
    if strong < 0.05:
        return None
    seen = distance > max(0.035, min(0.12, strong * 0.3))
    closed = grids.dilate(seen, 3)
    solid = grids.erode(grids.filled(closed), 3) | seen
    blob = grids.largest_blob(grids.dilate(grids.erode(solid, 1), 1))
    part = blob.mean()
    return grids.filled(blob) if SMALLEST < part < LARGEST else None


def candidates(image: Image.Image) -> list[Image.Image]:
    """Three masks in the picture's size: a tight one, the object, a loose one. Empty if nothing is found."""
    mask = object_mask(image)
    if mask is None:
        return []
    tight = grids.erode(mask, 2)
    masks = (tight if tight.any() else mask, mask, grids.dilate(mask, 2))
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
