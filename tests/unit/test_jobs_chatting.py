"""Asking the chat service: other directions for other answers, and once more for an answer that is there already."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from agent.errors import AnswerUnusableError, ChatNotConfiguredError
from agent.gpt import ChatClient, ChatConfig
from apps.registry import PRESETS, PROMPTS
from jobs.background import Background
from jobs.chatting import Chatting
from jobs.given import Given
from jobs.parts import Parts
from jobs.pins import Pins
from jobs.recorder import Recorder
from jobs.replay import Replay
from jobs.versions import Versions
from jobs.writing import Writing
from settings.book import SettingsBook
from store.documents import GenerationInputs, GenerationRecord, StepRecord
from store.stores import Stores

pytestmark = pytest.mark.unit

SETTINGS = Path(__file__).parent.parent.parent / "settings"
RECORD = GenerationRecord(
    app_id=1, participant_id="p", operation="op", inputs=GenerationInputs(task="t"), owner="me", state="succeeded"
)
TASK = "设计一把椅子"


class Prompt(BaseModel):
    """The form of the answers here."""

    prompt: str = Field(min_length=3)


class Script:
    """A chat service that says what it is told to, in this order, and keeps the questions."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.questions: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Response:
        """Answer a chat completion."""
        with self._lock:
            self.questions.append(request.get_json())
            text = self.answers.pop(0)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        return Response(json.dumps(body), content_type="application/json")

    def prompts(self) -> list[str]:
        """List the text of each question's last message."""
        return [question["messages"][-1]["content"] for question in self.questions]


@pytest.fixture
def script(httpserver: HTTPServer) -> Script:
    """Run the scripted chat service."""
    script = Script()
    httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_handler(script)
    return script


@dataclass(frozen=True)
class Bench:
    """Makes the chat capability of a run."""

    parts: Parts
    recorder: Recorder

    def __call__(self, seed: int, parent: GenerationRecord | None = None, pins: Pins | None = None) -> Chatting:
        """Make it for a new generation, or for a rerun of a parent."""
        pins = pins or (Pins() if parent is None else Pins.of_record(parent))
        versions = Versions(self.parts.book, self.parts.stores.settings_versions, pins)
        return Chatting(self.parts, self.recorder, seed, Given(versions, pins, Replay.of(parent)))

    def steps(self) -> tuple[StepRecord, ...]:
        """List the steps so far."""
        return self.recorder.steps

    def record(self) -> GenerationRecord:
        """Give a record of all that was done so far."""
        return RECORD.model_copy(update={"steps": self.recorder.steps})


@pytest.fixture
def recorder(stores: Stores) -> Iterator[Recorder]:
    """Give a recorder whose generation is kept."""
    background = Background()
    claim = stores.generations.claim_of(stores.generations.insert(RECORD))
    yield Recorder(Writing(stores.generations, claim, background))
    background.stop()


@pytest.fixture
def chatting(stores: Stores, httpserver: HTTPServer, script: Script, recorder: Recorder) -> Iterator[Bench]:
    """Give what makes the chat capability of a run with a seed."""
    endpoint = httpserver.url_for("/v1")
    config = ChatConfig(provider="openai", endpoint=endpoint, model="m", api_key="key", timeout_s=5, max_retries=0)
    client = ChatClient(config)
    parts = Parts(stores, SettingsBook.load(SETTINGS, PROMPTS, PRESETS), chat=client, pool=None, multiview=None)
    yield Bench(parts, recorder)
    client.close()


def _answer(text: str) -> str:
    return json.dumps({"prompt": text})


def _scenes(chatting: Chatting, num: int) -> list[str]:
    answers = chatting.ask_each(num, "scene", Prompt, kind="scene", task="设计一把椅子", subject="chair")
    return [answer.prompt for answer in answers]


def test_each_answer_is_asked_for_from_a_direction_and_with_a_seed_of_its_own(chatting: Bench, script: Script) -> None:
    script.answers = [_answer(f"place {number}") for number in range(3)]

    assert len(set(_scenes(chatting(5), 3))) == 3

    assert len(set(script.prompts())) == 3
    assert sorted(question["seed"] for question in script.questions) == [5, 6, 7]


