"""Masks by text from a stand-in WebUI with Segment Anything, and from a scripted one."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from pytest_httpserver import HTTPServer

from agent.errors import (
    BrokenAnswerError,
    InstanceServiceError,
    InstanceTimeoutError,
    MissingOnInstanceError,
    NothingFoundError,
    PictureRejectedError,
    SDError,
)
from agent.pool import SDInstance
from agent.sam import mask_by_text, segment
from tests.pools import MakePool, preferring
from tests.stand_ins import StandIn, picture, stand_in

PATH = "/sam/sam-predict"


@pytest.fixture(scope="module")
def service() -> Iterator[StandIn]:
    with stand_in("webui", "--step-time", "0.001") as running:
        yield running


@pytest.fixture
def webui(service: StandIn) -> StandIn:
    service.reset()
    return service


def _open(image_bytes: bytes) -> Image.Image:
    return Image.open(io.BytesIO(image_bytes))


def _mask(level: int) -> str:
    buffer = io.BytesIO()
    Image.new("1", (16, 12), level).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def _scripted(httpserver: HTTPServer, answer: Any) -> SDInstance:
    httpserver.expect_request(PATH).respond_with_json(answer)
    return SDInstance(httpserver.url_for(""))


def test_the_mask_has_the_size_of_the_picture(webui: StandIn) -> None:
    found = mask_by_text(webui.instance(), picture(128, 96), "chair")
    mask = _open(found.mask_bytes)
    assert (mask.mode, mask.size, found.candidate) == ("L", (128, 96), 1)
    assert (mask.getpixel((64, 48)), mask.getpixel((1, 1))) == (255, 0)


@pytest.mark.parametrize(("count", "candidate"), [(3, 1), (2, 1), (1, 0)])
def test_the_second_outline_is_taken_or_the_last(httpserver: HTTPServer, count: int, candidate: int) -> None:
    masks = [_mask(1 if i == candidate else 0) for i in range(count)]
    found = mask_by_text(_scripted(httpserver, {"msg": "done", "masks": masks}), picture(64, 48), "chair")
    assert found.candidate == candidate
    assert _open(found.mask_bytes).size == (64, 48)


def test_the_text_and_the_model_are_sent(httpserver: HTTPServer) -> None:
    instance = _scripted(httpserver, {"msg": "done", "masks": [_mask(1)]})
    mask_by_text(instance, picture(), "garden chair", sam_model="sam_vit_b.pth")
    sent = httpserver.log[0][0].get_json()
    assert (sent["dino_text_prompt"], sent["dino_enabled"]) == ("garden chair", True)
    assert sent["sam_model_name"] == "sam_vit_b.pth"
    assert base64.b64decode(sent["input_image"]) == picture()


@pytest.mark.parametrize(
    "answer", [{"msg": "nothing"}, {"msg": "nothing", "masks": []}, {"msg": "", "masks": [_mask(0)]}]
)
def test_an_object_that_is_not_there_is_called_so(httpserver: HTTPServer, answer: Any) -> None:
    with pytest.raises(NothingFoundError):
        mask_by_text(_scripted(httpserver, answer), picture(), "chair")


@pytest.mark.parametrize(
    "answer", [[], {"masks": "x"}, {"masks": ["%%%"]}, {"masks": [base64.b64encode(b"x").decode()]}]
)
def test_a_broken_answer_is_called_so(httpserver: HTTPServer, answer: Any) -> None:
    with pytest.raises((BrokenAnswerError, NothingFoundError)) as caught:
        mask_by_text(_scripted(httpserver, answer), picture(), "chair")
    assert isinstance(caught.value, BrokenAnswerError)


def test_a_broken_picture_is_refused_before_sending(webui: StandIn) -> None:
    with pytest.raises(PictureRejectedError):
        mask_by_text(webui.instance(), b"no picture", "chair")
    assert webui.journal() == []


def test_a_missing_model_file_is_called_so(webui: StandIn) -> None:
    with pytest.raises(MissingOnInstanceError):
        mask_by_text(webui.instance(), picture(), "chair", sam_model="no-such.pth")


def test_a_missing_extension_is_called_so() -> None:
    with stand_in("webui", "--no-sam") as bare, pytest.raises(MissingOnInstanceError, match="install the extension"):
        mask_by_text(bare.instance(), picture(), "chair")


@pytest.mark.parametrize(("fault", "kind"), [("error_500", InstanceServiceError), ("broken_base64", BrokenAnswerError)])
def test_a_failure_leaves_the_pool_whole(webui: StandIn, fault: str, kind: type[SDError], make_pool: MakePool) -> None:
    pool = make_pool([webui.instance()])
    webui.plan(fault)
    with pytest.raises(kind):
        segment(pool, picture(), "chair")
    assert (pool.states()[0].state, pool.waiting()) == ("resting", 0)


def test_a_failed_instance_is_passed_over(webui: StandIn, make_pool: MakePool) -> None:
    dead = SDInstance("http://127.0.0.1:9")
    pool = preferring(make_pool([dead, webui.instance()]), dead)
    assert [one.error for one in segment(pool, picture(), "chair").attempts] == ["InstanceUnreachableError", None]


def test_after_a_timeout_the_instance_is_asked_before_its_next_call(webui: StandIn, make_pool: MakePool) -> None:
    instance = webui.instance(read_timeout_s=0.3)
    webui.plan("hang", seconds=20)
    with pytest.raises(InstanceTimeoutError):
        segment(make_pool([instance]), picture(), "chair")
    assert instance.unsettled
    webui.reset()


def test_after_a_timeout_the_mask_is_made_elsewhere_and_the_record_tells(webui: StandIn, make_pool: MakePool) -> None:
    with stand_in("webui", "--step-time", "0.001") as other:
        webui.plan("hang", seconds=20)
        hanging = webui.instance(read_timeout_s=0.3)
        ran = segment(preferring(make_pool([hanging, other.instance()]), hanging), picture(), "chair")
        assert [one.error for one in ran.attempts] == ["InstanceTimeoutError", None]
        assert len(other.journal()) == 1
    webui.reset()
