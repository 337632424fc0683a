"""Requests that are odd before anybody looks at what they ask for."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.api.server import Server

pytestmark = pytest.mark.api

Serve = Callable[..., Server]


def _sent(server: Server, headers: Mapping[str, str], body: Any = b"") -> tuple[int, dict[str, Any]]:
    """Send exactly these headers, which a well-behaved client would not."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.putrequest("POST", "/paint/start", skip_host=True)
    for name, value in {"Host": "design.example", "Content-Type": "application/json", **headers}.items():
        connection.putheader(name, value)
    chunked = "Transfer-Encoding" in headers
    if not chunked:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body, encode_chunked=chunked)
    answer = connection.getresponse()
    read = json.loads(answer.read())
    connection.close()
    return answer.status, read


@pytest.mark.parametrize(
    "header",
    [
        {"Host": "[bad"},
        {"Host": "a b"},
        {"X-Forwarded-Host": "evil.example:abc"},
        {"X-Forwarded-Port": "abc"},
        {"X-Forwarded-Proto": "javascript"},
    ],
    ids=str,
)
def test_a_request_without_a_usable_address_of_its_own_is_refused(server: Server, header: dict[str, str]) -> None:
    status, envelope = _sent(server, header, b'{"username": "P07"}')

    assert status == 400
    assert envelope.keys() == {"success", "data", "code", "message"}
    assert "Host" in envelope["message"]


def _chunks(megabytes: int) -> Iterator[bytes]:
    yield b'{"username": "'
    for _ in range(megabytes):
        yield b"x" * 2**20
    yield b'"}'


def test_a_large_body_that_does_not_tell_its_size_is_refused_and_not_cut(serve: Serve) -> None:
    server = serve(MAX_UPLOAD_MB=1)

    status, envelope = _sent(server, {"Transfer-Encoding": "chunked"}, _chunks(2))

    assert status == 413
    assert "MAX_UPLOAD_MB" in envelope["message"]
