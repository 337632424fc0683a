"""Many clients that wait at the same time and cost next to nothing: plain sockets in one loop, in one thread."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

AT_ONCE = 64
"""Connections that are opened at the same moment; a browser's class does not press the button in one millisecond."""


@dataclass
class Answer:
    """What one client has got so far."""

    content: bytes = b""
    arrivals_s: list[float] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The status; 0 when nothing came."""
        return int(self.content[9:12] or 0)

    @property
    def body(self) -> bytes:
        """What follows the headers."""
        return self.content.partition(b"\r\n\r\n")[2]

    def json(self) -> Any:
        """Read the body as JSON."""
        return json.loads(self.body)

    def events(self) -> list[dict[str, Any]]:
        """Read the body as an event stream: each event's id, name and data; comments are passed over."""
        blocks = self.body.decode().split("\n\n")
        lines = [
            dict(line.split(": ", 1) for line in block.split("\n") if line[:1] not in ("", ":")) for block in blocks
        ]
        return [{**event, "data": json.loads(event["data"])} for event in lines if "data" in event]


class Crowd:
    """Clients of one server; leaving the block sends home those who still wait."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._address = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._door = asyncio.Semaphore(AT_ONCE)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._send_home(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[Answer, Future[Answer]]:
        """Ask, and give what arrives while it arrives, and the promise of its end."""
        return self._ask("GET", path, b"", headers or {})

    def post(self, path: str, body: Mapping[str, Any]) -> tuple[Answer, Future[Answer]]:
        """Ask with a JSON body."""
        return self._ask("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[Answer, Future[Answer]]:
        # HTTP/1.0: the answer ends with the connection, and comes as it is, without chunks.
        head = [f"{method} {path} HTTP/1.0", f"Host: {self._address[0]}:{self._address[1]}"]
        head += [f"{name}: {value}" for name, value in {**headers, "Content-Length": str(len(body))}.items()]
        answer = Answer()
        asking = self._exchange("\r\n".join(head).encode() + b"\r\n\r\n" + body, answer)
        return answer, asyncio.run_coroutine_threadsafe(asking, self._loop)

    async def _exchange(self, request: bytes, answer: Answer) -> Answer:
        async with self._door:
            reader, writer = await asyncio.open_connection(*self._address)
            writer.write(request)
        try:
            while data := await reader.read(1 << 16):
                answer.content += data
                answer.arrivals_s.append(self._loop.time())
        finally:
            writer.close()
        return answer

    async def _send_home(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
