"""A wire that can be cut at the worst moment: MongoDB has acted, and its answer gets lost."""

from __future__ import annotations

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


class CuttingProxy(socketserver.ThreadingTCPServer):
    """Forwards to a server on this machine; once armed, it swallows one answer and hangs up."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, uri: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target = ("127.0.0.1", urlsplit(uri).port or 0)
        self.cuts = 0
        self._lock = threading.Lock()
        self._armed = b""

    @property
    def uri(self) -> str:
        """Give the connection string of the proxy; direct, or the driver would go around it."""
        return f"mongodb://127.0.0.1:{self.server_address[1]}/?directConnection=true"

    def cut_at(self, command: str, collection: str) -> None:
        """Lose the answer to the next command of this name on this collection."""
        size = (len(collection) + 1).to_bytes(4, "little")
        self._armed = b"\x02" + command.encode() + b"\x00" + size + collection.encode() + b"\x00"

    def takes(self, request: bytes) -> bool:
        """Say whether this is the request whose answer gets lost, which is so only once."""
        with self._lock:
            if not self._armed or self._armed not in request:
                return False
            self._armed = b""
            self.cuts += 1
            return True


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        proxy = self.server
        assert isinstance(proxy, CuttingProxy)
        client: socket.socket = self.request
        is_cut = False
        with socket.create_connection(proxy.target) as server:
            while True:
                for source in select.select([client, server], [], [])[0]:
                    chunk = source.recv(1 << 20)
                    if not chunk or (source is server and is_cut):
                        return
                    is_cut = is_cut or (source is client and proxy.takes(chunk))
                    (server if source is client else client).sendall(chunk)


@contextmanager
def cutting_proxy(uri: str) -> Iterator[CuttingProxy]:
    """Run a proxy in front of a server while the block runs."""
    with CuttingProxy(uri) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
