"""A photograph's light and dark without its colours: what lies over a new material so that inner forms stay."""

import numpy as np

from standins.pictures import grids
from standins.pictures.grids import Grid, Mask


def of_photo(grey: Grid, covered: Mask) -> Grid:
    """Factors about 1. One bright material keeps all of its shading; of many materials only nearby contrast counts."""
    grey = _without_rim(grey, covered)
    inside = grey[covered] if covered.any() else grey.ravel()
    low, middle, high = (float(np.quantile(inside, part)) for part in (0.04, 0.5, 0.97))
    if low > 0.42:  # a white model: nothing but light makes it darker
        spread = np.clip((grey - middle) / max(high - low, 0.12), -0.9, 0.6)
        return np.asarray(1 + 0.62 * spread, dtype=np.float32)
    part, tone = covered.astype(np.float32), np.log(grey + 0.1)
    around = grids.blur((tone * part).astype(np.float32), 8) / np.maximum(grids.blur(part, 8), 0.05)
    return np.asarray(np.exp(np.clip(0.6 * (tone - around), -0.35, 0.2)), dtype=np.float32)


def _without_rim(grey: Grid, covered: Mask) -> Grid:
    """The outermost pixels take their neighbours' grey, for the ground is mixed into theirs."""
    core = grids.erode(covered, 2)
    share = grids.blur(core.astype(np.float32), 3)
    carried = grids.blur(grey * core, 3) / np.maximum(share, 0.01)
    return np.where(covered & ~core & (share > 0.02), carried, grey).astype(np.float32)
