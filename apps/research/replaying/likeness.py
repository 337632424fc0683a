"""How alike two pictures or two texts are: a score from 0 (nothing in common) to 1.

A picture's score is (1 - 2h)(1 - 4d), no part below 0: h is the part of 256 bits of two perceptual hashes (imagehash's
`phash`) that differ, d the mean absolute difference of all colour values. Of pictures of other things half of the bits
differ; the same drawing with some noise, or from another GPU, keeps nearly all of them. A text's score is the share of
its words that stand in both, in the same order (`difflib`).
"""

import difflib
import re
from dataclasses import dataclass
from typing import Final

from PIL import Image

from agent.images import on_white, opened
from apps.research.replaying.shapes import Measures

SIMILAR_FROM: Final = 0.85
"""The least score of two outputs that count as similar. Other seeds of one prompt come to 0.7 at most."""
HASH_SIDE: Final = 16


@dataclass(frozen=True)
class Likeness:
    """A score with what it was made of."""

    score: float
    measures: Measures
    same_size: bool = True


def of_pictures(old: bytes, new: bytes) -> Likeness:
    """Compare two pictures by what they show; the larger one is made as small as the other. Raises ValueError."""
    first, second = on_white(old), on_white(new)
    is_same_size = first.size == second.size
    if not is_same_size:
        size = (min(first.width, second.width), min(first.height, second.height))
        first, second = (picture.resize(size, Image.Resampling.LANCZOS) for picture in (first, second))
    far, mean = _hash_distance(first, second), _mean_difference(first, second)
    score = max(0.0, 1 - 2 * far) * max(0.0, 1 - 4 * mean)
    return Likeness(
        round(score, 4), Measures(hash_distance=round(far, 4), mean_difference=round(mean, 6)), is_same_size
    )


def of_texts(old: str, new: str) -> Likeness:
    """Compare two texts word by word, a Chinese character being a word."""
    ratio = difflib.SequenceMatcher(a=_words(old), b=_words(new), autojunk=False).ratio()
    return Likeness(round(ratio, 4), Measures(text_ratio=round(ratio, 4)))


def has_same_pixels(old: bytes, new: bytes) -> bool:
    """Tell whether two files hold the same picture, so that only their form differs."""
    with opened(old) as first, opened(new) as second:
        return first.size == second.size and first.convert("RGBA").tobytes() == second.convert("RGBA").tobytes()


def _hash_distance(first: Image.Image, second: Image.Image) -> float:
    # Only where it is used: with scipy behind it, it is large.
    import imagehash

    hashes = [imagehash.phash(picture, hash_size=HASH_SIDE) for picture in (first, second)]
    return float(hashes[0] - hashes[1]) / HASH_SIDE**2


def _mean_difference(first: Image.Image, second: Image.Image) -> float:
    import numpy as np

    values = [np.asarray(picture.convert("RGB"), np.int16) for picture in (first, second)]
    return float(np.abs(values[0] - values[1]).mean()) / 255


def _words(text: str) -> list[str]:
    return re.findall(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+|[^\w\s]", text)
