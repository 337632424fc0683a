"""What is asked of the stand-in's painter: everything that a picture depends on."""

import hashlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from standins.pictures.structure import Structure


@dataclass(frozen=True)
class Wish:
    """One picture. Equal wishes give equal pictures; `mask` is white where the picture is to be repainted."""

    prompt: str
    negative_prompt: str = ""
    seed: int = 0
    checkpoint: str = ""
    size: tuple[int, int] = (512, 512)
    structures: tuple[Structure, ...] = ()
    init: Image.Image | None = None
    denoising_strength: float = 0.75
    mask: Image.Image | None = None
    mask_blur: int = 4
    is_plain: bool = False

    def dice(self, *words: object) -> np.random.Generator:
        """Random numbers that depend on these words, the texts, the seed and the checkpoint only."""
        text = "\0".join(map(str, (self.prompt, self.negative_prompt, self.seed, self.checkpoint, *words)))
        return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))
