"""Small forms of pictures, so that a page with hundreds of them opens at once."""

import io
import threading

from PIL import Image, ImageOps

from apps.errors import InvalidInputError
from store.contents import Content
from store.errors import StoreError
from store.stores import Stores

SIDES = (64, 128, 256, 512, 1024)
MEDIA_TYPE = "image/webp"
QUALITY = 80
AT_ONCE = 2

_turns = threading.Semaphore(AT_ONCE)
"""Decoding is work for the processor; the other threads of this process need it as well."""


def side_of(asked: str) -> int:
    """Read the length of the longest side in pixels. Raises InvalidInputError for one that is not offered."""
    if not asked.isascii() or not asked.isdigit() or int(asked) not in SIDES:
        raise InvalidInputError(f"size: must be one of {', '.join(map(str, SIDES))}")
    return int(asked)


def thumbnail(stores: Stores, content: Content, side: int) -> bytes:
    """Give a picture as WEBP with this longest side, or its own if that is shorter; made once and kept.

    Raises:
        StoreError: it cannot be read.
    """
    sha256 = content.ref.sha256
    found = stores.thumbnails.get(sha256, side)
    if found is None:
        with _turns:
            found = _made(content.data, side)
        try:
            stores.thumbnails.put(sha256, side, found)
        except StoreError:
            # It is made again next time.
            return found
    return found


def _made(data: bytes, side: int) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        picture.draft("RGB", (side, side))
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail((side, side), Image.Resampling.LANCZOS)
        small = upright if upright.mode in ("RGB", "RGBA") else upright.convert("RGBA")
        written = io.BytesIO()
        small.save(written, "WEBP", quality=QUALITY, method=2)
    return written.getvalue()
