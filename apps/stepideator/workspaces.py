"""The text form of a saved workspace, with its pictures kept apart.

A workspace is many megabytes of data URLs around a little JSON. Each data URL is replaced by a short name of its
content, `data:image/png;sha256,<hex>`, so that the same drawing is kept once however often it is saved; loading puts
the very same text back. A text that looks like such a name already gets an `x` more, and loses it again.
"""

import base64
import binascii
import re

from apps.errors import InvalidImageError
from apps.pictures import PictureDesk
from store.contents import Contents

DATA_URL = re.compile(r"data:(image/[\w.+-]+);base64,([A-Za-z0-9+/]{100,}={0,2})", re.ASCII)
NAMED = re.compile(r"data:(image/[\w.+-]+);sha256(x*),([0-9a-f]{64})", re.ASCII)


def without_pictures(text: str, desk: PictureDesk) -> str:
    """Keep the pictures of a workspace's JSON text and leave their names in it; what is no picture stays as it is."""

    def keep(found: re.Match[str]) -> str:
        media_type, encoded = found[1], found[2]
        try:
            content = base64.b64decode(encoded, validate=True)
            # Only what comes back letter by letter is taken out.
            if base64.b64encode(content).decode("ascii") != encoded:
                return found[0]
            return f"data:{media_type};sha256,{desk.keep(desk.inspect('data', content))}"
        except (binascii.Error, InvalidImageError):
            return found[0]

    return DATA_URL.sub(keep, NAMED.sub(r"data:\1;sha256\2x,\3", text))


def with_pictures(text: str, contents: Contents) -> str:
    """Put the pictures back where `without_pictures` took them out."""
    encoded: dict[str, str] = {}

    def restore(found: re.Match[str]) -> str:
        media_type, escapes, sha256 = found.groups()
        if escapes:
            return f"data:{media_type};sha256{escapes[1:]},{sha256}"
        if sha256 not in encoded:
            content = contents.get(sha256)
            encoded[sha256] = "" if content is None else base64.b64encode(content.data).decode("ascii")
        return f"data:{media_type};base64,{encoded[sha256]}" if encoded[sha256] else found[0]

    return NAMED.sub(restore, text)
