"""Log lines that can be followed: each carries its process, its request and the generation it belongs to."""

import logging
import re
import time

from flask import Flask, Response, g, request
from pythonjsonlogger.json import JsonFormatter
from ulid import ULID

from jobs.context import generation_id, request_id

FIELDS = "%(asctime)s %(levelname)s %(process)d %(name)s %(request_id)s %(generation_id)s %(message)s"
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

logger = logging.getLogger(__name__)


def current_request_id() -> str:
    """Return the id of the request that is being served here; `-` outside of one."""
    return request_id.get()


class _Ids(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        record.generation_id = generation_id.get()
        return True


def configure_logging(level: str, form: str) -> None:
    """Send all log lines of this process to stderr, as text or as one JSON object a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(FIELDS) if form == "json" else logging.Formatter(FIELDS))
    handler.addFilter(_Ids())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These two tell each connection at INFO; the interesting part is in our own lines.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)


def register_request_log(app: Flask) -> None:
    """Number every request, tell the id in `X-Request-ID`, and log how it ended."""

    @app.before_request
    def begin() -> None:
        asked = request.headers.get("X-Request-ID", "")
        g.started = time.perf_counter()
        request_id.set(asked if SAFE_ID.fullmatch(asked) else str(ULID()))

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id.get()
        duration_ms = 1000 * (time.perf_counter() - g.get("started", time.perf_counter()))
        logger.info("%s %r %s %.0f ms", request.method, request.path, response.status_code, duration_ms)
        return response
