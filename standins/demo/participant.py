"""A participant without a browser: the calls of the existing front end, and its rules for what it can show."""

import io
import json
import time
from dataclasses import dataclass

import requests
from PIL import Image

from standins.demo.walk import Step

USERNAME = "示范 demo"
ANSWER_TIMEOUT_S = 900


class WrongAnswerError(Exception):
    """The server refused, or its answer could not be shown by the front end; the message says what and why."""


@dataclass(frozen=True)
class Answer:
    """What one operation gave, as the front end would show it: cards and pictures, in order."""

    texts: list[dict[str, object]]
    images: list[Image.Image]


class Participant:
    """One participant at one server."""

    def __init__(self, base_url: str, task: str) -> None:
        """Connect nothing yet; texts come in the language of the task."""
        self._base_url = base_url
        self._task = task
        self._session = requests.Session()
        self._visits: dict[str, dict[str, list[dict[str, int]]]] = {"stage": {}, "ai": {}}

    def upload(self, canvas: Image.Image) -> str:
        """Send the canvas as the front end does, and return the URL to name it by."""
        file = ("canvas.png", png_bytes(canvas), "image/png")
        body = self._json(self._session.post(f"{self._base_url}/upload", files={"file": file}, timeout=60))
        if not isinstance(url := body.get("url"), str):
            raise WrongAnswerError(f"/upload gave no url: {body.get('message', body)}")
        return url

    def generate(self, step: Step, texts: list[str], canvas_url: str | None) -> Answer:
        """Press the step's button, and check the answer by the contract.

        Raises:
            WrongAnswerError: refused, or something in it that the front end cannot show.
        """
        self._visit(step)
        body = {
            "username": USERNAME,
            "designTask": self._task,
            "currentNum": step.count,
            "currentAIStage": step.ai_stage,
            "currentStage": step.stage,
            "selectedTexts": texts,
            "selectedCanvasRecords": [canvas_url] if canvas_url else [],
            "selectedButtonInfo": {"buttonText": step.button, "aiStage": step.ai_stage},
        }
        url = f"{self._base_url}/generate"
        envelope = self._json(self._session.post(url, json=body, timeout=ANSWER_TIMEOUT_S))
        if not envelope.get("success"):
            raise WrongAnswerError(f"{envelope.get('message') or envelope}")
        answer = self._read(envelope.get("data"))
        _check_counts(step, answer)
        return answer

    def record_time(self) -> None:
        """Send how long each stage took, as the second round button does."""
        body = {
            "username": USERNAME,
            "stageSwitchRecords": self._visits["stage"],
            "aiStageSwitchRecords": self._visits["ai"],
        }
        answer = self._json(self._session.post(f"{self._base_url}/timeRecord", json=body, timeout=60))
        if not answer.get("success"):
            raise WrongAnswerError(f"/timeRecord: {answer.get('message')}")

    def _visit(self, step: Step) -> None:
        now_ms = int(time.time() * 1000)
        for kind, stage in (("stage", step.stage), ("ai", step.ai_stage)):
            self._visits[kind].setdefault(stage, []).append({"startTime": now_ms})

    def _read(self, data: object) -> Answer:
        """Take `data` apart by the rules of the front end: a block is all pictures, or all cards."""
        texts: list[dict[str, object]] = []
        images: list[Image.Image] = []
        for block in data if isinstance(data, list) else [data]:
            values = _values(block)
            if all(value.endswith((".png", ".jpg", ".jpeg", ".gif")) for value in values):
                images.extend(self._picture(value) for value in values)
            else:
                texts.extend(_card(value) for value in values)
        return Answer(texts, images)

    def _picture(self, url: str) -> Image.Image:
        response = self._session.get(url, timeout=60)
        if response.status_code != 200 or not response.headers.get("Access-Control-Allow-Origin"):
            raise WrongAnswerError(f"{url} answered {response.status_code}, or without Access-Control-Allow-Origin")
        return Image.open(io.BytesIO(response.content)).convert("RGB")

    def _json(self, response: requests.Response) -> dict[str, object]:
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise WrongAnswerError(f"{response.url} answered {response.status_code} without a JSON object")
        return body


def png_bytes(image: Image.Image) -> bytes:
    """Encode a picture as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _values(block: object) -> list[str]:
    if not isinstance(block, dict) or not block or not all(isinstance(value, str) for value in block.values()):
        raise WrongAnswerError("a block of `data` is not an object of strings")
    return [block[key] for key in sorted(block, key=int)]


def _card(text: str) -> dict[str, object]:
    try:
        card = json.loads(text)
    except ValueError:
        raise WrongAnswerError("a text is not JSON, so its card would be empty") from None
    if not isinstance(card, dict) or "null" in json.dumps(_leaves(card)):
        raise WrongAnswerError("a text is not an object, or holds null, which crashes the page")
    return card


def _leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in _leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in _leaves(part)]
    return [None] if value is None else []


def _check_counts(step: Step, answer: Answer) -> None:
    if (len(answer.texts), len(answer.images)) != step.expected:
        raise WrongAnswerError(
            f"gave {len(answer.texts)} texts and {len(answer.images)} pictures "
            f"instead of {step.expected[0]} and {step.expected[1]}"
        )
