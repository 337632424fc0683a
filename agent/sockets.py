"""A `requests` session whose call can be cut off from another thread.

`requests` has no way to end a call that waits for an answer. The session made here remembers its open sockets; shutting
one down ends the call with a connection error, which the caller translates.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class OpenSockets:
    """The sockets of one session."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._connections: WeakSet[HTTPConnection] = WeakSet()

    def add(self, connection: HTTPConnection) -> None:
        """Remember a connection as long as it is used."""
        with self._lock:
            self._connections.add(connection)

    def shut(self) -> None:
        """End whatever is being sent or waited for."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            if isinstance(connection.sock, socket.socket):
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)


def abortable_session(sockets: OpenSockets) -> requests.Session:
    """Make a session all of whose connections are in `sockets`."""

    class PlainConnection(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self)

    class SecureConnection(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    session = requests.Session()
    session.mount("http://", Adapter())
    session.mount("https://", Adapter())
    return session
