"""Answers that break on the wire: a reset in the middle, a body that trickles, text that is no JSON."""

import os
import socket
import struct
import time
from collections.abc import Iterator

from flask import Response, request

from standins.faults import Fault


def garbage() -> Response:
    """A 200 whose body is an HTML page, as a proxy in between would send."""
    return Response("<html><body>It works!</body></html>", status=200, content_type="application/json")


def reset() -> Response:
    """Begin an answer, then reset the TCP connection (RST, not FIN)."""
    connection = request.environ["werkzeug.socket"]

    def body() -> Iterator[bytes]:
        yield b'{"'
        _abort(connection)
        raise ConnectionResetError("reset by the stand-in's fault")

    return Response(body(), status=200, content_type="application/json")


def _abort(connection: socket.socket) -> None:
    # With linger on and zero seconds the kernel sends RST when the socket is closed, and drops what is unsent.
    # dup2 closes it under the server's hands and leaves a dead pipe in its place, so that no number is used twice.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    dead, other_end = socket.socketpair()
    other_end.close()
    os.dup2(dead.fileno(), connection.fileno())
    dead.close()


def slow_body(answer: Response, seconds: float, pieces: int = 20) -> Response:
    """The same answer, its body sent in pieces over so many seconds."""
    body = answer.get_data()
    size = max(1, -(-len(body) // pieces))

    def trickle() -> Iterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]
            time.sleep(seconds / pieces)

    return Response(trickle(), status=answer.status_code, content_type=answer.content_type)


def broken(fault: Fault, answer: Response) -> Response:
    """The answer as a wire fault makes it; any other kind leaves it alone."""
    if fault.kind == "reset":
        return reset()
    if fault.kind == "garbage":
        return garbage()
    if fault.kind == "slow_body":
        return slow_body(answer, fault.seconds)
    return answer
