"""The canned picture, and how one answer's copy of it differs from every other's."""

import base64
import io
import random
import zlib
from functools import cache

from PIL import Image, ImageDraw

SIDE = 512
_HEAD = 33
"""Signature and IHDR: what comes before the place where a text chunk may stand. A multiple of 3, so that the BASE64 of
the parts can be put together without decoding."""


@cache
def picture() -> bytes:
    """Make a PNG of about 400 KB: a grey body on a ground of noise, like a rendering to a compressor."""
    noise = random.Random(7)
    # Noise does not compress: ten values for each of 512 x 512 x 3 bytes come to 400 KB.
    levels = bytes(noise.choices(range(208, 218), k=SIDE * SIDE * 3))
    image = Image.frombytes("RGB", (SIDE, SIDE), levels)
    shade = Image.new("L", (SIDE, SIDE), 0)
    ImageDraw.Draw(shade).ellipse((156, 106, 356, 406), fill=255)
    image.paste(image.point(lambda value: value - 110), mask=shade)
    return _encoded(image)


def noise(chance: random.Random, side: int) -> bytes:
    """Make a PNG of noise, three bytes for each pixel, which no compressor makes smaller."""
    image = Image.frombytes("RGB", (side, side), chance.randbytes(side * side * 3))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@cache
def picture_ends() -> tuple[bytes, bytes]:
    """Give the BASE64 of the canned picture before and after the place of the text chunk."""
    data = picture()
    return base64.b64encode(data[:_HEAD]), base64.b64encode(data[_HEAD:])


def text_chunk(text: str) -> bytes:
    """Write a PNG text chunk `parameters` and give its BASE64, which has no padding."""
    content = b"parameters\0" + text.encode("latin-1", "replace")
    content += b" " * (-len(content) % 3)
    named = b"tEXt" + content
    return base64.b64encode(len(content).to_bytes(4, "big") + named + zlib.crc32(named).to_bytes(4, "big"))


@cache
def mask() -> str:
    """Make a mask of the canned picture's body, as Segment Anything answers it: BASE64 of a PNG of one bit a pixel."""
    image = Image.new("1", (SIDE, SIDE), 0)
    ImageDraw.Draw(image).ellipse((156, 106, 356, 406), fill=1)
    return base64.b64encode(_encoded(image)).decode()


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()
