"""The chat capability of a run: prompts from the settings, answers in a checked form, different from one another."""

import hashlib
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, Field

from agent.answers import Asked, ask
from agent.errors import ChatError, ChatNotConfiguredError
from agent.gpt import ChatClient, ChatReply, Message
from jobs.parallel import all_of
from jobs.parts import Parts
from jobs.recorder import Recorder, Step
from settings.prompts import RenderedPrompt

Form = TypeVar("Form", bound=BaseModel)


class Subject(BaseModel):
    """The main object of a design task, as a short English noun that Stable Diffusion and SAM understand."""

    subject: str = Field(min_length=1, max_length=80)


class Chatting:
    """Asks the chat service for one run and keeps each question and answer in its record."""

    def __init__(self, parts: Parts, recorder: Recorder, seed: int) -> None:
        self._parts = parts
        self._recorder = recorder
        self._seed = seed

    def ask(self, prompt: str, form: type[Form], *, index: int = 0, **variables: str) -> Form:
        """Render a prompt of the settings, ask it, and return the answer in the given form."""
        rendered = self._parts.book.prompt(prompt).render(**variables)
        messages: list[Message] = [Message("user", rendered.text)]
        return self._asked(rendered, messages, form, index).answer

    def ask_each(self, num: int, prompt: str, form: type[Form], *, kind: str, **variables: str) -> list[Form]:
        """Ask `num` times at once, each from another direction, so that the answers differ.

        The directions come from the settings (`kind` names the list), starting at a place that the seed decides. An
        answer equal to an earlier one is asked for once more, showing the model what is there already.
        """

        def one(index: int) -> Form:
            direction = self._parts.book.direction(kind, self._seed + index)
            return self.ask(prompt, form, index=index, direction=direction, **variables)

        answers = all_of([lambda i=i: one(i) for i in range(num)])  # type: ignore[misc]
        for index in range(1, num):
            if answers[index] in answers[:index]:
                direction = self._parts.book.direction(kind, self._seed + index)
                answers[index] = self._ask_different(
                    prompt, form, index, answers[:index], {**variables, "direction": direction}
                )
        return answers

    def subject(self, task: str) -> str:
        """Name the main object of the task: asked once for each task, then remembered for everybody."""
        template = self._parts.book.prompt("subject")
        key = hashlib.sha256(f"{template.hash}\n{task}".encode()).hexdigest()
        known = self._parts.stores.subjects.get(key)
        if known is None:
            answer = self.ask("subject", Subject, task=task)
            known = self._parts.stores.subjects.put(key, answer.subject.strip(), source=f"subject@{template.hash}")
        return known.subject

    def _ask_different(
        self, prompt: str, form: type[Form], index: int, others: Sequence[Form], variables: dict[str, str]
    ) -> Form:
        rendered = self._parts.book.prompt(prompt).render(**variables)
        taken = "\n".join(other.model_dump_json(by_alias=True, exclude_none=True) for other in others)
        again = self._parts.book.prompt("ask_different").render(others=taken)
        messages: list[Message] = [Message("user", f"{rendered.text}\n\n{again.text}")]
        return self._asked(rendered, messages, form, index, different=True).answer

    def _asked(
        self, rendered: RenderedPrompt, messages: list[Message], form: type[Form], index: int, **facts: Any
    ) -> Asked[Form]:
        seed = (self._seed + index) % 2**31
        with self._recorder.step("chat", rendered.name, index=index, seed=seed, **facts) as step:
            step.details |= {
                "template": rendered.name,
                "template_hash": rendered.hash,
                "messages": [message.content for message in messages],
            }
            try:
                asked = ask(
                    self._client(),
                    messages,
                    form,
                    again=lambda reason: self._parts.book.prompt("ask_again").render(reason=reason).text,
                    temperature=rendered.temperature,
                    max_tokens=rendered.max_tokens,
                    seed=seed,
                )
            except ChatError as exc:
                _note(step, exc.replies)
                raise
            _note(step, asked.replies)
            step.details["repaired"] = asked.repaired
        return asked

    def _client(self) -> ChatClient:
        if self._parts.chat is None:
            raise ChatNotConfiguredError(
                "no chat service is configured; set OPENAI_API_KEY (with OPENAI_BASE_URL for a compatible service) "
                "or AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT"
            )
        return self._parts.chat


def _note(step: Step, replies: Sequence[ChatReply]) -> None:
    step.details["replies"] = [
        {
            "text": reply.text,
            "model": reply.model,
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
            "finish_reason": reply.finish_reason,
            "duration_s": round(reply.duration_s, 4),
            "response_id": reply.response_id,
        }
        for reply in replies
    ]
