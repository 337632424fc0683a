"""The chat capability of a run: prompts from the settings, answers in a checked form, different from one another."""

import hashlib
import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from agent.answers import ask, parse_answer
from agent.conversation import ChatReply, Message, Question
from agent.errors import AnswerUnusableError, ChatError, ChatNotConfiguredError
from agent.gpt import ChatClient
from jobs.chat_counts import count_calls
from jobs.given import Given
from jobs.parallel import each
from jobs.parts import Parts
from jobs.recorder import Recorder, Step
from jobs.replay import AnswerKey, question_hash
from settings.prompts import RenderedPrompt

logger = logging.getLogger(__name__)

CHAT_SEED_LIMIT = 2**31
"""Some services take a seed of 31 bits only."""

Form = TypeVar("Form", bound=BaseModel)


NOUN = re.compile(r"[a-z0-9][a-z0-9'-]*( [a-z0-9'-]+){0,4}")


def _noun(value: str) -> str:
    bare = value.replace("’", "'").strip().strip(".,;:!\"'").strip().lower()
    if not NOUN.fullmatch(bare):
        raise ValueError("it must be a noun of one to five English words, and nothing else")
    return bare


class Subject(BaseModel):
    """The main object of a design task, as a short English noun that Stable Diffusion and SAM understand.

    An apology in whole sentences, or a noun in another language, is no subject: it would be remembered for everybody.
    """

    subject: Annotated[str, Field(max_length=80), AfterValidator(_noun)]