def test_another_seed_begins_with_another_direction(chatting: Bench, script: Script) -> None:
    script.answers = [_answer("place")] * 2
    _scenes(chatting(5), 1)
    prompts_before = script.prompts()
    script.questions.clear()

    _scenes(chatting(6), 1)

    assert script.prompts() != prompts_before


def test_an_answer_that_is_there_already_is_asked_for_once_more_with_the_others_shown(
    chatting: Bench, script: Script
) -> None:
    script.answers = [_answer("a pond"), _answer("a pond"), _answer("a hill")]

    assert _scenes(chatting(5), 2) == ["a pond", "a hill"]

    assert "a pond" in script.prompts()[2]
    assert [step.details["template"] for step in chatting.steps()] == ["scene", "scene", "ask_different"]


def test_an_answer_that_stays_the_same_is_taken_at_last(chatting: Bench, script: Script) -> None:
    script.answers = [_answer("a pond")] * 3

    assert _scenes(chatting(5), 2) == ["a pond", "a pond"]


def test_an_unusable_answer_is_asked_for_again_with_the_reason(chatting: Bench, script: Script) -> None:
    script.answers = [json.dumps({"prompt": "x"}), _answer("a pond")]

    assert _scenes(chatting(5), 1) == ["a pond"]

    assert "at least 3 characters" in script.prompts()[1]
    [step] = chatting.steps()
    assert step.details["asked_again"]["template"] == "ask_again"
    assert [reply["text"] for reply in step.details["replies"]] == [json.dumps({"prompt": "x"}), _answer("a pond")]


def test_two_unusable_answers_end_the_step_and_stay_in_its_record(chatting: Bench, script: Script) -> None:
    script.answers = ["no JSON, and much too long to be taken for a plain answer. " * 9] * 2

    with pytest.raises(AnswerUnusableError):
        _scenes(chatting(5), 1)

    [step] = chatting.steps()
    assert step.error is not None
    assert step.error.type == "AnswerUnusableError"
    assert len(step.details["replies"]) == 2


def test_the_subject_is_remembered_for_the_task_and_the_prompt(chatting: Bench, script: Script) -> None:
    script.answers = [json.dumps({"subject": " chair "}), json.dumps({"subject": "lamp"})]
    asking = chatting(5)

    assert [asking.subject("设计一把椅子"), asking.subject("设计一把椅子"), asking.subject("设计一盏灯")] == [
        "chair",
        "chair",
        "lamp",
    ]
    assert len(script.questions) == 2


@pytest.mark.parametrize(
    ("answered", "subject"),
    [
        ("Desk lamp.", "desk lamp"),
        ('"Kettle"', "kettle"),
        ("children’s clock", "children's clock"),
        ("3D printer", "3d printer"),
    ],
)
def test_a_subject_is_brought_into_its_plain_form(chatting: Bench, script: Script, answered: str, subject: str) -> None:
    script.answers = [json.dumps({"subject": answered})]

    assert chatting(5).subject("设计") == subject


@pytest.mark.parametrize("answered", ["椅子", "I am sorry, I cannot name it", "a b c d e f", "", "<b>lamp</b>"])
def test_an_answer_that_is_no_english_noun_is_never_remembered(
    chatting: Bench, script: Script, stores: Stores, answered: str
) -> None:
    script.answers = [json.dumps({"subject": answered})] * 2

    with pytest.raises(AnswerUnusableError):
        chatting(5).subject("设计")

    assert stores.database.collection("subjects").count_documents({}) == 0


def test_a_seed_fits_into_the_range_of_the_chat_service(chatting: Bench, script: Script) -> None:
    script.answers = [_answer("a pond")]

    _scenes(chatting(2**32 - 1), 1)

    assert 0 <= script.questions[0]["seed"] < 2**31


def test_without_a_chat_service_the_settings_to_make_are_named(chatting: Bench) -> None:
    mute = replace(chatting, parts=replace(chatting.parts, chat=None))

    with pytest.raises(ChatNotConfiguredError, match="OPENAI_API_KEY"):
        mute(1).subject(TASK)


def test_a_rerun_is_answered_by_its_parent(chatting: Bench, script: Script) -> None:
    script.answers = [json.dumps({"subject": "chair"}), _answer("a pond")]
    first = chatting(5)
    first.subject(TASK)
    _scenes(first, 1)
    parent = chatting.record()
    script.questions.clear()

    again = chatting(5, parent)

    assert (again.subject(TASK), _scenes(again, 1)) == ("chair", ["a pond"])
    assert script.questions == []
    replayed = chatting.steps()[len(parent.steps) :]
    assert [step.details["replayed_from"] for step in replayed] == [parent.id] * 2
    assert replayed[-1].details["replies"] == parent.steps[-1].details["replies"]


