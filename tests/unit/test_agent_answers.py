"""Answers found in what a model wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from pytest_httpserver import HTTPServer

from agent.answers import ask, parse_answer
from agent.conversation import Question
from agent.errors import AnswerUnusableError, ChatServiceError
from agent.gpt import ChatClient, ChatConfig

ASK_JSON = Question("Answer in JSON.")


class Brief(BaseModel):
    """A form with the contract's Chinese keys."""

    model_config = ConfigDict(populate_by_name=True)
    users: list[str] = Field(alias="目标人群")
    pains: list[str] = Field(alias="痛点")


class Prompt(BaseModel):
    """A form of one text."""

    prompt: str = Field(min_length=1)


GOOD = '{"目标人群": ["农民"], "痛点": ["费时"]}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Here you are:\n```\n{GOOD}\n``` I hope it helps.",
        f"好的，这是摘要：{GOOD} 希望有帮助。",
        f"[{GOOD}]",
        GOOD[:-1],
        GOOD.replace('"', "'"),
        GOOD.replace("]}", "],}"),
        GOOD.replace(", ", ",\n  // a comment\n  ", 1),
        "\ufeff" + GOOD,
        '<think>Perhaps {"目标人群": ["x"], "痛点": ["y"]}? {No}.</think>\n' + GOOD,
        'They want {"目标人群": ["x"], "痛点": ["y"]}.</think>' + GOOD,
        f'A draft: {{"目标人群": ["x"], "痛点": ["y"], "n": 1}}. The answer: {GOOD}',
    ],
)
def test_an_object_is_found_in_whatever_stands_around_it(text: str) -> None:
    brief = parse_answer(text, Brief)
    assert (brief.users, brief.pains) == (["农民"], ["费时"])


def test_nulls_are_left_out_at_any_depth() -> None:
    brief = parse_answer('{"目标人群": ["农民", null], "痛点": ["费时"], "x": null}', Brief)
    assert brief.users == ["农民"]


def test_a_null_for_a_needed_key_is_a_missing_key() -> None:
    with pytest.raises(AnswerUnusableError) as caught:
        parse_answer('{"目标人群": ["农民"], "痛点": null}', Brief)
    assert caught.value.reason == "key 痛点 is missing"


def test_the_reason_names_the_key_that_is_wrong() -> None:
    with pytest.raises(AnswerUnusableError) as caught:
        parse_answer('{"目标人群": "农民", "痛点": ["费时"]}', Brief)
    assert caught.value.reason.startswith("key 目标人群: ")


@pytest.mark.parametrize("text", ["", "   ", "I cannot do that.", "[]", "42", "null", "{" * 5000])
def test_what_holds_no_object_is_unusable(text: str) -> None:
    with pytest.raises(AnswerUnusableError):
        parse_answer(text, Brief)


@pytest.mark.parametrize(
    "text",
    [
        '{"prompt": "a chair"}',
        "a chair",
        '"a chair"',
        "`a chair`",
        '{"description": "a chair"}',
        "```\na chair\n```",
        "<think>Hm.</think>a chair",
    ],
)
def test_a_form_of_one_text_takes_a_plain_answer(text: str) -> None:
    assert parse_answer(text, Prompt).prompt == "a chair"


@pytest.mark.parametrize(
    "text", ["I'm sorry, but I can't help with that.", '"What do you mean?"', "No!", "抱歉，我无法回答。", "为什么？"]
)
def test_a_sentence_is_no_plain_answer(text: str) -> None:
    with pytest.raises(AnswerUnusableError):
        parse_answer(text, Prompt)


@pytest.mark.parametrize("text", ['{"a": "x", "b": "y"}', '{"a": ["x"]}', "x" * 300, "line\nline"])
def test_a_form_of_one_text_does_not_take_everything(text: str) -> None:
    with pytest.raises(AnswerUnusableError):
        parse_answer(text, Prompt)


@pytest.fixture
def client(httpserver: HTTPServer) -> Iterator[ChatClient]:
    chat_client = ChatClient(ChatConfig("openai", "m", httpserver.url_for("/v1"), max_retries=0, timeout_s=5))
    yield chat_client
    chat_client.close()


def _answers(httpserver: HTTPServer, *texts: str, finish_reason: str = "stop") -> None:
    for text in texts:
        body: dict[str, Any] = {
            "id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [
                {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}
            ],
            "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
        }  # fmt: skip
        httpserver.expect_ordered_request("/v1/chat/completions").respond_with_json(body)


def _conversation(httpserver: HTTPServer, call: int) -> list[tuple[str, str]]:
    messages = json.loads(httpserver.log[call][0].get_data())["messages"]
    return [(message["role"], message["content"]) for message in messages]


def test_a_good_answer_is_asked_for_once(httpserver: HTTPServer, client: ChatClient) -> None:
    _answers(httpserver, GOOD)
    asked = ask(client, ASK_JSON, Brief, again=Question)
    assert (len(asked.replies), asked.repaired) == (1, False)


def test_a_repaired_answer_says_so(httpserver: HTTPServer, client: ChatClient) -> None:
    _answers(httpserver, GOOD[:-2])
    assert ask(client, ASK_JSON, Brief, again=Question).repaired


@pytest.mark.parametrize("first", ['{"目标人群": ["农民"]}', ""])
def test_an_unusable_answer_is_asked_for_again_with_the_reason(
    httpserver: HTTPServer, client: ChatClient, first: str
) -> None:
    _answers(httpserver, first, GOOD)
    asked = ask(client, ASK_JSON, Brief, again=lambda reason: Question(f"again: {reason}"))
    assert len(asked.replies) == 2
    said = [("assistant", first)] if first else []
    reason = "key 痛点 is missing" if first else "the answer is empty"
    assert _conversation(httpserver, 1) == [("user", "Answer in JSON."), *said, ("user", f"again: {reason}")]


def test_a_second_unusable_answer_ends_it_with_both_replies_kept(httpserver: HTTPServer, client: ChatClient) -> None:
    _answers(httpserver, "nonsense", "nonsense")
    with pytest.raises(AnswerUnusableError, match="two tries") as caught:
        ask(client, ASK_JSON, Brief, again=Question)
    assert [reply.completion_tokens for reply in caught.value.replies] == [5, 5]
    assert len(httpserver.log) == 2


@pytest.mark.parametrize(("text", "lack"), [('{"目标人群": ["农', "key 痛点 is missing"), ("", "the answer is empty")])
def test_an_answer_that_was_cut_off_says_so_and_what_to_raise(
    httpserver: HTTPServer, client: ChatClient, text: str, lack: str
) -> None:
    _answers(httpserver, text, text, finish_reason="length")
    with pytest.raises(AnswerUnusableError) as caught:
        ask(client, Question("Answer in JSON.", max_tokens=7), Brief, again=lambda _: Question("again", max_tokens=9))
    assert caught.value.reason == f"the answer was cut off at max_tokens (9), so that {lack}"
    assert caught.value.message.endswith("; raise max_tokens in the prompt file")


def test_a_failure_at_the_second_question_keeps_the_first_reply(httpserver: HTTPServer, client: ChatClient) -> None:
    _answers(httpserver, "nonsense")
    httpserver.expect_ordered_request("/v1/chat/completions").respond_with_json({}, status=500)
    with pytest.raises(ChatServiceError) as caught:
        ask(client, ASK_JSON, Brief, again=Question)
    assert len(caught.value.replies) == 1
