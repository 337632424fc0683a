"""Pictures that a server should not take, made small enough to be sent."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

from tests.stand_ins import picture


def of_size(width: int, height: int, kind: str = "PNG") -> bytes:
    """Make a black and white picture of any size; it is small however many pixels it has."""
    buffer = io.BytesIO()
    Image.new("1", (width, height)).save(buffer, kind)
    return buffer.getvalue()


def of_claimed_size(width: int, height: int) -> bytes:
    """Make a PNG whose header claims a size, with nothing behind it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


UNUSABLE = {
    "empty": b"",
    "text": b"this is no picture",
    "html": b"<!doctype html><html><body>canvas.png</body></html>",
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>',
    "bmp": picture(kind="BMP"),
    "tiff": picture(kind="TIFF"),
    "cut off": picture()[:-40],
    "header alone": picture()[:20],
    "one pixel": of_size(1, 1),
    "a line": of_size(512, 1),
    "100 megapixels": of_size(10_000, 10_000),
    "claims 4 gigapixels": of_claimed_size(65_000, 65_000),
    "claims no width": of_claimed_size(0, 64),
}
