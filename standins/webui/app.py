"""The HTTP side: one Flask application with the WebUI's paths."""

import logging
import time
from base64 import b64decode
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, jsonify, request

from standins import wire
from standins.control import control_blueprint
from standins.webui import extensions, internal, sdapi
from standins.webui.errors import FAULTS, CrashedError, RefusedError, WebUIError
from standins.webui.instance import Instance, Settings

logger = logging.getLogger(__name__)
Answer = Response | tuple[Response, int]


def create_app(settings: Settings) -> Flask:
    """An application over a fresh instance."""
    instance = Instance(settings)
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.register_blueprint(sdapi.blueprint(instance))
    if not settings.nowebui:
        app.register_blueprint(internal.blueprint(instance))
    if settings.controlnet:
        app.register_blueprint(extensions.controlnet_blueprint(instance))
    if settings.sam:
        app.register_blueprint(extensions.sam_blueprint(instance))
    app.register_blueprint(control_blueprint(instance.controls, "webui", settings.name))
    _add_errors(app)
    _add_hooks(app, instance)
    return app


def _add_errors(app: Flask) -> None:
    def plain(detail: str, status: int) -> Callable[[Any], Answer]:
        def handler(error: Any) -> Answer:
            answer = jsonify({"detail": detail})
            if getattr(error, "valid_methods", None):
                answer.headers["Allow"] = ", ".join(sorted(set(error.valid_methods) - {"HEAD", "OPTIONS"}))
            return answer, status

        return handler

    app.register_error_handler(404, plain("Not Found", 404))
    app.register_error_handler(405, plain("Method Not Allowed", 405))
    app.register_error_handler(Exception, _crash)
    app.register_error_handler(WebUIError, lambda error: (jsonify(error.body()), error.status))


def _crash(error: Exception) -> Answer:
    """The WebUI shows any exception by its class name; one that is not planned here is a mistake of the stand-in."""
    logger.exception("the stand-in broke", exc_info=error)
    return jsonify(CrashedError(type(error).__name__, str(error)).body()), 500


def _add_hooks(app: Flask, instance: Instance) -> None:
    @app.before_request
    def enter() -> None:
        """Wait while SAM blocks the process or all worker threads are taken; then authorise."""
        g.began, g.fault, g.has_thread = time.perf_counter(), None, False
        if request.path.startswith("/standin/"):
            return
        with instance.event_loop:
            pass
        instance.threads.acquire()
        g.has_thread = True
        if request.url_rule and request.path.startswith("/sdapi/"):
            _authorise(instance.settings.api_auth)
        _meet_fault(instance)

    @app.after_request
    def leave(answer: Response) -> Response:
        """Break the answer if a fault says so; mark it as a stand-in's."""
        answer = _broken(answer)
        answer.headers["X-Stand-In"] = "webui"
        answer.headers["X-Process-Time"] = f"{time.perf_counter() - g.get('began', time.perf_counter()):.4f}"
        return answer

    @app.teardown_request
    def give_back(_error: BaseException | None) -> None:
        """Free the worker thread, whatever happened."""
        if g.pop("has_thread", False):
            instance.threads.release()


def _authorise(api_auth: str | None) -> None:
    if not api_auth:
        return
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise RefusedError(401, "Not authenticated")
    try:
        given = b64decode(text, validate=True).decode()
    except ValueError:
        raise RefusedError(401, "Invalid authentication credentials") from None
    if ":" not in given:
        raise RefusedError(401, "Invalid authentication credentials")
    if given not in api_auth.split(","):
        raise RefusedError(401, "Incorrect username or password")


HEAVY = ("txt2img", "img2img", "sam-predict", "detect")


def _meet_fault(instance: Instance) -> None:
    """Heavy calls meet any fault; light ones only a fault that names their path, so that polling uses none up."""
    book = instance.controls.faults
    if request.path.endswith(HEAVY) and request.method == "POST":
        g.fault = book.take(request.path)
    elif any((fault["path"] or "") and request.path.endswith(fault["path"]) for fault in book.as_list()):
        g.fault = book.take(request.path)
        if g.fault and g.fault.kind == "hang":
            book.hang(g.fault.seconds)
        elif g.fault and g.fault.kind in FAULTS:
            raise CrashedError(*FAULTS[g.fault.kind])


def _broken(answer: Response) -> Response:
    fault = g.get("fault")
    if fault is None:
        return answer
    if fault.kind == "broken_base64" and answer.is_json:
        return _with_broken_base64(answer)
    return wire.broken(fault, answer)


def _with_broken_base64(answer: Response) -> Response:
    body = answer.get_json()
    for key in ("images", "blended_images", "masks", "masked_images"):
        if isinstance(body.get(key), list):
            body[key] = ["%%" + text[: len(text) // 2] for text in body[key]]
    return jsonify(body)