class Chatting:
    """Asks the chat service for one run and keeps each question and answer in its record.

    A rerun is not answered anew where its parent was asked the same: the `replay` has those answers.
    """

    def __init__(self, parts: Parts, recorder: Recorder, seed: int, given: Given) -> None:
        self._parts = parts
        self._recorder = recorder
        self._seed = seed
        self._versions = given.versions
        self._replay = given.replay
        self._subjects: dict[str, str] = {}
        self._naming = threading.Lock()

    def ask(self, prompt: str, form: type[Form], *, index: int = 0, **variables: str) -> Form:
        """Render a prompt of the settings, ask it, and return the answer in the given form."""
        return self._asked(self._versions.prompt(prompt).render(**variables), form, index)

    def ask_each(self, num: int, prompt: str, form: type[Form], *, kind: str, **variables: str) -> list[Form]:
        """Ask `num` times at once, each from another direction, so that the answers differ.

        The directions come from the settings (`kind` names the list), starting at a place that the seed decides. An
        answer equal to an earlier one is asked for once more, showing the model what is there already.
        """
        template, directions = self._versions.prompt(prompt), self._versions.directions()
        phrases = [directions.phrase(kind, self._seed + index) for index in range(num)]
        questions = [template.render(direction=phrase, **variables) for phrase in phrases]
        facts = {"directions_hash": directions.hash}
        answers = each(num, lambda index: self._asked(questions[index], form, index, facts=facts))
        for index in range(1, num):
            if answers[index] in answers[:index]:
                answers[index] = self._otherwise(questions[index], form, index, answers)
        return answers

    def subject(self, task: str) -> str:
        """Name the main object of the task: asked once for each task, then remembered for everybody.

        In a rerun that of its parent counts, whatever is remembered now. The record says which one was used, and why.
        """
        with self._naming:
            if task not in self._subjects:
                self._subjects[task] = self._named(task)
        return self._subjects[task]

    def _named(self, task: str) -> str:
        template = self._versions.prompt("subject")
        key = hashlib.sha256(f"{template.hash}\n{task}".encode()).hexdigest()
        noun, source = self._replay.subjects.get(key), "replayed"
        if noun is None:
            remembered = self._parts.stores.subjects
            known, source = remembered.get(key), "remembered"
            if known is None:
                answer = self.ask("subject", Subject, task=task)
                known, source = remembered.put(key, answer.subject, source=f"subject@{template.hash}"), "asked"
            noun = known.subject
        facts: dict[str, Any] = {"subject": noun, "source": source, "task_hash": key, "template_hash": template.hash}
        if source == "replayed":
            facts["replayed_from"] = self._replay.parent
        with self._recorder.step("subject", "subject", weight=0.0, template="subject", **facts):
            return noun

    def _otherwise(self, first: RenderedPrompt, form: type[Form], index: int, answers: Sequence[Form]) -> Form:
        written = [answer.model_dump_json(by_alias=True, exclude_none=True) for answer in answers]
        follow_up = self._versions.prompt("ask_different").render(others="\n".join(written[:index]))
        earlier = (Message("user", first.text), Message("assistant", written[index]))
        try:
            return self._asked(follow_up, form, index, earlier)
        except ChatError as exc:
            # The step stands in the record as failed; an answer that is like another one is better than none.
            logger.warning("answer %d stays like another one: %s", index, exc)
            return answers[index]

    def _asked(
        self,
        rendered: RenderedPrompt,
        form: type[Form],
        index: int,
        earlier: tuple[Message, ...] = (),
        facts: Mapping[str, str] = MappingProxyType({}),
    ) -> Form:
        question = _question(rendered, earlier)
        seed = (self._seed + index) % CHAT_SEED_LIMIT
        key = AnswerKey(rendered.name, rendered.hash, question_hash(question.messages), index, seed)
        known = self._replay.answers.get(key, {})
        answer = _read(known, form)
        details = {"index": index, "seed": seed, "question_hash": key.question_hash, **_facts(rendered), **facts}
        with self._recorder.step("chat", rendered.name, weight=None if answer is None else 0.0, **details) as step:
            if answer is not None:
                step.details |= {**known, "replayed_from": self._replay.parent}
                return answer
            if key in self._replay.failed:
                step.details["replayed_from"] = self._replay.parent
                raise ChatError("this question failed in the generation that is run again, and is not asked once more")
            return self._answered(question, form, seed, step)

    def _answered(self, question: Question, form: type[Form], seed: int, step: Step) -> Form:
        def again(reason: str) -> Question:
            follow_up = self._versions.prompt("ask_again").render(reason=reason)
            step.details["asked_again"] = _facts(follow_up)
            return _question(follow_up)

        began_s = time.monotonic()
        try:
            asked = ask(self._client(), question, form, again=again, seed=seed)
        except ChatError as exc:
            count_calls(self._parts.metrics, exc.replies, time.monotonic() - began_s, exc)
            step.details["replies"] = _replies(exc.replies)
            raise
        count_calls(self._parts.metrics, asked.replies, time.monotonic() - began_s)
        step.details |= {"replies": _replies(asked.replies), "repaired": asked.repaired}
        return asked.answer

    def _client(self) -> ChatClient:
        if self._parts.chat is None:
            raise ChatNotConfiguredError(
                "no chat service is configured; set OPENAI_API_KEY (with OPENAI_BASE_URL for a compatible service) "
                "or AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT"
            )
        return self._parts.chat


def _question(rendered: RenderedPrompt, earlier: tuple[Message, ...] = ()) -> Question:
    return Question(rendered.text, rendered.temperature, rendered.max_tokens, earlier)


def _facts(rendered: RenderedPrompt) -> dict[str, Any]:
    return {
        "template": rendered.name,
        "template_hash": rendered.hash,
        "prompt": rendered.text,
        "temperature": rendered.temperature,
        "max_tokens": rendered.max_tokens,
    }


def _replies(replies: Sequence[ChatReply]) -> list[dict[str, Any]]:
    return [asdict(reply) for reply in replies]


def _read(known: Mapping[str, Any], form: type[Form]) -> Form | None:
    """Read the answer of an earlier run; None where there is none, or none that is of use today."""
    if not known.get("replies"):
        return None
    try:
        return parse_answer(known["replies"][-1]["text"], form)
    except AnswerUnusableError:
        return None
