"""The chat capability of a run: prompts from the settings, answers in a checked form, different from one another."""

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from agent.answers import ask
from agent.conversation import ChatReply, Message, Question
from agent.errors import ChatError, ChatNotConfiguredError
from agent.gpt import ChatClient
from jobs.parallel import each
from jobs.parts import Parts
from jobs.recorder import Recorder
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
    """Asks the chat service for one run and keeps each question and answer in its record."""

    def __init__(self, parts: Parts, recorder: Recorder, seed: int) -> None:
        self._parts = parts
        self._recorder = recorder
        self._seed = seed

    def ask(self, prompt: str, form: type[Form], *, index: int = 0, **variables: str) -> Form:
        """Render a prompt of the settings, ask it, and return the answer in the given form."""
        rendered = self._parts.book.prompt(prompt).render(**variables)
        return self._asked(rendered, form, index)

    def ask_each(self, num: int, prompt: str, form: type[Form], *, kind: str, **variables: str) -> list[Form]:
        """Ask `num` times at once, each from another direction, so that the answers differ.

        The directions come from the settings (`kind` names the list), starting at a place that the seed decides. An
        answer equal to an earlier one is asked for once more, showing the model what is there already.
        """

        template, book = self._parts.book.prompt(prompt), self._parts.book
        directions = [book.direction(kind, self._seed + index) for index in range(num)]
        questions = [template.render(direction=direction, **variables) for direction in directions]
        answers = each(num, lambda index: self._asked(questions[index], form, index))
        for index in range(1, num):
            if answers[index] in answers[:index]:
                answers[index] = self._otherwise(questions[index], form, index, answers)
        return answers

    def subject(self, task: str) -> str:
        """Name the main object of the task: asked once for each task, then remembered for everybody."""
        template = self._parts.book.prompt("subject")
        key = hashlib.sha256(f"{template.hash}\n{task}".encode()).hexdigest()
        known = self._parts.stores.subjects.get(key)
        if known is None:
            answer = self.ask("subject", Subject, task=task)
            known = self._parts.stores.subjects.put(key, answer.subject, source=f"subject@{template.hash}")
        return known.subject

    def _otherwise(self, first: RenderedPrompt, form: type[Form], index: int, answers: Sequence[Form]) -> Form:
        written = [answer.model_dump_json(by_alias=True, exclude_none=True) for answer in answers]
        follow_up = self._parts.book.prompt("ask_different").render(others="\n".join(written[:index]))
        earlier = (Message("user", first.text), Message("assistant", written[index]))
        try:
            return self._asked(follow_up, form, index, earlier)
        except ChatError as exc:
            # The step stands in the record as failed; an answer that is like another one is better than none.
            logger.warning("answer %d stays like another one: %s", index, exc)
            return answers[index]

    def _asked(self, rendered: RenderedPrompt, form: type[Form], index: int, earlier: tuple[Message, ...] = ()) -> Form:
        seed = (self._seed + index) % CHAT_SEED_LIMIT
        with self._recorder.step("chat", rendered.name, index=index, seed=seed, **_facts(rendered)) as step:

            def again(reason: str) -> Question:
                follow_up = self._parts.book.prompt("ask_again").render(reason=reason)
                step.details["asked_again"] = _facts(follow_up)
                return _question(follow_up)

            try:
                asked = ask(self._client(), _question(rendered, earlier), form, again=again, seed=seed)
            except ChatError as exc:
                step.details["replies"] = _replies(exc.replies)
                raise
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
