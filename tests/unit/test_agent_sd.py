"""Pictures from a stand-in WebUI: what comes back, every fault translated, nothing sent twice in the dark."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer

from agent.errors import (
    BrokenAnswerError,
    InstanceConnectionLostError,
    InstanceServiceError,
    InstanceTimeoutError,
    InstanceUnreachableError,
    MissingOnInstanceError,
    PictureRejectedError,
    SDAccessError,
    SDError,
    SDNotConfiguredError,
    SDOutOfMemoryError,
)
from agent.payloads import ControlNetUnit, Img2ImgRequest, InpaintRequest
from agent.pool import SDInstance, SDInstancePool
from agent.sd import call_sdapi, capabilities_of, image2Image, inpaint, paint, post_sdapi, text2Image
from tests.pools import MakePool, preferring
from tests.stand_ins import StandIn, picture, request, stand_in

FAST = ("--step-time", "0.002", "--load-time", "0")
LINEART = ControlNetUnit(module="lineart_standard", model="control_v11p_sd15_lineart", image=picture())
FAULTS: list[tuple[str, type[SDError]]] = [
    ("error_500", InstanceServiceError),
    ("nan", InstanceServiceError),
    ("out_of_memory", SDOutOfMemoryError),
    ("reset", InstanceConnectionLostError),
    ("broken_base64", BrokenAnswerError),
    ("garbage", BrokenAnswerError),
]


@pytest.fixture(scope="module")
def two_webuis() -> Iterator[tuple[StandIn, StandIn]]:
    with stand_in("webui", *FAST) as one, stand_in("webui", *FAST) as two:
        yield one, two


@pytest.fixture
def webui(two_webuis: tuple[StandIn, StandIn]) -> StandIn:
    for one in two_webuis:
        one.reset()
    return two_webuis[0]


@pytest.fixture
def other(webui: StandIn, two_webuis: tuple[StandIn, StandIn]) -> StandIn:
    return two_webuis[1]


def _seeds(webui: StandIn) -> list[Any]:
    return [entry["seed"] for entry in webui.journal()]


def _preferring(first: SDInstance, other: SDInstance, make_pool: MakePool) -> SDInstancePool:
    return preferring(make_pool([first, other]), first)


def test_words_become_pictures_with_the_seeds_that_were_asked_for(webui: StandIn) -> None:
    painted = text2Image(webui.instance(), request(batch_size=2, seed=40))
    assert [(image.seed, image.width, image.height) for image in painted.images] == [(40, 64, 64), (41, 64, 64)]
    assert painted.not_applied == {}
    assert painted.duration_s > 0
    assert webui.journal()[-1]["task_id"] == painted.task_id


def test_the_same_seed_gives_the_same_picture_and_another_another(webui: StandIn) -> None:
    instance = webui.instance()
    one, same, other = (text2Image(instance, request(seed=seed)).images[0].image_bytes for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize("checkpoint", ["v1-5-pruned-emaonly", "v1-5-pruned-emaonly.safetensors"])
def test_the_checkpoint_that_was_asked_for_is_loaded(webui: StandIn, checkpoint: str) -> None:
    painted = text2Image(webui.instance(), request(checkpoint=checkpoint))
    assert painted.facts.sd_model_name == "v1-5-pruned-emaonly"
    assert painted.not_applied == {}


@pytest.mark.parametrize(
    ("module", "model"),
    [
        ("pidinet_scribble", "control_v11p_sd15_scribble"),
        ("lineart", "control_v11p_sd15_lineart"),
        ("lineart_standard", "control_v11p_sd15_lineart"),
        ("depth", "control_v11f1p_sd15_depth"),
    ],
)
def test_every_controlnet_of_the_study_is_applied(webui: StandIn, module: str, model: str) -> None:
    unit = ControlNetUnit(module=module, model=model, image=picture())
    guided = text2Image(webui.instance(), request(controlnet=(unit,)))
    assert guided.not_applied == {}
    assert len(guided.images) == 1
    assert guided.images[0].image_bytes != text2Image(webui.instance(), request()).images[0].image_bytes


def test_a_picture_becomes_another_by_img2img(webui: StandIn) -> None:
    wish = Img2ImgRequest(**vars(request(denoising_strength=0.5)), init_images=(picture(),))
    painted = image2Image(webui.instance(), wish)
    assert painted.not_applied == {}
    assert webui.journal()[-1]["kind"] == "img2img"


def test_inpainting_uses_mask_and_controlnet_together(webui: StandIn) -> None:
    unit = ControlNetUnit(module="inpaint_only", model="control_v11p_sd15_inpaint", image=picture())
    wish = InpaintRequest(
        **vars(request(denoising_strength=0.75, sampler_name="DPM++ 2M Karras", controlnet=(unit,))),
        init_images=(picture(),),
        mask=picture(mode="L"),
        inpainting_mask_invert=1,
    )
    assert inpaint(webui.instance(), wish).not_applied == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"checkpoint": "no-such"}, "checkpoint 'no-such'"),
        ({"checkpoint": "v1-5"}, "checkpoint 'v1-5'"),
        ({"sampler_name": "euler a"}, "sampler 'euler a'"),
        ({"sampler_name": "k_euler_a"}, "sampler 'k_euler_a'"),
        ({"scheduler": "No Such"}, "scheduler 'No Such'"),
        (
            {"controlnet": (ControlNetUnit(module="nope", model="nope", image=picture()),)},
            "ControlNet model 'nope', Co",
        ),
    ],
)
def test_a_name_that_the_webui_would_ignore_is_refused_before_sending(
    webui: StandIn, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(MissingOnInstanceError, match=words):
        text2Image(webui.instance(), request(**changes))
    assert webui.journal() == []


def test_without_the_extension_a_unit_is_refused_by_name() -> None:
    with stand_in("webui", *FAST, "--no-controlnet", "--no-sam") as bare:
        with pytest.raises(MissingOnInstanceError, match="sd-webui-controlnet"):
            text2Image(bare.instance(), request(controlnet=(LINEART,)))
        assert text2Image(bare.instance(), request()).images
        assert capabilities_of(bare.instance()).sam_models is None


def test_a_new_checkpoint_is_seen_without_a_restart(webui: StandIn) -> None:
    instance = webui.instance()
    known = capabilities_of(instance)
    instance.capabilities = type(known)(**(vars(known) | {"checkpoints": ()}))
    assert text2Image(instance, request()).images


@pytest.mark.parametrize("broken", [b"", b"no picture", picture()[:50]])
def test_a_broken_input_is_refused_before_sending(webui: StandIn, broken: bytes) -> None:
    unit = ControlNetUnit(module="canny", model="m", image=broken)
    for wish in (
        request(controlnet=(unit,)),
        Img2ImgRequest(**vars(request()), init_images=(broken,)),
        InpaintRequest(**vars(request()), init_images=(picture(),), mask=broken),
    ):
        with pytest.raises(PictureRejectedError):
            text2Image(webui.instance(), wish)
    assert webui.journal() == []


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_every_fault_is_translated_and_leaves_the_pool_whole(
    webui: StandIn, fault: str, kind: type[SDError], make_pool: MakePool
) -> None:
    pool = make_pool([webui.instance()])
    webui.plan(fault)
    with pytest.raises(kind) as caught:
        paint(pool, request())
    assert type(caught.value) is kind
    assert pool.states()[0].state == "resting"
    assert pool.waiting() == 0
    assert [attempt.error for attempt in caught.value.attempts] == [kind.__name__]
    assert "garden" not in caught.value.message


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_after_every_fault_another_instance_does_the_work(
    webui: StandIn, other: StandIn, fault: str, kind: type[SDError], make_pool: MakePool
) -> None:
    pool = _preferring(webui.instance(), other.instance(), make_pool)
    webui.plan(fault)
    once = paint(pool, request(seed=99))
    assert once.instance == other.instance().name
    assert [attempt.error for attempt in once.attempts] == [kind.__name__, None]
    assert _seeds(other) == [99]


def test_a_dead_instance_is_passed_over(webui: StandIn, make_pool: MakePool) -> None:
    pool = _preferring(SDInstance("http://127.0.0.1:9"), webui.instance(), make_pool)
    once = paint(pool, request())
    assert [attempt.error for attempt in once.attempts] == ["InstanceUnreachableError", None]


def test_an_instance_without_the_checkpoint_is_passed_over(webui: StandIn, make_pool: MakePool) -> None:
    with stand_in("webui", *FAST, "--checkpoint", "another") as poor:
        once = paint(_preferring(poor.instance(), webui.instance(), make_pool), request(), tries=1)
        assert [attempt.error for attempt in once.attempts] == ["MissingOnInstanceError", None]
        assert poor.journal() == []


def test_it_is_tried_no_more_often_than_asked(webui: StandIn, other: StandIn, make_pool: MakePool) -> None:
    pool = _preferring(webui.instance(), other.instance(), make_pool)
    webui.plan("error_500")
    with pytest.raises(InstanceServiceError) as caught:
        paint(pool, request(), tries=1)
    assert len(caught.value.attempts) == 1
    assert other.journal() == []


def test_when_all_fail_the_last_error_tells_every_attempt(webui: StandIn, other: StandIn, make_pool: MakePool) -> None:
    pool = _preferring(webui.instance(), other.instance(), make_pool)
    webui.plan("out_of_memory")
    other.plan("nan")
    with pytest.raises(InstanceServiceError) as caught:
        paint(pool, request())
    assert [attempt.error for attempt in caught.value.attempts] == ["SDOutOfMemoryError", "InstanceServiceError"]


def _impatient(webui: StandIn) -> SDInstance:
    """Make an instance that was asked for its lists in peace and waits little from now on."""
    instance = webui.instance(connect_timeout_s=0.5)
    capabilities_of(instance)
    instance.read_timeout_s = 0.3
    return instance


def _stuck(webui: StandIn, make_pool: MakePool) -> InstanceTimeoutError:
    """Let a job run into the read timeout, held at its first step by the gate, and give the error."""
    webui.close_gate()
    with pytest.raises(InstanceTimeoutError) as caught:
        paint(make_pool([_impatient(webui), _impatient(webui)]), request())
    return caught.value


def test_after_a_read_timeout_our_own_job_is_interrupted(webui: StandIn, make_pool: MakePool) -> None:
    error = _stuck(webui, make_pool)
    assert (error.interrupted, error.settled) == (True, True)
    assert "its job was interrupted" in error.message
    assert [entry["outcome"] for entry in webui.journal()] == ["interrupted"]
    assert len(error.attempts) == 1


def test_after_a_read_timeout_the_picture_is_made_elsewhere_and_the_record_tells(
    webui: StandIn, other: StandIn, make_pool: MakePool
) -> None:
    pool = _preferring(_impatient(webui), other.instance(), make_pool)
    webui.close_gate()
    once = paint(pool, request(seed=5))
    assert once.instance == other.instance().name
    assert [attempt.error for attempt in once.attempts] == ["InstanceTimeoutError", None]
    assert "its job was interrupted" in str(once.attempts[0].message)
    assert [entry["outcome"] for entry in webui.journal()] == ["interrupted"]
    assert _seeds(other) == [5]
    assert {state.name: state.state for state in pool.states()}[webui.instance().name] == "down"


def test_without_internal_progress_the_job_is_interrupted_all_the_same(make_pool: MakePool) -> None:
    with stand_in("webui", *FAST, "--nowebui") as plain:
        assert _stuck(plain, make_pool).interrupted
        assert [entry["outcome"] for entry in plain.journal()] == ["interrupted"]


def test_a_job_of_somebody_else_is_never_interrupted(webui: StandIn, make_pool: MakePool) -> None:
    instance = webui.instance()
    pool = make_pool([instance])
    paint(pool, request())
    webui.close_gate()
    body = {"prompt": "by hand", "steps": 2, "width": 64, "height": 64, "force_task_id": "by-hand"}
    by_hand = threading.Thread(
        target=requests.post, args=(f"{webui.url}/sdapi/v1/txt2img",), kwargs={"json": body, "timeout": 20}
    )
    by_hand.start()
    while webui.state()["running"] < 1:
        time.sleep(0.005)
    instance.read_timeout_s = 0.3
    with pytest.raises(InstanceTimeoutError, match="may run on") as caught:
        paint(pool, request())
    assert (caught.value.interrupted, caught.value.settled) == (False, False)
    assert instance.unsettled
    webui.open_gate()
    by_hand.join(10)
    instance.read_timeout_s = 10.0
    assert text2Image(instance, request()).not_applied == {}
    assert not instance.unsettled
    assert {entry["task_id"]: entry["outcome"] for entry in webui.journal()}["by-hand"] == "done"


def test_a_body_that_trickles_has_an_end(webui: StandIn) -> None:
    webui.plan("slow_body", seconds=30)
    began = time.monotonic()
    with pytest.raises(InstanceTimeoutError):
        text2Image(_impatient(webui), request())
    assert time.monotonic() - began < 5
    webui.reset()


def test_a_picture_that_somebody_interrupted_says_so(webui: StandIn) -> None:
    webui.close_gate()
    done: list[Any] = []
    worker = threading.Thread(target=lambda: done.append(text2Image(webui.instance(), request(steps=4))))
    worker.start()
    while webui.state()["running"] < 1:
        time.sleep(0.005)
    requests.post(f"{webui.url}/sdapi/v1/interrupt", timeout=5)
    webui.open_gate()
    worker.join(10)
    assert done[0].not_applied["steps"]["asked"] == 4


def test_a_frozen_instance_that_was_only_asked_is_passed_over(
    webui: StandIn, other: StandIn, make_pool: MakePool
) -> None:
    webui.plan("hang", path="sd-models", seconds=20)
    pool = _preferring(webui.instance(read_timeout_s=0.3), other.instance(), make_pool)
    once = paint(pool, request())
    assert [attempt.error for attempt in once.attempts] == ["InstanceUnreachableError", None]
    webui.reset()


def test_login_is_sent_and_its_refusal_is_called_so() -> None:
    with stand_in("webui", *FAST, "--api-auth", "me:secret") as locked:
        assert text2Image(locked.instance(auth="me:secret"), request()).images
        for auth in (None, "me:wrong"):
            with pytest.raises(SDAccessError, match="SD_API_AUTH") as caught:
                text2Image(locked.instance(auth=auth), request())
            assert "wrong" not in caught.value.message


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, {"detail": "Not Found"}, MissingOnInstanceError),
        (405, {"detail": "Method Not Allowed"}, MissingOnInstanceError),
        (422, {"detail": [{"loc": ["body", "steps"], "msg": "field required", "type": "x"}]}, PictureRejectedError),
        (
            422,
            {"error": "HTTPException", "detail": "Script 'x' not found", "body": "", "errors": ""},
            MissingOnInstanceError,
        ),
        (
            404,
            {"error": "HTTPException", "detail": "Init image not found", "body": "", "errors": ""},
            PictureRejectedError,
        ),
        (
            500,
            {"error": "HTTPException", "detail": "Invalid encoded image", "body": "", "errors": ""},
            PictureRejectedError,
        ),
        (
            500,
            {"error": "RuntimeError", "detail": "", "errors": "bad number of images passed: 2"},
            PictureRejectedError,
        ),
        (
            500,
            {"error": "Exception", "detail": "", "errors": "x.pth not found, please download model to"},
            MissingOnInstanceError,
        ),
        (
            500,
            {"error": "ValidationError", "detail": "", "errors": "module(a) not found in supported modules."},
            MissingOnInstanceError,
        ),
        (500, {"error": "ValidationError", "detail": "", "errors": "weight: less than 2"}, PictureRejectedError),
        (500, {"error": "OutOfMemoryError", "detail": "", "errors": "CUDA out of memory."}, SDOutOfMemoryError),
        (500, {"error": "KeyError", "detail": "", "body": "", "errors": "'x'"}, InstanceServiceError),
        (200, {"error": "NansException", "detail": "", "body": "", "errors": "NaN"}, InstanceServiceError),
        (500, {}, InstanceServiceError),
        (413, "too large", PictureRejectedError),
        (429, "later", InstanceServiceError),
        (502, "<html>", InstanceServiceError),
        (504, "<html>", InstanceTimeoutError),
        (401, {"error": "HTTPException", "detail": "Not authenticated"}, SDAccessError),
        (301, "", InstanceServiceError),
        (200, "<html>", BrokenAnswerError),
    ],
)
def test_both_error_shapes_are_read_at_any_status(
    httpserver: HTTPServer, status: int, body: Any, kind: type[SDError]
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    httpserver.expect_request("/x").respond_with_data(text, status)
    with pytest.raises(SDError) as caught:
        post_sdapi(SDInstance(httpserver.url_for("")), "/x", {})
    assert type(caught.value) is kind
    assert str(httpserver.port) in caught.value.message


@pytest.mark.parametrize("endpoint", ["gpu1:7860", "http://", "ftp://gpu1"])
def test_an_endpoint_that_is_no_url_names_the_setting(endpoint: str) -> None:
    with pytest.raises(SDNotConfiguredError, match="SD_ENDPOINTS"):
        call_sdapi(SDInstance(endpoint), "/sdapi/v1/samplers")


def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    with pytest.raises(InstanceUnreachableError):
        call_sdapi(SDInstance("http://no-such-host.invalid:7860"), "/sdapi/v1/samplers")
