"""The text chunk `parameters` of a PNG, put in and taken out again without touching anything else in the file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
KEYWORD: Final = b"parameters"
TEXTS: Final = (b"tEXt", b"iTXt", b"zTXt")
AFTER_HEADER: Final = len(SIGNATURE) + 25
"""Where the first chunk after IHDR begins, which is always 13 bytes long with 12 around it."""


def with_parameters(image_bytes: bytes, text: str) -> bytes | None:
    """Give a PNG with this text as its first chunk after the header.

    None if it has such a text already, or is no whole PNG: then it stays as it is.
    """
    names = [(kind, body.partition(b"\0")[0]) for kind, body in _heads(image_bytes)]
    if not names or names[0][0] != b"IHDR" or any(kind in TEXTS and name == KEYWORD for kind, name in names):
        return None
    return image_bytes[:AFTER_HEADER] + _chunk(text) + image_bytes[AFTER_HEADER:]


def without_parameters(image_bytes: bytes) -> bytes:
    """Give a PNG without the text that `with_parameters` put in; the same bytes if there is none at that place."""
    chunk = next((found for found in list(_heads(image_bytes, most=2))[1:]), None)
    if chunk is None or chunk[0] not in TEXTS or not chunk[1].startswith(KEYWORD + b"\0"):
        return image_bytes
    return image_bytes[:AFTER_HEADER] + image_bytes[AFTER_HEADER + 12 + len(chunk[1]) :]


def size_of(image_bytes: bytes) -> tuple[int, int] | tuple[None, None]:
    """Read width and height of a PNG in pixels; None for what is no PNG."""
    if not image_bytes.startswith(SIGNATURE) or image_bytes[12:16] != b"IHDR" or len(image_bytes) < AFTER_HEADER:
        return None, None
    return struct.unpack(">II", image_bytes[16:24])


def parameters_of(image_bytes: bytes) -> str | None:
    """Read the text `parameters` of a PNG; None if there is none."""
    for kind, body in _heads(image_bytes):
        name, _, value = body.partition(b"\0")
        if name == KEYWORD and kind == b"tEXt":
            return value.decode("latin-1")
        if name == KEYWORD and kind == b"iTXt" and value[:1] == b"\0":
            return value.split(b"\0", 4)[-1].decode("utf-8")
    return None


def _chunk(text: str) -> bytes:
    text = text.replace("\0", "\ufffd")
    try:
        kind, body = b"tEXt", KEYWORD + b"\0" + text.encode("latin-1")
    except UnicodeEncodeError:
        # Keyword, not compressed, no language, no translated keyword.
        kind, body = b"iTXt", KEYWORD + b"\0\0\0\0\0" + text.encode("utf-8")
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _heads(image_bytes: bytes, most: int = 10_000) -> Iterator[tuple[bytes, bytes]]:
    """Give the chunks before the picture itself, as kind and content."""
    if not image_bytes.startswith(SIGNATURE):
        return
    place = len(SIGNATURE)
    for _ in range(most):
        head = image_bytes[place : place + 8]
        if len(head) < 8 or head[4:] in (b"IDAT", b"IEND"):
            return
        length = int.from_bytes(head[:4], "big")
        yield head[4:], image_bytes[place + 8 : place + 8 + length]
        place += 12 + length
