"""Model services that fail: the answer says so, the record says why, and no broken picture is ever kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from store.documents import GenerationRecord
from store.schema import CONTENTS
from tests.api.answers import data_of, failure_of
from tests.api.front_end import body, pictures_in
from tests.api.pictures import of_size
from tests.api.records import at_the_same_time, record_of, records_of, steps_of, until
from tests.api.server import Server
from tests.embedded import free_port
from tests.stand_ins import StandIn, picture

pytestmark = pytest.mark.api

Serve = Callable[..., Server]
WEBUI_FAULTS = [
    ("error_500", 502, "InstanceServiceError"),
    ("out_of_memory", 502, "SDOutOfMemoryError"),
    ("nan", 502, "InstanceServiceError"),
    ("broken_base64", 502, "BrokenAnswerError"),
    ("garbage", 502, "BrokenAnswerError"),
    ("reset", 502, "InstanceConnectionLostError"),
    ("hang", 504, "InstanceTimeoutError"),
]
CHAT_FAULTS = [
    ("rate_limit", 503, "ChatRateLimitedError"),
    ("error_500", 502, "ChatServiceError"),
    ("garbage", 502, "AnswerUnusableError"),
    ("empty", 502, "AnswerUnusableError"),
    ("missing_key", 502, "AnswerUnusableError"),
    ("null_values", 502, "AnswerUnusableError"),
    ("reset", 502, "ChatUnreachableError"),
    ("content_filter", 422, "ContentFilteredError"),
    ("hang", 504, "ChatTimeoutError"),
]
USERNAME = "whose request failed"


def _failed(
    server: Server, answer: requests.Response, status: int, error: str, *, shows_nothing: bool = True
) -> GenerationRecord:
    """Check that answer and record tell the same failure, and that nothing broken was kept."""
    message = failure_of(answer, status, code=2)
    [record] = records_of(server, USERNAME)
    assert (record.state, not record.outputs) == ("failed", shows_nothing)
    assert record.error is not None
    assert (record.error.type, record.error.message) == (error, message)
    assert record.ended_at is not None
    contents = server.stores.database.collection(CONTENTS)
    assert contents.count_documents({"size": 0}) == 0
    return record


@pytest.mark.parametrize(("fault", "status", "error"), WEBUI_FAULTS)
def test_a_failure_of_all_webuis_is_told_and_recorded(
    serve: Serve, webuis: tuple[StandIn, StandIn], fault: str, status: int, error: str
) -> None:
    server = serve(SD_READ_TIMEOUT=0.5)
    for webui in webuis:
        webui.plan(fault, forever=True, seconds=30)

    answer = server.post("/generate", body("sketch.create_new", username=USERNAME))

    record = _failed(server, answer, status, error)
    [step] = steps_of(record, "txt2img")
    assert step.error is not None
    assert step.error.type == error
    assert all(attempt["error"] == error for attempt in step.details["attempts"])


@pytest.mark.parametrize(("fault", "status", "error"), CHAT_FAULTS)
def test_a_failure_of_the_chat_service_is_told_and_recorded(
    serve: Serve, chat: StandIn, fault: str, status: int, error: str
) -> None:
    server = serve(CHAT_TIMEOUT=0.5)
    chat.plan(fault, forever=True, seconds=30)

    answer = server.post("/generate", body("brief.create_new", username=USERNAME))

    record = _failed(server, answer, status, error)
    [step] = steps_of(record, "chat")
    assert step.error is not None
    assert step.error.type == error
    assert step.details["prompt"]


def test_a_question_that_azure_filters_is_told_as_such(serve: Serve, chat: StandIn) -> None:
    server = serve(AZURE_OPENAI_ENDPOINT=chat.url, AZURE_OPENAI_API_KEY="stand-in", AZURE_OPENAI_DEPLOYMENT="gpt-4")
    chat.plan("content_filter", forever=True)

    _failed(server, server.post("/generate", body("brief.create_new", username=USERNAME)), 422, "ContentFilteredError")


def test_an_answer_of_azure_is_recorded_with_its_deployment(serve: Serve, chat: StandIn) -> None:
    server = serve(AZURE_OPENAI_ENDPOINT=chat.url, AZURE_OPENAI_API_KEY="stand-in", AZURE_OPENAI_DEPLOYMENT="our-gpt")

    record = record_of(server, server.post("/generate", body("brief.create_new")))

    assert [entry["kind"] for entry in chat.journal()] == ["azure"]
    assert steps_of(record, "chat")[0].details["replies"][0]["model"] == "our-gpt"


def test_replies_that_were_of_no_use_stay_in_the_record(serve: Serve, chat: StandIn) -> None:
    server = serve()
    chat.plan("garbage", forever=True)

    answer = server.post("/generate", body("brief.create_new", username=USERNAME))

    [step] = steps_of(_failed(server, answer, 502, "AnswerUnusableError"), "chat")
    assert ["weather" in reply["text"] for reply in step.details["replies"]] == [True, True]


@pytest.mark.parametrize("fault", ["garbage", "empty", "missing_key"])
def test_an_answer_that_is_of_no_use_is_asked_for_once_more(serve: Serve, chat: StandIn, fault: str) -> None:
    server = serve()
    chat.plan(fault)

    record = record_of(server, server.post("/generate", body("brief.create_new")))

    assert len(steps_of(record, "chat")[0].details["replies"]) == 2


@pytest.mark.parametrize("fault", ["fenced", "malformed_json"])
def test_an_answer_in_a_fence_or_without_its_end_is_used(serve: Serve, chat: StandIn, fault: str) -> None:
    server = serve()
    chat.plan(fault)

    record = record_of(server, server.post("/generate", body("brief.create_new")))

    assert len(steps_of(record, "chat")[0].details["replies"]) == 1


def test_a_service_that_fails_once_is_asked_again_when_that_is_allowed(serve: Serve, chat: StandIn) -> None:
    server = serve(CHAT_MAX_RETRIES=1)
    chat.plan("rate_limit", seconds=0.01)

    assert data_of(server.post("/generate", body("brief.create_new")))


@pytest.mark.parametrize("operation", ["sketch.transform", "model.multi_view", "rendering.extend"])
def test_a_failure_of_the_mask_fails_the_generation(
    serve: Serve, webuis: tuple[StandIn, StandIn], operation: str
) -> None:
    server = serve()
    for webui in webuis:
        webui.plan("error_500", forever=True, path="sam-predict")
    canvas = server.uploaded(picture(512, 512))

    answer = server.post("/generate", body(operation, username=USERNAME, selectedCanvasRecords=[canvas]))

    record = _failed(server, answer, 502, "InstanceServiceError")
    assert not steps_of(record, "txt2img")


def test_a_canvas_without_the_product_is_the_callers_matter(server: Server) -> None:
    canvas = server.uploaded(of_size(512, 512))

    answer = server.post("/generate", body("sketch.transform", selectedCanvasRecords=[canvas]))

    failure_of(answer, 422, code=1)


def test_one_picture_of_three_that_fails_fails_the_request_and_what_was_made_stays_in_the_record(
    serve: Serve, webuis: tuple[StandIn, StandIn]
) -> None:
    server = serve(SD_ENDPOINTS=webuis[0].url, SD_MAX_BATCH=1)
    assert server.post("/generate", body("sketch.create_new")).status_code == 200
    webuis[0].plan("error_500")

    answer = server.post("/generate", body("sketch.create_new", username=USERNAME, currentNum=3))

    record = _failed(server, answer, 502, "InstanceServiceError", shows_nothing=False)
    steps = steps_of(record, "txt2img")
    assert sorted(step.error is None for step in steps) == [False, True, True]
    made = {step.details["image_id"] for step in steps if step.error is None}
    assert {output.image_id for output in record.outputs} == made


def test_a_dead_instance_is_passed_over_and_the_record_says_so(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    nobody, alive = f"http://127.0.0.1:{free_port()}", webuis[0].url
    server = serve(SD_ENDPOINTS=f"{nobody},{alive}")

    record = record_of(server, server.post("/generate", body("sketch.create_new")))

    [step] = steps_of(record, "txt2img")
    *before, last = [(attempt["instance"], attempt["error"]) for attempt in step.details["attempts"]]
    # Whether it is tried at all depends on whether the pool's own probe was quicker.
    assert before in ([], [(urlsplit(nobody).netloc, "InstanceUnreachableError")])
    assert last == (urlsplit(alive).netloc, None)
    assert step.details["instance"] == urlsplit(alive).netloc


def test_an_instance_that_fails_once_is_replaced_by_another(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve()
    webuis[0].plan("error_500")

    # Work goes round, so at the latest the second request meets the fault.
    records = [record_of(server, server.post("/generate", body("sketch.create_new"))) for _ in range(2)]

    [step] = [step for record in records for step in steps_of(record, "txt2img") if len(step.details["attempts"]) > 1]
    assert [attempt["error"] for attempt in step.details["attempts"]] == ["InstanceServiceError", None]
    assert step.details["instance"] == urlsplit(webuis[1].url).netloc


def test_what_a_webui_did_otherwise_than_asked_is_recorded(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve(SD_ENDPOINTS=webuis[0].url)
    webuis[0].close_gate(at_step=5)

    with at_the_same_time([lambda: server.post("/generate", body("sketch.create_new"))]) as answers:
        until(lambda: webuis[0].state()["running"] == 1)
        until(lambda: _step_of(webuis[0]) == 5)
        requests.post(f"{webuis[0].url}/sdapi/v1/interrupt", json={}, timeout=5).close()

    [step] = steps_of(record_of(server, answers[0]), "txt2img")
    assert step.details["not_applied"]["steps"]["asked"] == 20


def _step_of(webui: StandIn) -> Any:
    with requests.get(f"{webui.url}/sdapi/v1/progress", params={"skip_current_image": "true"}, timeout=5) as answer:
        return answer.json()["state"]["sampling_step"]


@pytest.mark.parametrize(
    ("others", "operation", "setting"),
    [
        ({"SD_ENDPOINTS": ""}, "sketch.create_new", "SD_ENDPOINTS"),
        ({"OPENAI_BASE_URL": "", "OPENAI_API_KEY": ""}, "brief.create_new", "OPENAI_API_KEY"),
    ],
)
def test_a_service_that_is_not_configured_is_named_by_its_setting(
    serve: Serve, others: dict[str, str], operation: str, setting: str
) -> None:
    server = serve(**others)

    answer = server.post("/generate", body(operation, username=USERNAME))

    assert setting in failure_of(answer, 503, code=2)
    assert [record.state for record in records_of(server, USERNAME)] == ["failed"]


def test_with_all_instances_down_a_caller_is_told_so_at_once(serve: Serve) -> None:
    server = serve(SD_ENDPOINTS=f"http://127.0.0.1:{free_port()},http://127.0.0.1:{free_port()}")
    until(lambda: {one.state for one in server.services.parts.pool.states()} == {"down"})  # type: ignore[union-attr]

    answer = server.post("/generate", body("sketch.create_new", username=USERNAME))

    assert answer.elapsed.total_seconds() < 2
    assert "Retry-After" in answer.headers
    _failed(server, answer, 503, "NoInstanceUpError")


def test_the_server_works_on_after_every_failure(serve: Serve, webuis: tuple[StandIn, StandIn]) -> None:
    server = serve()
    for webui in webuis:
        webui.plan("error_500", forever=True)
    failure_of(server.post("/generate", body("sketch.create_new")), 502, code=2)
    for webui in webuis:
        webui.reset()

    assert len(pictures_in(data_of(server.post("/generate", body("sketch.create_new", currentNum=2))))) == 2
