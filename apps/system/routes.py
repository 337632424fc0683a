"""The server's own calls: alive, OpenAPI, and the page that shows it."""

from pathlib import Path
from typing import Any

from flask import Blueprint, current_app, jsonify, redirect, send_from_directory
from flask.typing import ResponseReturnValue

from apps.openapi import answers, api, openapi_document

system = Blueprint("system", __name__)

STATIC = Path(__file__).parent / "static"
BINARY = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
FILE_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "contentMediaType": "image/png", "description": "the picture"}},
}
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": FILE_FORM},
            "application/json": {"schema": {"$ref": "#/components/schemas/UploadBody"}},
        },
    }
}
PONG = {
    "responses": {"200": {"content": {"text/html": {"schema": {"type": "string", "const": "pong"}, "example": "pong"}}}}
}
PICTURE = {
    "responses": {"200": {"content": dict.fromkeys(("image/png", "image/jpeg", "image/gif", "image/webp"), BINARY)}}
}
JSON_DOCUMENT = {"responses": {"200": {"content": {"application/json": {"schema": {"type": "object"}}}}}}

PATCHES: dict[tuple[str, str], dict[str, Any]] = {
    ("/ping", "get"): PONG,
    ("/ping", "post"): PONG,
    ("/images/{name}", "get"): PICTURE,
    ("/openapi.json", "get"): JSON_DOCUMENT,
    ("/upload", "post"): UPLOAD,
    ("/uploadImage", "post"): UPLOAD,
}
"""What the OpenAPI document says beside the models: forms and answers that are not JSON."""


@system.route("/ping", methods=["GET", "POST"])
@api.validate(resp=answers(None), tags=["system"])
def ping() -> ResponseReturnValue:
    """Tell that the server is there: the bare text `pong`."""
    return "pong"


@system.get("/openapi.json")
@api.validate(resp=answers(None), tags=["system"])
def openapi() -> ResponseReturnValue:
    """Describe every endpoint, as OpenAPI 3.1."""
    return jsonify(openapi_document(PATCHES))


@system.get("/")
def home() -> ResponseReturnValue:
    """Send a person to the page of the API."""
    return redirect("docs")


@system.get("/docs")
def docs() -> ResponseReturnValue:
    """Show the API to a person; works without internet."""
    return send_from_directory(STATIC, "docs.html")


@system.get("/docs/<path:name>")
def docs_file(name: str) -> ResponseReturnValue:
    """Serve the files of that page."""
    return send_from_directory(STATIC, name, max_age=current_app.config.get("SEND_FILE_MAX_AGE_DEFAULT"))
