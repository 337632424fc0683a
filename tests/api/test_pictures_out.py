"""How pictures are handed out: by URL that may be cached for ever, or as BASE64."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import pytest

from tests.api.answers import data_of, failure_of
from tests.api.front_end import body, pictures_in
from tests.api.server import Server
from tests.stand_ins import picture

pytestmark = pytest.mark.api

UNKNOWN = "0" * 64


def test_a_picture_may_be_cached_for_ever(server: Server) -> None:
    drawing = picture(64, 64)

    answer = server.get(server.uploaded(drawing))

    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["ETag"] == f'"{hashlib.sha256(drawing).hexdigest()}"'
    caching = {part.strip() for part in answer.headers["Cache-Control"].split(",")}
    assert {"public", "max-age=31536000", "immutable"} <= caching


def test_a_picture_that_the_browser_has_is_not_sent_again(server: Server) -> None:
    url = server.uploaded(picture())

    answer = server.get(url, headers={"If-None-Match": server.get(url).headers["ETag"]})

    assert answer.status_code == 304
    assert answer.content == b""
    assert "immutable" in answer.headers["Cache-Control"]


def test_head_tells_size_and_type_of_a_picture_without_its_bytes(server: Server) -> None:
    drawing = picture(90, 70)

    answer = server.call("HEAD", server.uploaded(drawing))

    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["Content-Type"] == "image/png"
    assert int(answer.headers["Content-Length"]) == len(drawing)


def test_a_picture_is_never_taken_for_a_page(server: Server) -> None:
    answer = server.get(server.uploaded(picture()))

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"


@pytest.mark.parametrize(
    "name",
    [
        f"{UNKNOWN}.png",
        UNKNOWN,
        "x.png",
        f"{UNKNOWN[:-1]}A.png",
        "..%2f..%2fetc%2fpasswd",
        "%00.png",
        "{sha}.jpg",
        "{sha}.webp",
        "{sha}.PNG",
        "{sha}",
    ],
)
def test_what_is_no_picture_of_this_server_is_not_found(server: Server, name: str) -> None:
    drawing = picture(66, 66)
    server.uploaded(drawing)

    answer = server.get(f"/images/{name.format(sha=hashlib.sha256(drawing).hexdigest())}")

    failure_of(answer, 404)


def test_a_saved_text_is_not_handed_out_as_a_picture(server: Server) -> None:
    ref = server.stores.contents.put_text('{"designTask": "secret"}')

    failure_of(server.get(f"/images/{ref.sha256}.png"), 404)


def test_result_pictures_come_as_bare_base64_when_asked_for(server: Server) -> None:
    wanted = body("sketch.create_new", currentNum=2, seed=11)

    urls = pictures_in(data_of(server.post("/generate", wanted)))
    encoded = data_of(server.post("/generate", {**wanted, "imageFormat": "base64"}))

    assert [base64.b64decode(text, validate=True) for text in encoded.values()] == [
        server.get(url).content for url in urls
    ]


def test_views_and_cards_keep_their_shape_with_base64(server: Server) -> None:
    card, images = data_of(server.post("/generate", body("sketch.reference", imageFormat="base64")))

    assert card["0"].startswith("{")
    assert base64.b64decode(images["0"], validate=True).startswith(b"\x89PNG")


def _canvas_ids(server: Server, record: str) -> tuple[str, ...]:
    answer = server.post("/generate", body("sketch.extend", selectedCanvasRecords=[record]))
    data_of(answer)
    generation = server.stores.generations.get(answer.headers["X-Generation-ID"])
    assert generation is not None
    return generation.inputs.image_ids


def test_a_canvas_may_come_as_url_data_url_or_bare_base64_and_is_the_same_picture(server: Server) -> None:
    drawing = picture(200, 200)
    encoded = base64.b64encode(drawing).decode()
    url = server.uploaded(drawing)

    forms = [url, url.removeprefix(server.url), f"data:image/png;base64,{encoded}", encoded]

    assert {_canvas_ids(server, form) for form in forms} == {(hashlib.sha256(drawing).hexdigest(),)}


def test_the_names_of_this_very_machine_are_one_server(server: Server) -> None:
    url = server.uploaded(picture(210, 200)).replace("127.0.0.1", "localhost")

    assert _canvas_ids(server, url)


def test_public_url_is_the_base_of_the_urls_given_out_and_taken_back(serve: Callable[..., Server]) -> None:
    server = serve(PUBLIC_URL="https://design.example/api/")
    drawing = picture(220, 200)

    url = server.uploaded(drawing)

    sha256 = hashlib.sha256(drawing).hexdigest()
    assert url == f"https://design.example/api/images/{sha256}.png"
    assert _canvas_ids(server, url) == (sha256,)


FORWARDED = {"X-Forwarded-Host": "studio.example", "X-Forwarded-Proto": "https"}


def test_urls_name_the_host_that_the_proxy_was_asked_for(server: Server) -> None:
    answer = server.post("/upload", {"image": base64.b64encode(picture()).decode()}, headers=FORWARDED)

    assert answer.json()["url"].startswith("https://studio.example/images/")


def test_forwarded_hosts_are_ignored_when_no_proxy_is_expected(serve: Callable[..., Server]) -> None:
    server = serve(PROXY_COUNT=0)

    answer = server.post("/upload", {"image": base64.b64encode(picture()).decode()}, headers=FORWARDED)

    assert answer.json()["url"].startswith(server.url)