def test_a_rerun_of_a_rerun_is_answered_too(chatting: Bench, script: Script) -> None:
    script.answers = [json.dumps({"prompt": "x"}), _answer("a pond")]
    _scenes(chatting(5), 1)
    _scenes(chatting(5, chatting.record()), 1)
    child = RECORD.model_copy(update={"id": "child", "steps": chatting.steps()[1:]})

    assert _scenes(chatting(5, child), 1) == ["a pond"]

    assert chatting.steps()[-1].details["replayed_from"] == "child"
    assert set(Pins.of_record(child).prompts) == {"scene", "ask_again"}


@pytest.mark.parametrize(
    "asking",
    [
        lambda run: run(6).ask("scene", Prompt, task=TASK, subject="chair", direction="far"),
        lambda run: run(5).ask("scene", Prompt, task="设计一盏灯", subject="chair", direction="far"),
        lambda run: run(5).ask("scene", Prompt, task=TASK, subject="chair", direction="far", index=1),
        lambda run: run(5).ask("sketch_shape", Prompt, subject="chair", advice="{}"),
    ],
    ids=["another seed", "another task", "another place", "another prompt"],
)
def test_what_was_not_asked_like_this_is_asked(
    chatting: Bench, script: Script, asking: Callable[[Callable[[int], Chatting]], Prompt]
) -> None:
    script.answers = [_answer("a pond"), _answer("a hill")]
    chatting(5).ask("scene", Prompt, task=TASK, subject="chair", direction="far")
    parent = chatting.record()

    assert asking(lambda seed: chatting(seed, parent)).prompt == "a hill"

    assert "replayed_from" not in chatting.steps()[-1].details


def test_a_failed_question_is_asked_anew(chatting: Bench, script: Script) -> None:
    script.answers = ["no JSON, and much too long to be taken for a plain answer. " * 9] * 2
    with pytest.raises(AnswerUnusableError):
        _scenes(chatting(5), 1)
    script.answers = [_answer("a pond")]

    assert _scenes(chatting(5, chatting.record()), 1) == ["a pond"]


def test_an_answer_that_stayed_like_another_one_does_so_again(chatting: Bench, script: Script) -> None:
    script.answers = [_answer("a pond")] * 2 + ["no JSON, and much too long to be a plain answer. " * 9] * 2
    _scenes(chatting(5), 2)
    script.questions.clear()

    assert _scenes(chatting(5, chatting.record()), 2) == ["a pond", "a pond"]

    assert script.questions == []


def test_the_subject_of_the_parent_counts_whatever_is_remembered(
    chatting: Bench, script: Script, stores: Stores
) -> None:
    script.answers = [json.dumps({"subject": "chair"})]
    chatting(5).subject(TASK)
    remembered = chatting(6)
    remembered.subject(TASK)
    parent = RECORD.model_copy(update={"steps": chatting.steps()[-1:]})
    stores.database.collection("subjects").update_many({}, {"$set": {"subject": "stool"}})
    stores.subjects._known.clear()

    assert chatting(7, parent).subject(TASK) == "chair"

    sources = [step.details["source"] for step in chatting.steps() if step.kind == "subject"]
    assert sources == ["asked", "remembered", "replayed"]
    assert chatting(8).subject(TASK) == "stool"


def test_the_subject_is_named_once_in_a_run(chatting: Bench, script: Script) -> None:
    script.answers = [json.dumps({"subject": "chair"})]
    asking = chatting(5)

    assert [asking.subject(TASK), asking.subject(TASK)] == ["chair", "chair"]

    assert [step.kind for step in chatting.steps()] == ["chat", "subject"]


def test_a_step_names_the_version_of_each_file_that_shaped_its_question(chatting: Bench, script: Script) -> None:
    script.answers = [_answer("a pond")]

    _scenes(chatting(5), 1)

    book, [step] = chatting.parts.book, chatting.steps()
    assert step.details["template_hash"] == book.prompt("scene").hash
    assert step.details["directions_hash"] == book.directions().hash
