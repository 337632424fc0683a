"""Chat completions against a stand-in service and, for single answers, a scripted one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from agent.errors import (
    AnswerUnusableError,
    ChatAccessError,
    ChatError,
    ChatNotConfiguredError,
    ChatRateLimitedError,
    ChatRejectedError,
    ChatServiceError,
    ChatTimeoutError,
    ChatUnreachableError,
    ContentFilteredError,
)
from agent.gpt import ChatClient, ChatConfig, Message, chat
from tests.stand_ins import StandIn, stand_in

QUESTION = [Message("system", "You answer in JSON."), Message("user", "设计一把椅子 json")]
KEY = "sk-very-secret"
Make = Callable[..., ChatClient]


@pytest.fixture(scope="module")
def service() -> Iterator[StandIn]:
    with stand_in("chat", "--latency", "0") as running:
        yield running


@pytest.fixture
def standin(service: StandIn) -> StandIn:
    service.reset()
    return service


@pytest.fixture
def make() -> Iterator[Make]:
    clients: list[ChatClient] = []

    def make_one(provider: Any, endpoint: str, model: str = "gpt-4", **more: Any) -> ChatClient:
        values: dict[str, Any] = {
            "api_key": KEY,
            "api_version": "2024-06-01",
            "timeout_s": 5.0,
            "max_retries": 0,
        } | more
        clients.append(ChatClient(ChatConfig(provider, model, endpoint, **values)))
        return clients[-1]

    yield make_one
    for client in clients:
        client.close()


def _body(**changes: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": '{"a": 1}'} | changes.pop("message", {})
    choice = {"index": 0, "finish_reason": changes.pop("finish_reason", "stop"), "message": message}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]} | changes


def _sent(httpserver: HTTPServer, call: int = -1) -> dict[str, Any]:
    return dict(json.loads(httpserver.log[call][0].get_data()))


@pytest.mark.parametrize("provider", ["azure", "openai"])
def test_a_question_is_answered_with_what_it_cost(standin: StandIn, make: Make, provider: str) -> None:
    endpoint = standin.url if provider == "azure" else f"{standin.url}/v1"
    reply = chat(make(provider, endpoint), QUESTION, temperature=0.5, max_tokens=200, seed=3)
    assert reply.text
    assert reply.finish_reason == "stop"
    assert min(reply.prompt_tokens, reply.completion_tokens) > 0
    assert reply.duration_s > 0
    assert reply.response_id
    assert standin.journal()[-1]["kind"] == provider


def test_a_seed_repeats_the_answer(standin: StandIn, make: Make) -> None:
    client = make("openai", f"{standin.url}/v1")
    assert chat(client, QUESTION, seed=3).text == chat(client, QUESTION, seed=3).text


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("rate_limit", ChatRateLimitedError),
        ("error_500", ChatServiceError),
        ("content_filter", ContentFilteredError),
        ("content_filter_finish", ContentFilteredError),
        ("empty", AnswerUnusableError),
        ("reset", ChatUnreachableError),
    ],
)
@pytest.mark.parametrize("provider", ["azure", "openai"])
def test_every_fault_is_translated(
    standin: StandIn, make: Make, provider: str, fault: str, kind: type[ChatError]
) -> None:
    client = make(provider, standin.url if provider == "azure" else f"{standin.url}/v1")
    standin.plan(fault)
    with pytest.raises(kind) as caught:
        chat(client, QUESTION)
    assert type(caught.value) is kind
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("fault", ["hang", "slow_body"])
def test_an_answer_that_does_not_come_is_a_timeout(standin: StandIn, make: Make, fault: str) -> None:
    standin.plan(fault, seconds=20)
    with pytest.raises(ChatTimeoutError, match="CHAT_TIMEOUT"):
        chat(make("openai", f"{standin.url}/v1", timeout_s=0.3), QUESTION)
    standin.reset()


@pytest.mark.parametrize("fault", ["error_500", "rate_limit", "reset"])
def test_the_sdk_repeats_what_may_be_repeated(standin: StandIn, make: Make, fault: str) -> None:
    standin.plan(fault, seconds=0.01)
    assert chat(make("openai", f"{standin.url}/v1", max_retries=1), QUESTION).text
    assert len(standin.journal()) == 2


def test_a_refused_connection_is_unreachable(make: Make) -> None:
    with pytest.raises(ChatUnreachableError):
        chat(make("openai", "http://127.0.0.1:9/v1"), QUESTION)


def test_an_unknown_deployment_is_an_access_error(standin: StandIn, make: Make) -> None:
    with pytest.raises(ChatAccessError, match="azure/missing"):
        chat(make("azure", standin.url, "missing"), QUESTION)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ChatRejectedError),
        (401, ChatAccessError),
        (403, ChatAccessError),
        (404, ChatAccessError),
        (409, ChatRejectedError),
        (418, ChatRejectedError),
        (422, ChatRejectedError),
        (429, ChatRateLimitedError),
        (500, ChatServiceError),
        (503, ChatServiceError),
    ],
)
def test_every_status_is_translated(httpserver: HTTPServer, make: Make, status: int, kind: type[ChatError]) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json({"error": {"message": "no"}}, status=status)
    with pytest.raises(kind, match=str(status)):
        chat(make("openai", httpserver.url_for("/v1")), QUESTION)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [("<html>", "text/html"), ("{no json", "application/json"), ("{}", "application/json"), ("[]", "application/json")],
)
def test_an_answer_that_is_no_completion_is_a_fault_of_the_service(
    httpserver: HTTPServer, make: Make, body: str, content_type: str
) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_data(body, content_type=content_type)
    with pytest.raises(ChatServiceError):
        chat(make("openai", httpserver.url_for("/v1")), QUESTION)


@pytest.mark.parametrize(
    "choices",
    [
        None, [], {}, "x", ["x"], [{}], [{"message": None}], [{"message": "x"}],
        [{"message": {"content": 5}}], [{"message": {"content": {"a": 1}}}], [{"message": {"content": ["x"]}}],
    ],
)  # fmt: skip
def test_an_odd_completion_is_a_fault_of_the_service(httpserver: HTTPServer, make: Make, choices: Any) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json({"id": "c1", "choices": choices})
    with pytest.raises(ChatServiceError, match="no chat completion"):
        chat(make("openai", httpserver.url_for("/v1")), QUESTION)


def test_an_answer_in_parts_is_joined_and_what_is_left_out_counts_nothing(httpserver: HTTPServer, make: Make) -> None:
    parts = [{"type": "text", "text": "a "}, {"type": "image"}, {"type": "text", "text": "chair"}]
    body = {"choices": [{"message": {"content": parts}}], "usage": {}}
    httpserver.expect_request("/v1/chat/completions").respond_with_json(body)
    reply = chat(make("openai", httpserver.url_for("/v1")), QUESTION)
    assert (reply.text, reply.model, reply.finish_reason, reply.completion_tokens) == ("a chair", "", "", 0)


@pytest.mark.parametrize("max_retries", [0, 1])
def test_a_body_that_trickles_ends_in_time_at_every_try(httpserver: HTTPServer, make: Make, max_retries: int) -> None:
    stop = threading.Event()

    def trickle(_sent: Request) -> Response:
        blanks = (b" " for _ in range(200) if not stop.wait(0.1))
        return Response(blanks, content_type="application/json")

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(trickle)
    client = make("openai", httpserver.url_for("/v1"), timeout_s=0.5, max_retries=max_retries)
    began = time.monotonic()
    with pytest.raises(ChatTimeoutError, match="CHAT_TIMEOUT"):
        chat(client, QUESTION)
    took_s = time.monotonic() - began
    stop.set()
    assert took_s < 2 * (max_retries + 1)
    assert len(httpserver.log) == max_retries + 1


def test_a_late_beginning_leaves_less_time_for_the_rest(httpserver: HTTPServer, make: Make) -> None:
    stop = threading.Event()

    def begin_late(_sent: Request) -> Response:
        stop.wait(0.8)
        blanks = (b" " for pause_s in (0, 5) if not stop.wait(pause_s))
        return Response(blanks, content_type="application/json")

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(begin_late)
    began = time.monotonic()
    with pytest.raises(ChatTimeoutError):
        chat(make("openai", httpserver.url_for("/v1"), timeout_s=1.0), QUESTION)
    took_s = time.monotonic() - began
    stop.set()
    assert took_s < 1.6


def test_a_refusal_counts_as_filtered(httpserver: HTTPServer, make: Make) -> None:
    body = _body(message={"content": None, "refusal": "I will not"})
    httpserver.expect_request("/v1/chat/completions").respond_with_json(body)
    with pytest.raises(ContentFilteredError):
        chat(make("openai", httpserver.url_for("/v1")), QUESTION)


def test_a_reply_without_usage_counts_no_tokens(httpserver: HTTPServer, make: Make) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json(_body())
    assert chat(make("openai", httpserver.url_for("/v1")), QUESTION).prompt_tokens == 0


def test_json_is_asked_for_only_where_the_question_speaks_of_it(httpserver: HTTPServer, make: Make) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json(_body())
    client = make("openai", httpserver.url_for("/v1"))
    chat(client, QUESTION)
    assert _sent(httpserver)["response_format"] == {"type": "json_object"}
    chat(client, [Message("user", "hello")])
    assert "response_format" not in _sent(httpserver)


UNKNOWN = [
    ("response_format", "Invalid parameter: 'response_format' of type 'json_object' is not supported with this model."),
    ("response_format", "'response_format.type' must be 'json_schema' or 'text'"),
    ("seed", "Unrecognized request argument supplied: seed"),
    ("temperature", "Unsupported value: 'temperature' does not support 0.2 with this model."),
    ("max_tokens", "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."),
]


@pytest.mark.parametrize(("parameter", "complaint"), UNKNOWN)
@pytest.mark.parametrize("names_it", [True, False])
def test_a_parameter_that_the_service_does_not_know_is_done_without_from_then_on(
    httpserver: HTTPServer, make: Make, parameter: str, complaint: str, names_it: bool
) -> None:
    refusal = {"error": {"message": complaint, "param": parameter if names_it else None, "code": None}}
    httpserver.expect_ordered_request("/v1/chat/completions").respond_with_json(refusal, status=400)
    for _ in range(2):
        httpserver.expect_ordered_request("/v1/chat/completions").respond_with_json(_body())
    client = make("openai", httpserver.url_for("/v1"))
    for _ in range(2):
        chat(client, QUESTION, temperature=0.2, max_tokens=9, seed=1)
    assert len(httpserver.log) == 3
    assert [parameter in _sent(httpserver, call) for call in range(3)] == [True, False, False]
    assert client.adjusted == {parameter}
    assert _sent(httpserver).get("max_completion_tokens") == (9 if parameter == "max_tokens" else None)


def test_a_value_out_of_range_is_no_unknown_parameter(httpserver: HTTPServer, make: Make) -> None:
    refusal = {"error": {"message": "'temperature' must be at most 2", "param": "temperature"}}
    httpserver.expect_request("/v1/chat/completions").respond_with_json(refusal, status=400)
    with pytest.raises(ChatRejectedError):
        chat(make("openai", httpserver.url_for("/v1")), QUESTION, temperature=3)
    assert len(httpserver.log) == 1


def test_threads_that_learn_the_same_at_once_are_all_answered(make: Make) -> None:
    first_round = threading.Barrier(4)

    def serve(sent: Request) -> Response:
        if "seed" not in sent.get_json():
            return Response(json.dumps(_body()), content_type="application/json")
        # All four questions are on their way before the first one is refused.
        first_round.wait(5)
        complaint = {"error": {"message": "Unrecognized request argument supplied: seed"}}
        return Response(json.dumps(complaint), 400, content_type="application/json")

    with HTTPServer(threaded=True) as server, ThreadPoolExecutor(4) as threads:
        server.expect_request("/v1/chat/completions").respond_with_handler(serve)
        client = make("openai", server.url_for("/v1"))
        asked = [threads.submit(chat, client, QUESTION, seed=1) for _ in range(4)]
        assert [one.result().text for one in asked] == ['{"a": 1}'] * 4
        assert len(server.log) == 8


def test_a_service_that_knows_nothing_is_asked_with_nothing(httpserver: HTTPServer, make: Make) -> None:
    for parameter, complaint in dict(UNKNOWN).items():
        refusal = {"error": {"message": complaint, "param": parameter}}
        httpserver.expect_ordered_request("/v1/chat/completions").respond_with_json(refusal, status=400)
    httpserver.expect_ordered_request("/v1/chat/completions").respond_with_json(_body())
    chat(make("openai", httpserver.url_for("/v1")), QUESTION, max_tokens=9, seed=1)
    assert _sent(httpserver).keys() == {"messages", "model", "max_completion_tokens"}


def test_a_complaint_about_something_else_is_not_tried_again(httpserver: HTTPServer, make: Make) -> None:
    refusal = {"error": {"message": "'messages' has an unknown role", "param": "messages"}}
    httpserver.expect_request("/v1/chat/completions").respond_with_json(refusal, status=400)
    with pytest.raises(ChatRejectedError):
        chat(make("openai", httpserver.url_for("/v1")), QUESTION)
    assert len(httpserver.log) == 1


def test_azure_is_asked_at_its_deployment_with_its_version_and_key(httpserver: HTTPServer, make: Make) -> None:
    httpserver.expect_request(
        "/openai/deployments/my-gpt/chat/completions",
        query_string={"api-version": "2024-06-01"},
        headers={"api-key": KEY},
    ).respond_with_json(_body())
    assert chat(make("azure", httpserver.url_for("/"), "my-gpt"), QUESTION).text


def test_settings_that_make_no_client_are_called_so(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_VERSION", raising=False)
    with pytest.raises(ChatNotConfiguredError, match="azure/gpt-4"):
        chat(make("azure", "http://127.0.0.1:9", api_version=None), QUESTION)


def test_the_key_is_never_shown() -> None:
    assert KEY not in repr(ChatConfig("openai", "m", None, KEY))


def test_many_threads_share_one_client(standin: StandIn, make: Make) -> None:
    client = make("openai", f"{standin.url}/v1")
    made: list[object] = []
    start = threading.Barrier(8)

    def use() -> None:
        start.wait()
        made.append(client.sdk())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, made))) == 1


def test_a_closed_client_can_be_used_again(standin: StandIn, make: Make) -> None:
    client = make("openai", f"{standin.url}/v1")
    chat(client, QUESTION)
    client.close()
    assert chat(client, QUESTION).text
