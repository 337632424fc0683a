"""What a ControlNet unit sees in its input picture: lines and silhouette, as arrays and as a detected map."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from standins.pictures import edges, grids, segment
from standins.pictures.codec import flat
from standins.pictures.grids import Grid, Mask

SIDE = segment.SIDE


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
        return mask

    @cached_property
    def greys(self) -> Grid:
        """Lightness of the input at SIDE x SIDE."""
        return grids.from_image(flat(self.image).convert("L"), (SIDE, SIDE))

    @cached_property
    def proportion(self) -> float:
        """Height of the silhouette by its width, kept between a half and two."""
        rows, columns = (np.flatnonzero(self.silhouette.any(axis=axis)) for axis in (1, 0))
        return float(np.clip((rows[-1] - rows[0] + 1) / (columns[-1] - columns[0] + 1), 0.5, 2.0))

    @cached_property
    def is_drawing(self) -> bool:
        """Whether the input is strokes on plain paper rather than a picture with surfaces."""
        return edges.is_drawing(self.greys)


def lines_of(image: Image.Image) -> Grid:
    """Dark strokes of a drawing or hard edges of a photograph, thin and from 0 to 1."""
    grey = grids.from_image(flat(image).convert("L"), (SIDE, SIDE))
    if edges.is_drawing(grey):
        return edges.strokes(grey)
    return np.asarray(np.clip(grids.blur(edges.outlines(grey), 1) * 2.2, 0, 1), dtype=np.float32)


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
