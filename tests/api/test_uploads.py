"""Uploads: what the browser's form and a program's JSON hand in, and the URL that comes back."""

from __future__ import annotations

import base64
import io
import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from PIL import Image

from store.schema import CONTENTS
from store.uploads import Upload
from tests.api.answers import counts
from tests.api.server import Server
from tests.stand_ins import picture

pytestmark = pytest.mark.api

ROUTES = ("/upload", "/uploadImage")


def _coloured(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(buffer, "PNG")
    return buffer.getvalue()


def _uploads(server: Server) -> tuple[Upload, ...]:
    now = datetime.now(UTC)
    return server.stores.uploads.of_participant(None, now - timedelta(minutes=5), now + timedelta(minutes=5))


def _sha256(url: str) -> str:
    return urlsplit(url).path.removeprefix("/images/").partition(".")[0]


@pytest.mark.parametrize("route", ROUTES)
def test_an_upload_answers_a_top_level_absolute_url_that_gives_the_very_bytes(server: Server, route: str) -> None:
    drawing = picture(512, 512, "RGBA")

    answer = server.send(route, drawing)

    url = answer.json()["url"]
    assert answer.status_code == 200
    assert url.startswith(server.url)
    assert url.endswith(".png")
    assert server.get(url).content == drawing


def test_an_upload_answers_the_envelope_too(server: Server) -> None:
    answer = server.send("/upload", picture()).json()

    assert answer == {"success": True, "data": {"url": answer["url"]}, "code": 0, "message": "", "url": answer["url"]}


def test_two_canvases_of_the_same_file_name_never_mix(server: Server) -> None:
    drawings = {colour: _coloured(colour) for colour in ("red", "green", "blue", "black")}
    urls: dict[str, str] = {}
    start = threading.Barrier(len(drawings))

    def upload(colour: str) -> None:
        start.wait(10)
        urls[colour] = server.uploaded(drawings[colour], "canvas.png")

    threads = [threading.Thread(target=upload, args=(colour,)) for colour in drawings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(urls.values())) == len(drawings)
    assert {colour: server.get(url).content for colour, url in urls.items()} == drawings


@pytest.mark.parametrize("file_name", ["../../etc/passwd", "画布.png", "", "a" * 2000 + ".png", "no extension"])
def test_a_file_name_is_kept_in_the_record_and_never_used_as_a_path(server: Server, file_name: str) -> None:
    answer = server.send("/uploadImage", _coloured("yellow"), file_name or "blob")

    assert answer.status_code == 200
    assert _uploads(server)[-1].file_name == (file_name or "blob")[:1000]


@pytest.mark.parametrize(("kind", "extension"), [("PNG", "png"), ("JPEG", "jpg"), ("GIF", "gif"), ("WEBP", "webp")])
def test_every_common_format_is_kept_as_it_is(server: Server, kind: str, extension: str) -> None:
    content = picture(kind=kind)

    url = server.send("/uploadImage", content, "photo").json()["url"]

    assert url.endswith(f".{extension}")
    answer = server.get(url)
    assert answer.content == content
    assert answer.headers["Content-Type"] == f"image/{kind.lower()}"


@pytest.mark.filterwarnings("default:Corrupt EXIF data:UserWarning")
def test_a_picture_with_a_damaged_note_of_the_camera_is_taken(server: Server) -> None:
    five_notes_but_none_follows = b"Exif\0\0MM\0*\0\0\0\x08\0\x05"
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), "orange").save(buffer, "JPEG", exif=five_notes_but_none_follows)

    with pytest.warns(UserWarning, match="Corrupt EXIF data"):
        assert server.send("/uploadImage", buffer.getvalue()).status_code == 200


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"], ids=["bare", "data URL"])
@pytest.mark.parametrize("route", ROUTES)
def test_a_program_may_upload_base64_in_json(server: Server, route: str, prefix: str) -> None:
    drawing = picture(40, 40)

    answer = server.post(route, {"image": prefix + base64.b64encode(drawing).decode()})

    assert server.get(answer.json()["url"]).content == drawing


def test_the_same_picture_is_kept_once_and_each_upload_is_recorded(server: Server) -> None:
    drawing = picture(77, 33)
    before, uploads = counts(server, (CONTENTS,))[CONTENTS], len(_uploads(server))

    first, second = server.uploaded(drawing, "a.png"), server.uploaded(drawing, "b.png")

    assert first == second
    assert counts(server, (CONTENTS,))[CONTENTS] == before + 1
    assert len(_uploads(server)) == uploads + 2


@pytest.mark.parametrize(("route", "kind"), [("/upload", "canvas"), ("/uploadImage", "baseline")])
def test_the_record_of_an_upload_says_what_it_was(server: Server, route: str, kind: str) -> None:
    url = server.send(route, picture(50, 50)).json()["url"]

    newest = _uploads(server)[-1]
    assert (newest.kind, newest.content_sha256) == (kind, _sha256(url))
