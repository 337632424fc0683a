"""Chat services that answer, but not what one would hope for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.api.answers import data_of, failure_of
from tests.api.front_end import body
from tests.api.server import Server

pytestmark = pytest.mark.api

Serve = Callable[..., Server]
BRIEF = {"目标人群": ["农户"], "使用场景": ["果园"], "痛点": ["背不动"], "主要功能": ["自动播种"]}


def _completion(content: str) -> Response:
    message = {"role": "assistant", "content": content}
    answer = {
        "id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }  # fmt: skip
    return Response(json.dumps(answer), content_type="application/json")


@pytest.fixture
def answers(httpserver: HTTPServer, serve: Serve) -> Callable[[Callable[[list[Any]], Response]], Server]:
    """Give a function that runs a server whose chat service answers by a function of the messages."""

    def start(answer: Callable[[list[Any]], Response]) -> Server:
        def handle(request: Request) -> Response:
            return answer(request.get_json()["messages"])

        httpserver.expect_request("/v1/chat/completions").respond_with_handler(handle)
        return serve(OPENAI_BASE_URL=httpserver.url_for("/v1"))

    return start


def test_answers_that_stay_alike_are_given_all_the_same(
    answers: Callable[[Callable[[list[Any]], Response]], Server],
) -> None:
    server = answers(lambda _: _completion(json.dumps(BRIEF)))

    data = data_of(server.post("/generate", body("brief.create_new", currentNum=2)))

    assert [json.loads(text) for text in data.values()] == [BRIEF, BRIEF]


def test_good_answers_outlive_a_failure_to_get_a_different_one(
    answers: Callable[[Callable[[list[Any]], Response]], Server],
) -> None:
    def answer(messages: list[Any]) -> Response:
        return _completion(json.dumps(BRIEF)) if len(messages) == 1 else Response("busy", status=429)

    server = answers(answer)

    data = data_of(server.post("/generate", body("brief.create_new", currentNum=3)))

    assert len(data) == 3


@pytest.mark.parametrize("words", ["I'm sorry, but I can't help with that.", "农业无人机", '{"subject": "抱歉"}'])
def test_an_apology_is_no_subject_and_is_not_remembered(
    answers: Callable[[Callable[[list[Any]], Response]], Server], words: str
) -> None:
    says = [words]
    server = answers(lambda _: _completion(says[0]))

    failure_of(server.post("/generate", body("sketch.create_new", currentNum=1)), 502, 2)

    says[0] = '{"subject": "Agricultural Drone."}'
    answer = server.post("/generate", body("sketch.create_new", currentNum=1))
    record = server.stores.generations.get(answer.headers["X-Generation-ID"])
    assert record is not None
    [step] = [step for step in record.steps if step.kind == "txt2img"]
    assert "agricultural drone" in step.details["prompt"]
