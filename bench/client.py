"""A small HTTP/1.1 client for load: one connection after the other, or a thousand at once, at next to no cost.

A load generator shares two cores with what it measures, so what it spends is taken from the server.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 120.0
_LIMIT = 4 << 20


class WrongAnswerError(Exception):
    """A part answered something that the bench cannot go on with; the message says who and what."""


@dataclass(frozen=True)
class Response:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Connection:
    """A connection to one base URL that is opened at its first use and kept; one call at a time."""

    def __init__(self, base_url: str) -> None:
        """Only keep the address."""
        address = urlsplit(base_url)
        self._host, self._port = address.hostname or "127.0.0.1", address.port or 80
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(
        self, method: str, path: str, body: Any = None, *, timeout_s: float = TIMEOUT_S, **headers: str
    ) -> Response:
        """Send one request and read the whole answer; a body that is not bytes goes as JSON."""
        async with asyncio.timeout(timeout_s):
            reader = await self._sent(method, path, body, headers)
            status, got = await _head(reader)
            response = Response(status, got, await _body(reader, got))
        # Without a length the body ended with the connection.
        if got.get("connection", "").lower() == "close" or not got.keys() & {"content-length", "transfer-encoding"}:
            self.close()
        return response

    @asynccontextmanager
    async def events(self, path: str, **headers: str) -> AsyncIterator[AsyncIterator["Event"]]:
        """Follow a stream of Server-Sent Events."""
        reader = await self._sent("GET", path, None, {"accept": "text/event-stream", **headers})
        status, got = await _head(reader)
        if status != 200:
            raise WrongAnswerError(f"GET {path} answered {status} instead of a stream of events")
        try:
            yield _events(reader, got.get("transfer-encoding", "").lower() == "chunked")
        finally:
            self.close()

    def close(self) -> None:
        """End the connection; the next call opens a new one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _sent(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> asyncio.StreamReader:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        fields = {"Host": f"{self._host}:{self._port}", "Content-Length": str(len(content))}
        if content and not isinstance(body, bytes):
            fields["Content-Type"] = "application/json"
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        request = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + content
        # A kept connection may have been closed by the other side meanwhile: then a new one is opened, once.
        if self._streams is not None and self._streams[0].at_eof():
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=_LIMIT)
        reader, writer = self._streams
        writer.write(request)
        await writer.drain()
        return reader


@dataclass(frozen=True)
class Event:
    """One Server-Sent Event with its data decoded."""

    kind: str
    data: Any


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return int(first.split(" ", 2)[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return b"".join([piece async for piece in _chunks(reader)])
    length = headers.get("content-length")
    return await reader.readexactly(int(length)) if length is not None else await reader.read()


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")


async def _lines(reader: asyncio.StreamReader, is_chunked: bool) -> AsyncIterator[str]:
    if not is_chunked:
        while line := await reader.readline():
            yield line.decode().rstrip("\r\n")
        return
    rest = b""
    async for piece in _chunks(reader):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.decode().rstrip("\r")


async def _events(reader: asyncio.StreamReader, is_chunked: bool) -> AsyncIterator[Event]:
    kind, data = "message", ""
    async for line in _lines(reader, is_chunked):
        if line.startswith("event:"):
            kind = line[6:].strip()
        elif line.startswith("data:"):
            data += line[5:].strip()
        elif not line and data:
            yield Event(kind, json.loads(data))
            kind, data = "message", ""
