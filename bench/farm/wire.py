"""The least HTTP/1.1 server that the farm needs: asyncio, keep-alive, bodies with a length, JSON answers."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

LARGEST_BODY = 64 << 20


@dataclass(frozen=True)
class Request:
    """One call; `path` is without the query."""

    method: str
    path: str
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Answer:
    """A status and a body in pieces, so that a large canned piece is never copied."""

    status: int
    pieces: tuple[bytes, ...]


Handler = Callable[[Request], Awaitable[Answer]]


def answer_json(value: Any, status: int = 200) -> Answer:
    """Answer a value as JSON."""
    return Answer(status, (json.dumps(value).encode(),))


async def listen(handler: Handler, port: int) -> asyncio.Server:
    """Serve `handler` on this machine's port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client that goes away ends its connection, never the job that it asked for.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            while await _serve_one(reader, writer, handler):
                pass
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", port, limit=1 << 20, backlog=256)


async def _serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> bool:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return False
    first, *lines = head.split("\r\n")
    method, target, _version = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length") or 0)
    if length > LARGEST_BODY:
        return False
    body = await reader.readexactly(length) if length else b""
    answer = await handler(Request(method, target.partition("?")[0], body))
    writer.writelines((_head_of(answer), *answer.pieces))
    await writer.drain()
    return headers.get("connection", "").lower() != "close"


def _head_of(answer: Answer) -> bytes:
    size = sum(map(len, answer.pieces))
    status = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"
    return f"{status}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode()
