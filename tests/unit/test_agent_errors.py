"""The tree of errors: drawn, complete, and every library's error has its place in it."""

from __future__ import annotations

import inspect

import openai
import pytest
import requests

from agent import errors
from agent.errors import AgentError, ChatError, SDError
from agent.gpt import OPENAI_ERRORS
from agent.sdapi import REQUESTS_ERRORS, translate

# Raised by OpenAI's web hooks only, which we do not have; it is no OpenAIError either.
NOT_FROM_CHAT = {openai.InvalidWebhookSignatureError}


def _exceptions(module: object) -> set[type[BaseException]]:
    public = (one for name, one in inspect.getmembers(module, inspect.isclass) if not name.startswith("_"))
    return {one for one in public if issubclass(one, Exception)}


def _agent_errors() -> list[type[AgentError]]:
    return [one for one in _exceptions(errors) if issubclass(one, AgentError)]


def test_every_error_class_of_requests_is_mapped() -> None:
    own = {one for one in _exceptions(requests.exceptions) if issubclass(one, requests.RequestException)}
    assert own == set(REQUESTS_ERRORS)


def test_every_error_class_of_openai_is_mapped() -> None:
    assert _exceptions(openai) - NOT_FROM_CHAT == set(OPENAI_ERRORS)


def test_every_class_is_drawn_in_the_tree_at_the_top() -> None:
    drawing = errors.__doc__ or ""
    assert [one.__name__ for one in _agent_errors() if one.__name__ not in drawing] == []


@pytest.mark.parametrize("kind", _agent_errors(), ids=lambda kind: kind.__name__)
def test_every_class_has_a_docstring_and_keeps_its_sentence(kind: type[AgentError]) -> None:
    assert kind.__doc__
    assert kind("what, which, what to do").message == "what, which, what to do"


@pytest.mark.parametrize(
    "kind",
    [one for one in _agent_errors() if issubclass(one, SDError) and one is not SDError],
    ids=lambda k: k.__name__,
)
def test_every_leaf_of_sd_says_why_it_may_go_elsewhere(kind: type[SDError]) -> None:
    assert f"Elsewhere: {'yes' if kind.elsewhere else 'no'}" in (kind.__doc__ or "")


@pytest.mark.parametrize("kind", REQUESTS_ERRORS, ids=lambda kind: kind.__name__)
def test_a_translated_error_names_the_instance(kind: type[requests.RequestException]) -> None:
    error = translate(
        requests.RequestException("x") if kind is requests.exceptions.JSONDecodeError else kind("x"), "gpu1:7860"
    )
    assert error.instance == "gpu1:7860"
    assert "gpu1:7860" in error.message


def test_a_chat_error_keeps_the_replies_before_it() -> None:
    assert ChatError("no", ()).replies == ()
