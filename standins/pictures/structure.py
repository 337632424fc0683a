"""What a ControlNet unit sees in its input picture: lines and silhouette, as arrays and as a detected map."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from standins.pictures import grids, segment
from standins.pictures.codec import flat
from standins.pictures.grids import Grid, Mask

SIDE = 256


@dataclass(frozen=True)
class Structure:
    """One working unit's input, already in the picture's size."""

    image: Image.Image
    module: str
    model: str
    weight: float = 1.0

    @cached_property
    def lines(self) -> Grid:
        """Strokes and edges from 0 to 1, at SIDE x SIDE."""
        return lines_of(self.image)

    @cached_property
    def silhouette(self) -> Mask:
        """The object's shape at SIDE x SIDE; the whole picture if no object can be told from the ground."""
        mask = segment.object_mask(self.image)
        if mask is None:
            return np.ones((SIDE, SIDE), dtype=bool)
        return grids.enlarge(grids.blur(mask.astype(np.float32), 1), (SIDE, SIDE)) > 0.5

    @cached_property
    def greys(self) -> Grid:
        """Lightness of the input at SIDE x SIDE."""
        return grids.from_image(flat(self.image).convert("L"), (SIDE, SIDE))

    @property
    def is_drawing(self) -> bool:
        """Whether the input is strokes on plain paper rather than a picture with surfaces."""
        paper = float(np.median(self.greys))
        return float(np.mean(np.abs(self.greys - paper) < 0.06)) > 0.8


def lines_of(image: Image.Image) -> Grid:
    """Dark strokes of a drawing and edges of a photograph, thin and from 0 to 1."""
    grey = grids.from_image(flat(image).convert("L"), (SIDE, SIDE))
    strokes = np.clip((grids.blur(grey, 5) - grey) * 5 - 0.15, 0, 1)
    down, across = np.gradient(grids.blur(grey, 1))
    edges = np.clip(np.hypot(down, across) * 9 - 0.25, 0, 1)
    has_strokes = float(np.mean(strokes > 0.3)) > 0.004 and float(np.median(grey)) > 0.6
    is_drawing = has_strokes and _is_flat(grey)
    lines: Grid = (strokes if is_drawing else np.maximum(strokes, edges)).astype(np.float32)
    return lines


def _is_flat(grey: Grid) -> bool:
    return float(np.mean(np.abs(grey - np.median(grey)) < 0.06)) > 0.8


def detected_map(module: str, image: Image.Image) -> Image.Image:
    """The preprocessor's picture: white lines on black, a depth map, or the input itself."""
    if module in ("none", "inpaint_only", "inpaint") or "invert" in module:
        return flat(image)
    if "depth" in module:
        seen = Structure(image=image, module=module, model="")
        depth = inflated(seen.silhouette) * 0.7 + 0.25 * seen.silhouette
        grey = grids.to_image(depth.astype(np.float32))
    else:
        lines = lines_of(image)
        grey = grids.to_image((lines > 0.4).astype(np.float32) if module == "canny" else lines)
    return grey.resize(image.size, Image.Resampling.BICUBIC).convert("RGB")


def inflated(mask: Mask) -> Grid:
    """A height from 0 to 1 over a silhouette, as if it were blown up: round at the rim, flat inside."""
    solid = mask.astype(np.float32)
    height = np.zeros_like(solid)
    for radius in (2, 4, 8, 14, 22):
        height += np.clip(grids.blur(solid, radius) - 0.5, 0, None) * radius * mask
    return np.asarray(np.sqrt(height / (height.max() or 1)), dtype=np.float32)
