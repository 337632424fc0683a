"""Pictures at the border: what a request may hand in, and how they are given out.

In: bytes of a file, BASE64 (bare or as a data URL), or a URL that this server gave out. No URL is ever fetched: one of
ours is only read for the sha256 that it holds. Out: absolute URLs that end in the type's extension, or BASE64.
"""

import base64
import binascii
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import SplitResult, urlsplit

from flask import request
from PIL import Image, UnidentifiedImageError

from apps.errors import InvalidImageError, UnknownImageError
from apps.schemas import ImageFormat
from store.contents import Contents

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
LEAST_SIDE = 8
PATH = re.compile(r"/images/([0-9a-f]{64})\.[a-z]{3,4}")
DATA_URL = re.compile(r"data:image/[\w.+-]+;base64,", re.ASCII)
WEB = frozenset({"http", "https"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
Links = Callable[[str], str]
"""From a kept picture's sha256 to its absolute URL."""


@dataclass(frozen=True)
class Picture:
    """A checked picture: its bytes, or, when it is kept already, its sha256. Sizes in pixels."""

    media_type: str
    width: int
    height: int
    content: bytes = b""
    sha256: str = ""


@dataclass(frozen=True)
class PictureDesk:
    """Takes pictures in and gives them out, for one server.

    Args:
        contents: where pictures are kept.
        public_url: base of the URLs given out; empty: the host of the request, as forwarded.
        max_megapixels: largest picture accepted.
    """

    contents: Contents
    public_url: str
    max_megapixels: float

    def read(self, field: str, value: str) -> Picture:
        """Check a picture that a JSON body holds: BASE64 (bare or as a data URL), or a URL of ours. Keeps nothing.

        Raises:
            UnknownImageError: a URL that this server did not give out.
            InvalidImageError: BASE64 that is broken, or no usable picture.
        """
        if "://" in value[:40] or value.startswith("/images/"):
            return self._resolve(field, value)
        return self.inspect(field, _decode(field, value))

    def inspect(self, field: str, content: bytes) -> Picture:
        """Check a picture's bytes by decoding them. Keeps nothing.

        Raises:
            InvalidImageError: empty, broken, too small, too large, or of an unknown type.
        """
        if not content:
            raise InvalidImageError(f"{field}: the picture is empty")
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                self._check_size(field, *image.size)
                image.load()
                return Picture(Image.MIME[image.format or ""], *image.size, content=content)
        except UnidentifiedImageError:
            raise InvalidImageError(f"{field}: not a PNG, JPEG, GIF or WEBP picture") from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise InvalidImageError(f"{field}: the picture has more than {self.max_megapixels:g} megapixels") from None
        except (OSError, SyntaxError, ValueError, EOFError) as exc:
            raise InvalidImageError(f"{field}: the picture is broken ({type(exc).__name__})") from exc

    def keep(self, picture: Picture) -> str:
        """Keep a checked picture, once however often it comes, and return its sha256."""
        if picture.sha256:
            return picture.sha256
        kept = self.contents.put(picture.content, picture.media_type, width=picture.width, height=picture.height)
        return kept.sha256

    def url(self, sha256: str) -> str:
        """Return the absolute URL of a kept picture."""
        return self.links()(sha256)

    def links(self) -> Links:
        """Return what gives a kept picture's absolute URL, as this request sees it, also after the request's end."""
        base = self._base()
        return lambda sha256: f"{base}/images/{sha256}.{self._extension(sha256)}"

    def given_out(self, sha256: str, form: ImageFormat) -> str:
        """Return a picture that a generation made as the request wants it: its URL, or its BASE64."""
        if form == "url":
            # What is made here is always kept as PNG, so nobody need be asked.
            return f"{self._base()}/images/{sha256}.png"
        content = self.contents.get(sha256)
        if content is None:
            raise UnknownImageError(f"picture {sha256} is not kept here any more")
        return base64.b64encode(content.data).decode("ascii")

    @cached_property
    def _extension(self) -> Callable[[str], str]:
        # A picture's type never changes, and those who watch a generation ask for the same few again and again.
        return lru_cache(maxsize=10_000)(self._looked_up_extension)

    def _looked_up_extension(self, sha256: str) -> str:
        ref = self.contents.info(sha256)
        return EXTENSIONS.get(ref.media_type, "png") if ref else "png"

    def _base(self) -> str:
        return self.public_url or request.url_root.rstrip("/")

    def _resolve(self, field: str, url: str) -> Picture:
        try:
            parts, own = urlsplit(url), urlsplit(self._base())
            found = PATH.fullmatch(parts.path.removeprefix(own.path))
            here = {_place(own), _place(urlsplit(request.url_root))}
            ours = parts.scheme in WEB and _place(parts) in here if parts.scheme else parts.netloc == ""
        except ValueError:
            found = None
        ref = self.contents.info(found[1]) if found and ours else None
        if ref is None or ref.media_type not in EXTENSIONS:
            raise UnknownImageError(
                f"{field}: this URL was not given out by this server; upload the picture or send it as BASE64"
            )
        return Picture(ref.media_type, ref.width or 0, ref.height or 0, sha256=ref.sha256)

    def _check_size(self, field: str, width: int, height: int) -> None:
        if min(width, height) < LEAST_SIDE:
            raise InvalidImageError(
                f"{field}: the picture is {width}×{height} pixels; each side needs at least {LEAST_SIDE}"
            )
        if width * height > self.max_megapixels * 1_000_000:
            raise InvalidImageError(
                f"{field}: the picture is {width}×{height} pixels; at most {self.max_megapixels:g} megapixels fit"
            )


def _decode(field: str, value: str) -> bytes:
    prefix = DATA_URL.match(value)
    text = value[prefix.end() :] if prefix else value
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidImageError(f"{field}: neither a URL of this server nor valid BASE64 of a picture") from None


def _place(parts: SplitResult) -> tuple[str, int | None]:
    """Name a host and port so that the names of this very machine count as one."""
    host = parts.hostname or ""
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return ("loopback" if host in LOOPBACK else host, port)
