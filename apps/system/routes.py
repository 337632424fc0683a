"""The server's own calls: alive, OpenAPI, and the page that shows it."""

from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, send_from_directory
from flask.typing import ResponseReturnValue

from apps.openapi import answers, api, documented, openapi_document
from apps.services import services
from apps.system.readings import readings

system = Blueprint("system", __name__)

STATIC = Path(__file__).parent / "static"
PONG = {"200": {"content": {"text/html": {"schema": {"type": "string", "const": "pong"}, "example": "pong"}}}}
DOCUMENT = {"200": {"content": {"application/json": {"schema": {"type": "object"}}}}}

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METRICS = {"200": {"content": {"text/plain": {"schema": {"type": "string"}, "example": "stepideator_jobs_queued 3"}}}}


@system.route("/ping", methods=["GET", "POST"])
@documented(responses=PONG)
@api.validate(resp=answers(None), tags=["system"])
def ping() -> ResponseReturnValue:
    """Tell that the server is there.

    The answer is the bare text `pong`, no JSON.
    """
    return "pong"


@system.get("/openapi.json")
@documented(responses=DOCUMENT)
@api.validate(resp=answers(None), tags=["system"])
def openapi() -> ResponseReturnValue:
    """Describe every endpoint, as OpenAPI 3.1."""
    return jsonify(openapi_document(current_app))


@system.get("/metrics")
@documented(responses=METRICS)
@api.validate(resp=answers(None), tags=["system"])
def metrics() -> ResponseReturnValue:
    """Tell Prometheus what all processes of this server counted.

    The text format of Prometheus; `docs/metrics.md` lists every name.
    """
    return Response(services().parts.metrics.text(readings(services())), content_type=METRICS_TYPE)


@system.get("/docs")
def docs() -> ResponseReturnValue:
    """Show the API to a person; works without internet."""
    return send_from_directory(STATIC, "docs.html")


@system.get("/docs/<path:name>")
def docs_file(name: str) -> ResponseReturnValue:
    """Serve the files of that page."""
    return send_from_directory(STATIC, name, max_age=current_app.config.get("SEND_FILE_MAX_AGE_DEFAULT"))
