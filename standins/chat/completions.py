"""One chat completion: read the call, take its time, write the answer's body."""

import hashlib
import time
import uuid
from dataclasses import dataclass
from typing import Any

from standins.chat.answers import Writer, spoiled

FINGERPRINT = "fp_standin001"


@dataclass(frozen=True)
class Call:
    """The parts of a request body that the stand-in looks at."""

    model: str
    prompt: str
    texts: list[str]
    seed: str
    max_tokens: int | None
    choices: int

    @property
    def prompt_hash(self) -> str:
        """Tells calls apart in the journal without showing their text."""
        return hashlib.sha256(self.prompt.encode()).hexdigest()[:16]


def read_call(body: dict[str, Any], model: str) -> Call:
    """Without a seed, and with a temperature above 0, the answer is different every time."""
    is_fixed = body.get("seed") is not None or body.get("temperature") == 0
    said = [(message.get("role"), _text(message.get("content"))) for message in body["messages"]]
    return Call(
        model=model, prompt="\n".join(text for _role, text in said),
        texts=[text for role, text in said if role != "assistant"],
        seed=str(body.get("seed")) if is_fixed else uuid.uuid4().hex,
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"), choices=int(body.get("n") or 1),
    )  # fmt: skip


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def tokens_of(text: str) -> int:
    """A plausible count: four Latin letters or one Chinese character each."""
    wide = sum(1 for sign in text if ord(sign) > 0x2E80)
    return wide + -(-(len(text) - wide) // 4)


def completion(call: Call, fault: str, is_azure: bool) -> dict[str, Any]:
    """The body of a 200."""
    choices = [_choice(call, index, fault, is_azure) for index in range(call.choices)]
    asked, said = tokens_of(call.prompt) + 7, sum(tokens_of(choice["message"]["content"] or "") for choice in choices)
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex[:29]}", "object": "chat.completion", "created": int(time.time()),
        "model": call.model, "choices": choices, "system_fingerprint": FINGERPRINT, "service_tier": "default",
        "usage": {
            "prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
    }  # fmt: skip


def _choice(call: Call, index: int, fault: str, is_azure: bool) -> dict[str, Any]:
    seed = f"{call.seed}/{index}/{call.prompt_hash}"
    writer, text = Writer(call.texts, seed), Writer(call.texts, seed).text()
    content, reason = spoiled(fault, text, writer.value()), "stop"
    if fault.startswith("content_filter"):
        content, reason = "", "content_filter"
    elif call.max_tokens and tokens_of(content) > call.max_tokens:
        content, reason = _cut(content, call.max_tokens), "length"
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None, "annotations": []}
    choice: dict[str, Any] = {"index": index, "message": message, "logprobs": None, "finish_reason": reason}
    return choice | ({"content_filter_results": {}} if is_azure else {})


def _cut(text: str, limit: int) -> str:
    while tokens_of(text) > limit:
        text = text[: max(1, int(len(text) * 0.95))] if len(text) > 1 else ""
    return text
