"""One declaration for each route: it checks the request and is the API's documentation (OpenAPI 3.1).

spectree makes the document; what a request must look like is checked here, by pydantic's own JSON parser, so that
broken JSON, a body that is no object, or text that no database could keep is told to the caller and never guessed at.
"""

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, request
from pydantic import BaseModel, ValidationError
from spectree import Response, SecurityScheme, SecuritySchemeData, SpecTree
from spectree.models import InType, SecureType
from spectree.plugins.flask_plugin import FlaskPlugin
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from apps.codes import BUSINESS_FAIL, MODEL_FAIL, SERVER_FAIL
from apps.errors import InvalidBodyError
from apps.login_cookie import COOKIE
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
        """Check what the view declares. Raises InvalidBodyError and what `read_json` raises."""
        # spectree passes form, headers, cookies, resp, before, after, status, skip, serialize; then the view's own.
        view_args = args[9:]
        if query is not None:
            kwargs["query"] = _checked(lambda: query.model_validate(request.args.to_dict()))
        if body is not None:
            kwargs["json"] = _read_body(body)
        return func(*view_args, **kwargs)


def read_json(form: type[Form]) -> Form:
    """Read the body as JSON of the given form.

    Raises:
        UnsupportedMediaType: it is not declared as JSON.
        InvalidBodyError: it is broken or does not fit; the message names the field.
    """
    # A beacon, which a page sends while it is closed, can say of itself only that it is text.
    is_text = getattr(form, "may_be_text", False) and request.mimetype == "text/plain"
    if not request.is_json and not is_text:
        raise UnsupportedMediaType(NO_JSON)
    body = request.get_data()
    if not body.strip():
        raise BadRequest("No data provided")
    return _checked(lambda: form.model_validate_json(body))


def _read_body(form: type[Form]) -> Form:
    if getattr(form, "may_be_left_out", False) and not request.get_data():
        return form()
    return read_json(form)


def _checked(check: Callable[[], Form]) -> Form:
    try:
        return check()
    except ValidationError as exc:
        raise InvalidBodyError(exc) from exc


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
    security_schemes=[
        SecurityScheme(name="token", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer")),
        SecurityScheme(
            name="login", data=SecuritySchemeData(type=SecureType.API_KEY, field_in=InType.COOKIE, name=COOKIE)
        ),
    ],
)

_FAILURES = {
    400: (BUSINESS_FAIL, "something is missing, the body is no JSON, or a header does not fit"),
    401: (BUSINESS_FAIL, "a login, or the token that is asked for, is missing or wrong"),
    403: (BUSINESS_FAIL, "this caller may not do this; the message says who may"),
    404: (BUSINESS_FAIL, "there is nothing under this path"),
    409: (BUSINESS_FAIL, "the generation was canceled, or is still under way"),
    413: (BUSINESS_FAIL, "the request is too large"),
    415: (BUSINESS_FAIL, "the body has another media type than the one that is documented"),
    422: (BUSINESS_FAIL, "a field does not fit; the message names it"),
    429: (MODEL_FAIL, "the queue is full, or there were too many attempts; come back after Retry-After"),
    500: (SERVER_FAIL, "a failure of the server"),
    502: (MODEL_FAIL, "a model service failed"),
    503: (MODEL_FAIL, "no model service, no idle instance in time, or no database; come back after Retry-After"),
    504: (MODEL_FAIL, "a model service did not answer in time"),
}
"""The envelope's code, and what it means, of each status that is not a success."""


def answers(success: type[BaseModel] | None, *failures: int, is_accepted: bool = False) -> Response:
    """Declare what a route answers: the model of a success, and the failures that can be met.

    Args:
        success: what stands in the body of a success.
        failures: statuses beside 500 and 503, which every route may answer.
        is_accepted: a success may be 202 as well, with the same body.

    Raises:
        KeyError: a status that the table of failures does not have.
    """
    codes: dict[str, Any] = {"HTTP_200": success}
    if is_accepted:
        codes["HTTP_202"] = (success, "accepted; the work goes on")
    for status in (*failures, 500, 503):
        codes[f"HTTP_{status}"] = (Failure, _FAILURES[status][1])
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
        operations = document["paths"].get(path, {})
        for operation in (operations[method.lower()] for method in rule.methods or () if method.lower() in operations):
            if getattr(app.blueprints.get(rule.endpoint.partition(".")[0]), "is_guarded", False):
                operation["security"] = [{"token": []}, {"login": []}]
            _leave_out_what_cannot_be_wrong(operation, patch)
            _merge(operation, patch)
            _complete(operation, document["components"]["schemas"])
    for schema in document["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            # "Designtask", beside a key that is spelled designTask, tells nobody anything.
            field.pop("title", None)
    return document


def _leave_out_what_cannot_be_wrong(operation: dict[str, Any], patch: dict[str, Any]) -> None:
    """Drop the failure that spectree adds to every operation from those that read neither a body nor a query."""
    has_query = any(one["in"] == "query" for one in operation.get("parameters", ()))
    if not has_query and "requestBody" not in {**operation, **patch}:
        operation["responses"].pop("422", None)


def _complete(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Say in one operation what spectree leaves out."""
    responses = operation["responses"]
    for status, (code, reason) in _FAILURES.items():
        for media in responses.get(str(status), {}).get("content", {}).values():
            media["examples"] = _named({"success": False, "data": None, "code": code, "message": reason})
    # Pages that show the document look for examples beside a body's schema; ours stand within it.
    for body in (operation.get("requestBody", {}), *responses.values()):
        for media in body.get("content", {}).values():
            schema = _resolved(media.get("schema", {}), schemas)
            for example in schema.get("examples", []):
                media.setdefault("examples", _named(_in_order(example, schema, schemas)))


def _in_order(example: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Put the keys of an example, which came sorted by the alphabet, into the order of its schema."""
    schema = _resolved(schema, schemas)
    if isinstance(example, list):
        return [_in_order(one, schema.get("items", {}), schemas) for one in example]
    if not isinstance(example, dict) or "properties" not in schema:
        return example
    fields = schema["properties"]
    return {key: _in_order(example[key], fields[key], schemas) for key in fields if key in example}


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    return found


def _named(example: dict[str, Any]) -> dict[str, Any]:
    # The short form, `example`, confuses the page at /docs when a value in it is null.
    return {"example": {"value": example}}


def _merge(target: dict[str, Any], patch: dict[str, Any]) -> None:
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        elif isinstance(value, list) and isinstance(target.get(key), list):
            target[key] = [*target[key], *value]
        else:
            target[key] = value
