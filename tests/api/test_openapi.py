"""The OpenAPI document is true: it is valid, names every route, and generated requests find nothing that it hides."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.factory import create_app
from tests.api.front_end import BUTTONS
from tests.api.server import Server
from tests.api.submitting import made
from tests.stand_ins import picture

pytestmark = pytest.mark.api

WITHOUT_BODY = (
    "/ping", "/api/logout", "/api/generations/{generation_id}/cancel",
    "/api/replays/{replay_id}/cancel", "/api/replays/{replay_id}/resume", "/api/studies/{study_id}/exports",
)  # fmt: skip
NOT_JSON = ("/upload", "/uploadImage")
NOT_DOCUMENTED = {
    "/",
    "/docs",
    "/docs/{name}",
    "/favicon.ico",
    "/join/{join_key}",
    "/studio/{page}",
    "/studio/static/{file_name}",
}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ACCEPTED = {
    "/api/prompts/{kind}/{setting}": (404,),
    "/api/prompts/{kind}/{setting}/check": (404,),
    "/api/prompts/{kind}/{setting}/try": (404,),
    "/api/join/{join_key}": (404,),
    "/api/research/participants/{participant_id}/erase": (422,),
    "/api/sessions/{session_id}/events": (404,),
    "/api/sessions/{session_id}/end": (404,),
    "/api/pool": (404,), "/api/login": (401, 429), "/api/research/sessions/{session_id}/replays": (404,),
    "/api/studies/{study_id}/state": (404,), "/api/studies/{study_id}/freeze": (404,),
}  # fmt: skip
NOT_GENERATED = {("post", "/api/pool")}
"""Would put instances that do not exist into the pool of all tests; test_pool.py has what can be wrong."""
EXAMPLES = 8


@pytest.fixture(scope="module")
def document(server: Server) -> dict[str, Any]:
    """Fetch the document as a program would."""
    answer = server.get("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def _operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"]
    assert document["info"]["version"]


def test_every_schema_in_the_document_is_a_json_schema(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_every_reference_in_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    for name in re.findall(r"#/components/schemas/([^'\"]+)", str(document)):
        assert name in document["components"]["schemas"]


def test_every_route_is_documented_and_nothing_else(server: Server, document: dict[str, Any]) -> None:
    rules = create_app(server.config, server.services).url_map.iter_rules()
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert {key for key in routes if key[1] not in NOT_DOCUMENTED} == set(_operations(document))


def test_every_operation_has_a_summary_an_id_of_its_own_and_its_failures(document: dict[str, Any]) -> None:
    operations = _operations(document)

    assert all(operation["summary"] for operation in operations.values())
    assert len({operation["operationId"] for operation in operations.values()}) == len(operations)
    assert all({"200", "500", "503"} <= operation["responses"].keys() for operation in operations.values())


def test_every_header_that_is_read_and_told_is_documented(document: dict[str, Any]) -> None:
    operations = _operations(document)
    submit = operations["POST", "/api/generations"]
    watch = operations["GET", "/api/generations/{generation_id}/events"]

    assert {one["name"] for one in submit["parameters"]} == {"Prefer", "Idempotency-Key", "Cancel-After"}
    assert {"Location", "Preference-Applied", "Idempotency-Replayed"} <= submit["responses"]["202"]["headers"].keys()
    assert "Retry-After" in submit["responses"]["429"]["headers"]
    assert {one["name"] for one in watch["parameters"]} == {"generation_id", "Last-Event-ID", "lastEventId"}
    assert list(watch["responses"]["200"]["content"]) == ["text/event-stream"]
    assert "204" in watch["responses"]


def test_the_document_says_which_calls_are_for_researchers(document: dict[str, Any]) -> None:
    operations = _operations(document)

    assert {"token", "login"} == document["components"]["securitySchemes"].keys()
    assert operations["POST", "/api/studies"]["security"] == [{"token": []}, {"login": []}]
    assert "security" not in operations["POST", "/generate"]
    for (method, path), operation in operations.items():
        if "security" in operation:
            assert {"401", "403"} <= operation["responses"].keys(), (method, path)


def _with_example(document: dict[str, Any], media: dict[str, Any]) -> bool:
    schema = media["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return any(holder.get(key) for holder in (media, schema) for key in ("example", "examples"))


def test_every_json_body_has_an_example(document: dict[str, Any]) -> None:
    for (method, path), operation in _operations(document).items():
        if method == "POST" and path not in WITHOUT_BODY:
            assert _with_example(document, operation["requestBody"]["content"]["application/json"]), path


def test_every_example_of_a_body_is_taken(server: Server, document: dict[str, Any]) -> None:
    generation_id = made(server)["id"]
    for (method, path), operation in _operations(document).items():
        if method == "POST" and path not in (*WITHOUT_BODY, *NOT_JSON):
            media = operation["requestBody"]["content"]["application/json"]
            schema = document["components"]["schemas"][media["schema"]["$ref"].rpartition("/")[2]]
            real_path = path.replace("{generation_id}", generation_id)
            # The example's instance is none of this server's, and its login is nobody's.
            assert server.post(real_path, schema["examples"][0]).status_code in ACCEPTED.get(path, (200, 202)), path


def test_the_document_lists_every_operations_pair(document: dict[str, Any]) -> None:
    for button in BUTTONS.values():
        assert button.text in str(document["components"]["schemas"]["ButtonInfo"])


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_generated_requests_meet_only_documented_answers(
    server: Server, document: dict[str, Any], mode: GenerationMode
) -> None:
    server.uploaded(picture())
    schema = schemathesis.openapi.from_dict(document)
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if (operation.method, operation.path) in NOT_GENERATED:
            continue
        if mode is GenerationMode.NEGATIVE and not operation.body:
            # Where nothing is sent nothing can be wrong.
            continue

        @seed(7)
        @settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode))
        def meets_documented_answers(case: Case[Any]) -> None:
            case.call_and_validate(base_url=server.url, checks=CHECKS, timeout=30)

        meets_documented_answers()
