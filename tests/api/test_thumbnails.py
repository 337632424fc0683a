"""Small forms of pictures: of the asked size, made once, cached for ever, and never larger than the picture."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from tests.api.answers import failure_of
from tests.api.server import Server
from tests.stand_ins import picture

pytestmark = pytest.mark.api


def _opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(
    ("mode", "kind"), [("RGB", "PNG"), ("RGBA", "PNG"), ("L", "PNG"), ("P", "GIF"), ("RGB", "JPEG"), ("RGB", "WEBP")]
)
def test_a_small_form_has_the_asked_longest_side(server: Server, mode: str, kind: str) -> None:
    url = server.uploaded(picture(600, 300, mode, kind))
    answer = server.get(f"{url}?size=128")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/webp")
    assert _opened(answer.content).size == (128, 64)


def test_a_small_picture_is_not_blown_up(server: Server) -> None:
    assert _opened(server.get(f"{server.uploaded(picture(40, 20))}?size=256").content).size == (40, 20)


def test_a_small_form_is_made_once_and_may_be_cached_like_the_picture(server: Server) -> None:
    url = server.uploaded(picture(300, 300))
    sha256 = url.rpartition("/")[2].partition(".")[0]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: server.get(f"{url}?size=64"), range(8)))
    assert len({answer.content for answer in answers}) == 1
    assert server.stores.thumbnails.get(sha256, 64) == answers[0].content
    headers = answers[0].headers
    assert "immutable" in headers["Cache-Control"]
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["ETag"] != server.get(url).headers["ETag"]
    again = server.get(f"{url}?size=64", headers={"If-None-Match": headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("size", ["", "0", "100", "-64", "64px", "９", "1e2"])
def test_a_size_that_is_not_offered_is_refused(server: Server, size: str) -> None:
    url = server.uploaded(picture(64, 64))
    assert "64, 128, 256, 512, 1024" in failure_of(server.get(f"{url}?size={size}"), 422)


def test_a_picture_that_is_not_there_has_no_small_form(server: Server) -> None:
    failure_of(server.get(f"/images/{'0' * 64}.png?size=64"), 404)
