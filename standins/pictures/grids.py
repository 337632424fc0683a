"""Small operations on two-dimensional arrays that numpy has not: blur, grow, flood, largest blob."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grid = NDArray[np.float32]
Colours = NDArray[np.float32]
Mask = NDArray[np.bool_]


def from_image(image: Image.Image, side: tuple[int, int]) -> Grid:
    """Greys or colours from 0 to 1 at `side` = (width, height)."""
    return np.asarray(image.resize(side, Image.Resampling.BOX), dtype=np.float32) / np.float32(255)


def to_image(grid: Grid) -> Image.Image:
    """A picture from values 0 to 1, grey or RGB by its shape."""
    return Image.fromarray((np.clip(grid, 0, 1) * 255 + 0.5).astype(np.uint8))


def enlarge(grid: Grid, size: tuple[int, int]) -> Grid:
    """Bicubic to `size` = (width, height), values kept in 0 to 1."""
    return np.asarray(to_image(grid).resize(size, Image.Resampling.BICUBIC), dtype=np.float32) / np.float32(255)


def _box(grid: Grid, radius: int) -> Grid:
    rows = grid.shape[0]
    padded = np.pad(grid, [(radius, radius), (0, 0)], mode="edge")
    total = padded[:rows].copy()
    for shift in range(1, 2 * radius + 1):
        total += padded[shift : shift + rows]
    return total / np.float32(2 * radius + 1)


def _resized(grid: Grid, size: tuple[int, int], filter_: Image.Resampling) -> Grid:
    return np.asarray(Image.fromarray(grid).resize(size, filter_), dtype=np.float32)


def blur(grid: Grid, radius: int) -> Grid:
    """Two box blurs per axis: close to a Gaussian of that radius. A wide one is made on a smaller grid."""
    if radius < 1:
        return grid
    if radius > 4:
        high, wide = grid.shape
        small = (max(4, round(wide * 3 / radius)), max(4, round(high * 3 / radius)))
        soft = blur(_resized(np.ascontiguousarray(grid, np.float32), small, Image.Resampling.BOX), 3)
        return _resized(np.ascontiguousarray(soft), (wide, high), Image.Resampling.BICUBIC)
    for _ in range(2):
        grid = _box(_box(grid, radius).T, radius).T
    return grid


def dilate(mask: Mask, times: int = 1) -> Mask:
    """Grow by one pixel to each side per time; sides and corners in turn, so that it stays round."""
    for turn in range(times):
        grown = mask.copy()
        grown[1:] |= mask[:-1]
        grown[:-1] |= mask[1:]
        grown[:, 1:] |= (grown if turn % 2 else mask)[:, :-1]
        grown[:, :-1] |= (grown if turn % 2 else mask)[:, 1:]
        mask = grown
    return mask


def erode(mask: Mask, times: int = 1) -> Mask:
    """The opposite of `dilate`."""
    return ~dilate(~mask, times)


def flood(seed: Mask, allowed: Mask) -> Mask:
    """Everything in `allowed` that is connected with `seed`."""
    # One whole number holds the whole mask, a bit per pixel: its shifts are several times faster than arrays' slices.
    high, wide = allowed.shape
    stride, free = wide + 1, _packed(allowed)
    found, before = _packed(seed) & free, -1
    while found != before:
        before = found
        for _ in range(8):
            found |= (found << 1 | found >> 1) & free
            found |= (found << stride | found >> stride) & free
    bits = np.frombuffer(found.to_bytes(-(-high * stride // 8), "little"), np.uint8)
    flat = np.unpackbits(bits, count=high * stride, bitorder="little").astype(bool)
    return np.ascontiguousarray(flat.reshape(high, stride)[:, :wide])


def _packed(mask: Mask) -> int:
    """The mask as bits, with an empty column to its right so that rows do not touch."""
    bits = np.packbits(np.pad(mask, [(0, 0), (0, 1)]).ravel(), bitorder="little")
    return int.from_bytes(bits.tobytes(), "little")


def border(shape: tuple[int, int]) -> Mask:
    """True along the four sides."""
    mask = np.zeros(shape, dtype=bool)
    mask[[0, -1], :] = mask[:, [0, -1]] = True
    return mask


def filled(mask: Mask) -> Mask:
    """With its holes closed: all that the outside cannot reach."""
    return ~flood(border(mask.shape), ~mask)


def largest_blob(mask: Mask) -> Mask:
    """The connected part with the most pixels (of the first few that are looked at)."""
    best, left = np.zeros_like(mask), mask.copy()
    for _ in range(6):
        if left.sum() <= best.sum():
            break
        weight = blur(left.astype(np.float32), 6) * left
        seed = np.zeros_like(mask)
        seed.flat[int(weight.argmax())] = True
        blob = flood(seed, left)
        left &= ~blob
        best = blob if blob.sum() > best.sum() else best
    return best
