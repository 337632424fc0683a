"""The HTTP side: OpenAI's and Azure OpenAI's paths over one stand-in."""

import time
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, g, jsonify, request

from standins import wire
from standins.chat import problems
from standins.chat.completions import Call, completion, read_call
from standins.control import Controls, control_blueprint
from standins.faults import FaultBook
from standins.journal import Journal

KINDS = frozenset({
    "rate_limit", "error_500", "hang", "timeout", "malformed_json", "garbage", "fenced", "content_filter",
    "content_filter_finish", "null_values", "missing_key", "reset", "slow_body", "empty",
})  # fmt: skip
Answer = Response | tuple[Response, int]


@dataclass(frozen=True)
class Settings:
    """The command line of the stand-in."""

    name: str = "chat"
    latency: float = 0.3
    models: list[str] = field(default_factory=lambda: ["gpt-4"])
    journal: str | None = None
    faults: list[str] = field(default_factory=list)


def create_app(settings: Settings) -> Flask:
    """An application that has answered nothing yet."""
    book = FaultBook(KINDS, settings.faults)
    controls = Controls(book, Journal(settings.journal), {"latency": settings.latency})
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.register_blueprint(control_blueprint(controls, "chat", settings.name))
    _add_openai(app, controls, settings)
    _add_azure(app, controls)
    _add_hooks(app)
    return app


def _add_openai(app: Flask, controls: Controls, settings: Settings) -> None:
    @app.get("/v1/models")
    def models() -> Answer:
        """The models by name."""
        if not _has_key():
            return problems.no_key(is_azure=False)
        entries = [
            {"id": name, "object": "model", "created": 1687882411, "owned_by": "openai"} for name in settings.models
        ]
        return jsonify({"object": "list", "data": entries})

    @app.post("/v1/chat/completions")
    @app.post("/openai/v1/chat/completions")
    def chat_completions() -> Answer:
        """OpenAI's path; Azure's undated one is the same."""
        if not _has_key():
            return problems.no_key(is_azure=False)
        body = request.get_json(force=True, silent=True)
        model = str(body.get("model", "")) if isinstance(body, dict) else ""
        if model == "missing":
            return problems.no_model(model)
        return _checked(controls, body, model, is_azure=False)


def _add_azure(app: Flask, controls: Controls) -> None:
    @app.post("/openai/deployments/<deployment>/chat/completions")
    def deployment_chat_completions(deployment: str) -> Answer:
        """Azure's dated path."""
        if not _has_key():
            return problems.no_key(is_azure=True)
        if not request.args.get("api-version"):
            return problems.no_api_version()
        if deployment == "missing":
            return problems.no_deployment()
        body = request.get_json(force=True, silent=True)
        return _checked(controls, body, deployment, is_azure=True)


def _has_key() -> bool:
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer").strip()
    return bool(bearer or request.headers.get("api-key"))


def _refusal(body: Any) -> problems.Answer | None:
    """What is wrong with the body, if anything."""
    if not isinstance(body, dict):
        return problems.refused(400, "We could not parse the JSON body of your request.", None)
    messages = body.get("messages")
    if messages is None:
        text = "Missing required parameter: 'messages'."
        return problems.refused(400, text, "missing_required_parameter", "messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        text = "Invalid 'messages': expected an array of objects with minimum length 1."
        return problems.refused(400, text, "invalid_type", "messages")
    if body.get("stream"):
        return problems.refused(400, "The stand-in does not stream.", "unsupported_value", "stream")
    wants_json = (body.get("response_format") or {}).get("type") == "json_object"
    if wants_json and "json" not in str(messages).lower():
        text = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        return problems.refused(400, text, None, "messages")
    return None


def _checked(controls: Controls, body: Any, model: str, is_azure: bool) -> Answer:
    return _refusal(body) or _answer(controls, read_call(body, model), is_azure)


def _answer(controls: Controls, call: Call, is_azure: bool) -> Answer:
    fault = g.fault = controls.faults.take(request.path)
    entry: dict[str, Any] = {
        "kind": "azure" if is_azure else "openai", "model": call.model, "prompt_hash": call.prompt_hash,
        "start": time.time(), "in_flight": controls.counts.add("running", 1), "fault": fault and fault.kind,
    }  # fmt: skip
    try:
        controls.gate.pass_through()
        time.sleep(controls.timing["latency"])
        answer = _written(controls, call, is_azure)
        entry["status"] = answer[1] if isinstance(answer, tuple) else 200
        return answer
    finally:
        controls.counts.add("running", -1)
        controls.counts.add("served", 1)
        controls.journal.write(entry | {"end": time.time()})


def _written(controls: Controls, call: Call, is_azure: bool) -> Answer:
    fault = g.fault
    if fault and fault.kind in ("hang", "timeout"):
        controls.faults.hang(fault.seconds)
    if fault and fault.kind == "rate_limit":
        return problems.rate_limited(is_azure, fault.seconds)
    if fault and fault.kind == "error_500":
        return problems.server_error()
    if fault and fault.kind == "content_filter" and is_azure:
        return problems.content_filtered()
    return jsonify(completion(call, fault.kind if fault else "", is_azure))


def _add_hooks(app: Flask) -> None:
    @app.after_request
    def leave(answer: Response) -> Response:
        """Break the answer if a fault says so; mark it as a stand-in's."""
        fault = g.get("fault")
        if fault and fault.kind in ("reset", "slow_body"):
            answer = wire.broken(fault, answer)
        answer.headers["X-Stand-In"] = "chat"
        return answer

    @app.errorhandler(404)
    def unknown(_error: Exception) -> Answer:
        """An unknown path, in the service's words."""
        return problems.refused(404, f"Invalid URL ({request.method} {request.path})", None)
