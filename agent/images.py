"""Pictures in memory: check, fit, cut out, put on white. Nothing here keeps or changes what it is given.

Every function that takes bytes raises ValueError for what Pillow cannot read as a picture.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from PIL import Image, UnidentifiedImageError

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# What Pillow itself warns about; it stops only at twice as many.
MOST_PIXELS = 89_478_485
_NO_PICTURE = (
    UnidentifiedImageError,
    OSError,
    SyntaxError,
    EOFError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
_MASK_THRESHOLD = 128
# In a PNG's header: 8 bits, red, green and blue, not interlaced.
_RGB_HEADER = slice(24, 29), bytes((8, 2, 0, 0, 0))
_CHUNK_FRAME = 12
# What changes how the same pixels look: one colour that is clear, a turn, more pictures.
_TELLING_CHUNKS = (b"tRNS", b"eXIf", b"acTL")
# zlib's Z_RLE: drawings, photographs and noise become smaller than by level 1's short search for repetitions.
_RUN_LENGTHS = 3
_WHITES = {"I;16": (65535,), "I": (255, 65535), "F": (1, 255, 65535)}
_WHITE = (255, 255, 255, 255)


@contextmanager
def opened(image_bytes: bytes, *, only_checked: bool = False) -> Iterator[Image.Image]:
    """Decode a picture completely, so that broken data shows here and not later. Raises ValueError.

    With `only_checked` the format's own checksums are looked at instead; then nothing but its size can be asked for.
    """
    try:
        image: Image.Image = Image.open(io.BytesIO(image_bytes))
        # Before decoding: a small file may claim a picture that fills the memory.
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(
                f"a picture of {image.width}x{image.height} is too large; send at most {MOST_PIXELS} pixels"
            )
        if only_checked:
            image.verify()
        else:
            image.load()
            image = _eight_bit(image)
    except _NO_PICTURE as exc:
        raise ValueError("these bytes are no picture that can be read") from exc
    with image:
        yield image


def decoded_png(text: Any) -> bytes:
    """Decode a base64 picture of any format into PNG; it may have a data: prefix and line breaks."""
    encoded = "".join(str(text).rpartition(",")[2].split())
    return to_png(base64.b64decode(encoded, validate=True))


def png_of(image: Image.Image) -> bytes:
    """Encode as PNG without searching long: three times as fast as the default for about as many bytes."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1, compress_type=_RUN_LENGTHS)
    return buffer.getvalue()


def to_png(image_bytes: bytes) -> bytes:
    """Turn any readable picture into PNG; a PNG comes back as it is, with its text chunks, if it is whole."""
    if image_bytes.startswith(PNG_MAGIC):
        size_of(image_bytes)
        return image_bytes
    with opened(image_bytes) as image:
        return png_of(_plain(image))


def size_of(image_bytes: bytes) -> tuple[int, int]:
    """Make sure that the picture is whole and return (width, height) in pixels.

    A PNG has a checksum for each of its parts, which tells in a tenth of the time of decoding whether it arrived whole.
    """
    with opened(image_bytes, only_checked=image_bytes.startswith(PNG_MAGIC)) as image:
        return image.size


def declared_size(image_bytes: bytes) -> tuple[int, int]:
    """Return (width, height) from the header alone, for a picture that was decoded before."""
    with Image.open(io.BytesIO(image_bytes)) as image:
        return image.size


def fit(image_bytes: bytes, width: int, height: int) -> bytes:
    """Scale the whole picture into width × height, centred on white, nothing cut off; returns an RGB PNG.

    What is an RGB PNG of this size without alpha already comes back as it is.
    """
    if _is_opaque_png(image_bytes) and declared_size(image_bytes) == (width, height):
        return image_bytes
    picture = on_white(image_bytes)
    if picture.size == (width, height):
        return png_of(picture)
    scale = min(width / picture.width, height / picture.height)
    inner = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    ground = Image.new("RGB", (width, height), _WHITE[:3])
    ground.paste(picture.resize(inner, Image.Resampling.LANCZOS), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return png_of(ground)


def resize_mask(mask_bytes: bytes, width: int, height: int) -> bytes:
    """Scale a mask without grey edges: every pixel stays 0 or 255; returns a greyscale PNG."""
    with opened(mask_bytes) as image:
        return png_of(_resized_mask(image, width, height))


def on_white(image_bytes: bytes) -> Image.Image:
    """Decode a picture as RGB, laid on white ground by its alpha."""
    with opened(image_bytes) as image:
        return _on_white(image)


@dataclass(frozen=True)
class CutOut:
    """An object in a picture: what its mask (encoded, of any size) shows white. Encoded in the form that is used."""

    picture: Image.Image
    mask_bytes: bytes

    @cached_property
    def clear_bytes(self) -> bytes:
        """The object on transparent ground, as RGBA PNG of the picture's size."""
        clear = self.picture.copy()
        clear.putalpha(self._mask())
        return png_of(clear)

    @cached_property
    def white_bytes(self) -> bytes:
        """The object on white ground, as RGB PNG of the picture's size."""
        ground = Image.new("RGB", self.picture.size, _WHITE[:3])
        return png_of(Image.composite(self.picture, ground, self._mask()))

    def _mask(self) -> Image.Image:
        with opened(self.mask_bytes) as mask:
            return _resized_mask(mask, *self.picture.size)


def is_blank_mask(mask_bytes: bytes) -> bool:
    """Tell whether a mask shows nothing at all."""
    with opened(mask_bytes) as image:
        return image.convert("L").getbbox() is None


def _is_opaque_png(image_bytes: bytes) -> bool:
    """Tell whether these bytes are a whole PNG of 8-bit RGB, in which nothing but the pixels says how it looks."""
    where, header = _RGB_HEADER
    if not image_bytes.startswith(PNG_MAGIC) or image_bytes[where] != header:
        return False
    # Raises for one that is broken, as decoding it would.
    size_of(image_bytes)
    return not any(kind in _TELLING_CHUNKS for kind in _chunks(image_bytes))


def _chunks(png: bytes) -> Iterator[bytes]:
    position = len(PNG_MAGIC)
    while position < len(png):
        yield png[position + 4 : position + 8]
        position += int.from_bytes(png[position : position + 4]) + _CHUNK_FRAME


def _resized_mask(mask: Image.Image, width: int, height: int) -> Image.Image:
    grey = mask.convert("L").resize((width, height), Image.Resampling.NEAREST)
    return grey.point(lambda value: 255 if value >= _MASK_THRESHOLD else 0)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Bring a picture with more than 8 bits of grey to 8: Pillow's own conversion would make all but black white."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    deep = image if image.mode == "F" else image.convert("I")
    low, high = cast(tuple[float, float], deep.getextrema())
    # Only 16 bits say what is white; else it is the smallest usual one that holds all values: 1.0, 8 bits, 16 bits.
    whites = _WHITES[image.mode if image.mode in _WHITES else "I;16"]
    white = next((white for white in whites if high <= white), high)
    black = min(low, 0)
    scale = 255 / (white - black)
    grey = deep.convert("F").point(lambda value: value * scale - black * scale).convert("L")
    # It counts in the old depth, and one colour of 65536 seldom is a picture's ground.
    grey.info.pop("transparency", None)
    return grey


def _plain(image: Image.Image) -> Image.Image:
    return image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGBA" if _has_alpha(image) else "RGB")


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info


def _on_white(image: Image.Image) -> Image.Image:
    if not _has_alpha(image):
        return image.convert("RGB")
    picture = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, _WHITE), picture).convert("RGB")
