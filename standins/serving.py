"""How a stand-in listens: a threaded HTTP/1.1 server that says its address in the log and ends on SIGTERM."""

import logging
import signal
import sys
from types import FrameType
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

logger = logging.getLogger(__name__)


class QuietHandler(WSGIRequestHandler):
    """One line per request would drown the lines that matter."""

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Say nothing."""


def set_up_logging() -> None:
    """Send this process's log to stderr in one plain form."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)


def serve(app: Flask, host: str, port: int, title: str) -> None:
    """Listen until SIGINT or SIGTERM; port 0 takes a free one, which the log line tells."""
    server = make_server(host, port, app, threaded=True, request_handler=QuietHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    logger.info("stand-in %s listening on http://%s:%d", title, host, server.port)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        logger.info("stand-in %s stopped", title)
    finally:
        server.server_close()
