"""Every request is counted: how often each route is asked, how it answers, how long it takes, how many are open."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from werkzeug.wsgi import ClosingIterator

from jobs.metrics import Metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def register_counting(app: Flask, metrics: Metrics) -> None:
    """Count what this app serves."""
    app.wsgi_app = _Open(app.wsgi_app, metrics)  # type: ignore[method-assign]

    @app.after_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else ""
        duration_s = time.perf_counter() - g.get("started", time.perf_counter())
        metrics.request_served(request.method, route, response.status_code, duration_s)
        return response


class _Open:
    """Counts a request as open until the last byte of its answer is sent, or its caller is gone."""

    def __init__(self, wsgi_app: "WSGIApplication", metrics: Metrics) -> None:
        self._wsgi_app = wsgi_app
        self._metrics = metrics

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        self._metrics.request_begun()
        try:
            answer = self._wsgi_app(environ, start_response)
        except BaseException:
            self._metrics.request_closed()
            raise
        return ClosingIterator(answer, self._metrics.request_closed)
