"""The same client against a real chat service: `LIVE_CHAT_BASE_URL=… LIVE_CHAT_MODEL=… pytest tests/live`.

`LIVE_CHAT_KEY` is its key. With `LIVE_CHAT_API_VERSION` the address is an Azure resource and the model a deployment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from agent.answers import ask
from agent.conversation import Question
from agent.errors import ChatAccessError, ChatRejectedError, ChatTimeoutError
from agent.gpt import ChatClient, ChatConfig, chat

BASE_URL, MODEL = os.environ.get("LIVE_CHAT_BASE_URL", ""), os.environ.get("LIVE_CHAT_MODEL", "")
API_VERSION = os.environ.get("LIVE_CHAT_API_VERSION")

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not (BASE_URL and MODEL), reason="LIVE_CHAT_BASE_URL and LIVE_CHAT_MODEL are not set"),
]

QUESTION = Question('Name one garden tool. Answer only with JSON: {"tool": "<its name>"}', max_tokens=100)


class Tool(BaseModel):
    """The form of the answer."""

    tool: str = Field(min_length=1)


def _client(model: str = MODEL, timeout_s: float = 120) -> ChatClient:
    provider: Literal["azure", "openai"] = "azure" if API_VERSION else "openai"
    key = os.environ.get("LIVE_CHAT_KEY", "")
    return ChatClient(ChatConfig(provider, model, BASE_URL, key, API_VERSION, timeout_s, max_retries=0))


@pytest.fixture
def client() -> Iterator[ChatClient]:
    real = _client()
    yield real
    real.close()


def test_a_question_is_answered_with_what_it_cost(client: ChatClient) -> None:
    reply = chat(client, QUESTION.messages, temperature=0, max_tokens=100, seed=1)
    assert reply.text
    assert reply.finish_reason
    assert reply.prompt_tokens > 0


def test_an_answer_comes_in_its_form(client: ChatClient) -> None:
    asked = ask(client, QUESTION, Tool, again=lambda reason: Question(f"Answer with JSON only: {reason}."))
    assert asked.answer.tool


def test_an_unknown_model_is_called_so() -> None:
    client = _client("no-such-model-anywhere")
    try:
        chat(client, QUESTION.messages)
    except (ChatAccessError, ChatRejectedError) as exc:
        assert "no-such-model-anywhere" in exc.message
    else:
        pytest.skip("this service answers whatever model is asked for")
    finally:
        client.close()


def test_no_answer_in_time_is_a_timeout() -> None:
    client = _client(timeout_s=0.001)
    with pytest.raises(ChatTimeoutError):
        chat(client, QUESTION.messages)
    client.close()
