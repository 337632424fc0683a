"""One HTTP exchange whose every wait has an end.

`requests` limits the wait between two bytes only, so a body that trickles would hold us for ever. Here the whole
answer has one deadline. All errors are `requests` exceptions; the clients above translate them.
"""

import time
from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import HTTPError as TransportError
from urllib3.exceptions import ReadTimeoutError

_CHUNK_BYTES = 1 << 16
_SHORTEST_WAIT_S = 0.001


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the whole body, and how long the other side says that it took for it."""

    status: int
    content: bytes
    process_s: float | None = None


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    *,
    connect_timeout_s: float,
    read_timeout_s: float,
    payload: Any = None,
) -> Answer:
    """Send `payload` as JSON and read the whole answer within `read_timeout_s`, counted from the sending.

    Redirects are not followed: `requests` would turn the POST into a GET. Raises only `requests.RequestException`.
    """
    # The connection is a part of the wait, not an addition that nobody sees.
    deadline = time.monotonic() + connect_timeout_s + read_timeout_s
    with session.request(
        method,
        url,
        json=payload,
        timeout=(connect_timeout_s, read_timeout_s),
        stream=True,
        allow_redirects=False,
    ) as response:
        return Answer(response.status_code, _read_to_end(response, deadline), _process_s(response))


def _process_s(response: requests.Response) -> float | None:
    # Every answer of a WebUI has this header.
    try:
        return float(response.headers["X-Process-Time"])
    except (KeyError, ValueError):
        return None


def _read_to_end(response: requests.Response, deadline: float) -> bytes:
    chunks: list[bytes] = []
    try:
        _limit_next_read(response, deadline)
        # read1 hands over what has come so far; read would wait for a full chunk, however slowly it comes.
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            chunks.append(chunk)
            _limit_next_read(response, deadline)
    except ReadTimeoutError as exc:
        raise requests.ReadTimeout(str(exc)) from exc
    except TransportError as exc:
        raise requests.exceptions.ChunkedEncodingError(str(exc)) from exc
    return b"".join(chunks)


def _limit_next_read(response: requests.Response, deadline: float) -> None:
    remaining_s = deadline - time.monotonic()
    if remaining_s <= 0:
        raise requests.ReadTimeout("the answer began but did not end in time")
    # The socket's own limit restarts with each byte; it must shrink with what is left of the whole.
    connection = getattr(response.raw, "_connection", None)
    socket = getattr(connection, "sock", None)
    if socket is not None:
        socket.settimeout(max(remaining_s, _SHORTEST_WAIT_S))
