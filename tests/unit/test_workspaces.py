"""Saved workspaces come back letter by letter, with each picture kept once."""

from __future__ import annotations

import base64

import pytest

from apps.pictures import PictureDesk
from apps.stepideator.workspaces import with_pictures, without_pictures
from store.stores import Stores
from tests.stand_ins import picture

pytestmark = pytest.mark.unit

DRAWING = "data:image/png;base64," + base64.b64encode(picture(64, 64)).decode("ascii")
HASH = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "text",
    [
        f'{{"canvasImage": "{DRAWING}", "again": "{DRAWING}"}}',
        f'{{"svg": "<image href=\\"{DRAWING}\\"/>"}}',
        f'{{"name": "data:image/png;sha256,{HASH}", "other": "data:image/png;sha256xx,{HASH}"}}',
        '{"broken": "data:image/png;base64,' + "A" * 200 + '"}',
    ],
    ids=["twice", "inside-svg", "looks-like-a-name", "no-picture"],
)
def test_a_workspace_comes_back_as_it_was(stores: Stores, text: str) -> None:
    packed = without_pictures(text, PictureDesk(stores.contents, "", 40))

    assert with_pictures(packed, stores.contents) == text


def test_a_text_that_looks_like_a_kept_picture_is_not_turned_into_it(stores: Stores) -> None:
    desk = PictureDesk(stores.contents, "", 40)
    kept = desk.keep(desk.inspect("file", picture(64, 64)))

    text = f'{{"name": "data:image/png;sha256,{kept}"}}'

    assert with_pictures(without_pictures(text, desk), stores.contents) == text
