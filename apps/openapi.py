"""One declaration for each route: it checks the request and is the API's documentation (OpenAPI 3.1).

spectree makes the document; what a request must look like is checked here, by pydantic's own JSON parser, so that
broken JSON, a body that is no object, or text that no database could keep is told to the caller and never guessed at.
"""

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, request
from pydantic import BaseModel
from spectree import Response, SpecTree
from spectree.plugins.flask_plugin import FlaskPlugin
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from apps.schemas import Failure

VERSION = "1.0.0"
DESCRIPTION = (
    "Texts and pictures for product designers: design brief, sketch, white model and rendering. Every JSON answer is "
    "the envelope `{success, data, code, message}`; pictures come as absolute URLs or as BASE64."
)
Form = TypeVar("Form", bound=BaseModel)
View = TypeVar("View", bound=Callable[..., Any])
NO_JSON = "the body must be JSON with the header Content-Type: application/json"


class StrictPlugin(FlaskPlugin):
    """Reads a request strictly and hands the checked models to the view as `json` and `query`."""

    def validate(  # type: ignore[override]  # what spectree passes beside these is not used here
        self, func: Callable[..., Any], query: Any, body: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Check what the view declares; raises pydantic's ValidationError, which becomes the envelope elsewhere."""
        # spectree passes form, headers, cookies, resp, before, after, status, skip, serialize; then the view's own.
        view_args = args[9:]
        if query is not None:
            kwargs["query"] = query.model_validate(request.args.to_dict())
        if body is not None:
            kwargs["json"] = read_json(body)
        return func(*view_args, **kwargs)


def read_json(form: type[Form]) -> Form:
    """Read the body as JSON of the given form.

    Raises:
        UnsupportedMediaType: it is not declared as JSON.
        ValidationError: it is broken or does not fit; the message names the field.
    """
    if not request.is_json:
        raise UnsupportedMediaType(NO_JSON)
    body = request.get_data()
    if not body.strip():
        raise BadRequest("No data provided")
    return form.model_validate_json(body)


api = SpecTree(
    "flask",
    backend=StrictPlugin,
    mode="strict",
    title="StepIdeator-API",
    version=VERSION,
    description=DESCRIPTION,
    openapi_version="3.1.0",
    validation_error_model=Failure,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
)

_REASONS = {
    "HTTP_400": "something is missing, or the body is no JSON",
    "HTTP_413": "the request is too large",
    "HTTP_415": "the body has another media type than the one that is documented",
    "HTTP_422": "a field does not fit; the message names it",
    "HTTP_500": "a failure of the server",
    "HTTP_502": "a model service failed",
    "HTTP_503": "no model service, no idle instance in time, or no database; come back after Retry-After",
    "HTTP_504": "a model service did not answer in time",
}


def answers(success: type[BaseModel] | None, *failures: int) -> Response:
    """Declare what a route answers: the model of a success, and the failures that can be met."""
    codes: dict[str, Any] = {"HTTP_200": success}
    for status in (*failures, 500, 503):
        codes[f"HTTP_{status}"] = (Failure, _REASONS.get(f"HTTP_{status}", "see message"))
    return Response(**codes)


def documented(**patch: Any) -> Callable[[View], View]:
    """Add to a view's OpenAPI operation what no model can say: forms, answers that are not JSON, examples."""

    def decorate(view: View) -> View:
        view.openapi_patch = patch  # type: ignore[attr-defined]
        return view

    return decorate


def openapi_document(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI document of the app."""
    document: dict[str, Any] = json.loads(json.dumps(api.spec))
    for rule in app.url_map.iter_rules():
        patch = getattr(app.view_functions[rule.endpoint], "openapi_patch", {})
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for operation in document["paths"].get(path, {}).values():
            _merge(operation, patch)
    return document


def _merge(target: dict[str, Any], patch: dict[str, Any]) -> None:
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = value
