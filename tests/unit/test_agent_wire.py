"""One HTTP exchange: every wait has an end, every error is one of requests."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from pytest_httpserver import HTTPServer

from agent.wire import Answer, exchange

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


@contextmanager
def _server(head: bytes, piece: bytes, pause_s: float, pieces: int) -> Iterator[str]:
    """Answer one connection with `head` and then `piece` again and again."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    connection.recv(65536)
                    connection.sendall(head)
                    for _ in range(pieces):
                        connection.sendall(piece)
                        if stop.wait(pause_s):
                            return
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        stop.set()
        thread.join(5)


def _get(url: str, read_timeout_s: float = 0.3) -> Answer:
    with requests.Session() as session:
        return exchange(session, "GET", url, connect_timeout_s=0.2, read_timeout_s=read_timeout_s)


@pytest.mark.parametrize(("piece", "pause_s"), [(b"x" * 4096, 0.0), (b"x", 0.05)])
@pytest.mark.parametrize("head", [HEAD + b"\r\n", HEAD + b"Content-Length: 99999999999\r\n\r\n"])
def test_a_body_that_never_ends_ends_in_time(head: bytes, piece: bytes, pause_s: float) -> None:
    with _server(head, piece, pause_s, 10**6) as url:
        began = time.monotonic()
        with pytest.raises(requests.ReadTimeout):
            _get(url)
        assert time.monotonic() - began < 3


def test_chunks_that_never_end_end_in_time() -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    with _server(head, b"1\r\nx\r\n", 0.05, 10**6) as url, pytest.raises(requests.ReadTimeout):
        _get(url)


def test_a_body_that_stops_short_is_an_error_of_requests() -> None:
    with _server(HEAD + b"Content-Length: 100\r\n\r\n", b"x", 0, 5) as url, pytest.raises(requests.RequestException):
        _get(url)


def test_a_body_in_pieces_arrives_whole() -> None:
    with _server(HEAD + b"Content-Length: 5\r\n\r\n", b"x", 0.01, 5) as url:
        assert _get(url, 5) == Answer(200, b"xxxxx")


def test_a_redirect_is_not_followed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", 302, {"Location": httpserver.url_for("/b")})
    assert _get(httpserver.url_for("/a"), 5).status == 302
    assert len(httpserver.log) == 1


def test_a_large_answer_arrives_whole_and_the_connection_is_kept(httpserver: HTTPServer) -> None:
    body = bytes(range(256)) * 8000
    httpserver.expect_request("/big").respond_with_data(body)
    with requests.Session() as session:
        for _ in range(2):
            answer = exchange(session, "GET", httpserver.url_for("/big"), connect_timeout_s=1, read_timeout_s=5)
            assert answer.content == body
