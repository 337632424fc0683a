"""The server under test on a real port, and a small client that speaks to it as a browser or a program would."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from apps.assembly import build_services
from apps.factory import create_app
from apps.services import Services
from config import Config, load_config
from store.stores import Stores

TIMEOUT_S = 30


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Server:
    """A running server: its address, its parts, and calls to it. Each call has a connection of its own."""

    url: str
    services: Services
    config: Config

    @property
    def stores(self) -> Stores:
        """What the server wrote, to be read by tests."""
        return self.services.stores

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send one request to a path, or to a whole URL that the server gave out."""
        url = path if path.startswith("http") else self.url + path
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, url, timeout=TIMEOUT_S, **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        """GET without following redirects."""
        return self.call("GET", path, allow_redirects=False, **more)

    def post(self, path: str, body: Any, **more: Any) -> requests.Response:
        """POST a JSON body."""
        return self.call("POST", path, json=body, **more)

    def send(self, path: str, content: bytes, name: str = "canvas.png") -> requests.Response:
        """POST a picture as the browser's form does."""
        return self.call("POST", path, files={"file": (name, content, "image/png")})

    def uploaded(self, content: bytes, name: str = "canvas.png") -> str:
        """Upload a canvas and return its URL."""
        answer = self.send("/upload", content, name)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])


@contextmanager
def serving(settings: Mapping[str, Any], change: Callable[[Services], Services] = lambda it: it) -> Iterator[Server]:
    """Run a server with these settings, and no others, as long as the block lasts; `change` may swap its parts."""
    config = load_config(_env_file=None, **settings)
    services = change(build_services(config))
    app = create_app(config, services)
    listener = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{listener.port}", services, config)
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
        services.close()
