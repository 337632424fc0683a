"""One end for the whole of a chat completion's HTTP exchange.

The SDK's HTTP client limits the wait between two pieces of an answer only, so a body that trickles would hold us for
ever. The hooks here give each try one deadline. What it ends is a `httpx2.ReadTimeout`, which the SDK knows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx2

_DEADLINE = "stepideator_deadline"
_SHORTEST_WAIT_S = 0.001


def deadline_hooks(timeout_s: float) -> dict[str, list[Any]]:
    """Make the `event_hooks` of a client whose answers are complete within `timeout_s` seconds, redirects included."""

    def begin(request: httpx2.Request) -> None:
        # The request after a redirect takes over what the first one had.
        request.extensions.setdefault(_DEADLINE, time.monotonic() + timeout_s)

    def limit(response: httpx2.Response) -> None:
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _LimitedStream(response.stream, response.request)

    return {"request": [begin], "response": [limit]}


class _LimitedStream(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, request: httpx2.Request) -> None:
        self._stream = stream
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        deadline: float = self._request.extensions[_DEADLINE]
        # The headers took their part of the time; the wait for the body's first piece gets only what is left.
        self._request.extensions["timeout"]["read"] = max(deadline - time.monotonic(), _SHORTEST_WAIT_S)
        for piece in self._stream:
            if time.monotonic() > deadline:
                raise httpx2.ReadTimeout("the answer began but did not end in time", request=self._request)
            yield piece

    def close(self) -> None:
        self._stream.close()
