"""The server as its clients see it: jobs with events, the front end's /generate, pictures sent and fetched."""

import asyncio
import base64
import time
from dataclasses import dataclass
from typing import Any

from bench.buttons import BUTTONS
from bench.client import Connection, Response, WrongAnswerError

TASK = "Design a portable kettle for mountain campers"
ENDED = ("succeeded", "failed", "canceled")


@dataclass(frozen=True)
class Job:
    """One generation to be made; its number is the seed of its first picture, so that a journal knows it again."""

    number: int
    operation: str = "sketch.create_new"
    username: str = "P01"
    task: str = TASK
    num: int = 1


@dataclass(frozen=True)
class Done:
    """How a job ended, with the client's times (seconds of `time.time()`)."""

    job: Job
    submitted: float
    ended: float
    is_good: bool
    message: str = ""


class Api:
    """A server at a base URL. Each call has its own connection unless it is given one."""

    def __init__(self, url: str) -> None:
        """Only keep the address."""
        self.url = url

    async def run(self, job: Job) -> Done:
        """Submit a job to /api/generations and follow its events to its end."""
        submitted = time.time()
        connection = Connection(self.url)
        try:
            accepted = await self._submitted(connection, job)
            state, message = await self._followed(connection, accepted["id"])
        finally:
            connection.close()
        return Done(job, submitted, time.time(), state == "succeeded", message)

    async def submit(self, job: Job) -> str:
        """Submit a job and return its id."""
        connection = Connection(self.url)
        try:
            return str((await self._submitted(connection, job))["id"])
        finally:
            connection.close()

    async def _submitted(self, connection: Connection, job: Job) -> dict[str, Any]:
        body = {
            "username": job.username, "operation": job.operation, "task": job.task, "num": job.num, "seed": job.number,
        }  # fmt: skip
        response = await connection.call("POST", "/api/generations", body)
        while response.status == 429:
            await asyncio.sleep(float(response.headers.get("retry-after", 1)))
            response = await connection.call("POST", "/api/generations", body)
        data = (response.json() or {}).get("data")
        if response.status not in (200, 202) or not isinstance(data, dict):
            raise WrongAnswerError(f"POST /api/generations answered {response.status}: {response.body[:300]!r}")
        return data

    async def _followed(self, connection: Connection, generation_id: str) -> tuple[str, str]:
        path = f"/api/generations/{generation_id}"
        async with connection.events(f"{path}/events") as events:
            async for event in events:
                state = event.data.get("job", {}).get("state", "")
                if state == "succeeded":
                    return state, ""
        # The stream ended otherwise: the record says how.
        job = (await connection.call("GET", path)).json()["data"]
        return str(job["state"]), str((job.get("error") or {}).get("message", ""))

    async def generate(self, job: Job, connection: Connection, **more: Any) -> Done:
        """Press the front end's button and wait for the answer."""
        ai_stage, button, stage = BUTTONS[job.operation]
        body = {
            "username": job.username, "designTask": job.task, "currentNum": job.num, "currentAIStage": ai_stage,
            "currentStage": stage, "selectedTexts": [], "selectedCanvasRecords": [],
            "selectedButtonInfo": {"buttonText": button, "aiStage": ai_stage}, "seed": job.number, **more,
        }  # fmt: skip
        submitted = time.time()
        answer = (await connection.call("POST", "/generate", body, timeout_s=600)).json() or {}
        return Done(job, submitted, time.time(), bool(answer.get("success")), str(answer.get("message", "")))

    async def upload(self, png: bytes) -> str:
        """Send a canvas as the front end does; returns its URL."""
        edge = "bench-boundary"
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="canvas.png"\r\n'
        body = f"{head}Content-Type: image/png\r\n\r\n".encode() + png + f"\r\n--{edge}--\r\n".encode()
        response = await self.call("POST", "/upload", body, content_type=f"multipart/form-data; boundary={edge}")
        return str(response.json()["url"])

    async def call(self, method: str, path: str, body: Any = None, **headers: Any) -> Response:
        """Send one request on a connection of its own."""
        connection = Connection(self.url)
        try:
            return await connection.call(method, path, body, **headers)
        finally:
            connection.close()


def data_url(png: bytes) -> str:
    """Write a picture as a data URL."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
