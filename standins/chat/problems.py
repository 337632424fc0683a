"""The error answers of OpenAI and of Azure OpenAI, in their shapes and words."""

from flask import Response, jsonify

Answer = tuple[Response, int]


def refused(status: int, message: str, code: str | None, param: str | None = None) -> Answer:
    """OpenAI's shape: message, type, param, code."""
    kind = "invalid_request_error" if status < 429 else "server_error"
    return jsonify({"error": {"message": message, "type": kind, "param": param, "code": code}}), status


def azure_refused(status: int, code: str, message: str) -> Answer:
    """Azure's shape: code and message only."""
    return jsonify({"error": {"code": code, "message": message}}), status


def no_key(is_azure: bool) -> Answer:
    """401 of either service."""
    if is_azure:
        text = "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
        return azure_refused(401, "401", f"{text}for an active subscription and use a correct regional API endpoint.")
    text = "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
    return refused(401, f"{text}auth (i.e. Authorization: Bearer YOUR_KEY).", None)


def no_api_version() -> Answer:
    """400: the query parameter that Azure's dated paths need."""
    return azure_refused(400, "BadRequest", "Missing required query parameter: api-version")


def no_deployment() -> Answer:
    """404 of Azure."""
    text = "The API deployment for this resource does not exist. If you created the deployment within the last 5 "
    return azure_refused(404, "DeploymentNotFound", f"{text}minutes, please wait a moment and try again.")


def no_model(model: str) -> Answer:
    """404 of OpenAI."""
    text = f"The model `{model}` does not exist or you do not have access to it."
    return refused(404, text, "model_not_found")


def rate_limited(is_azure: bool, seconds: float) -> Answer:
    """429 with Retry-After in whole seconds and, more exactly, retry-after-ms."""
    text = f"Rate limit is exceeded. Try again in {seconds:g} seconds."
    if is_azure:
        answer, status = azure_refused(429, "429", text)
    else:
        body = {"message": text, "type": "requests", "param": None, "code": "rate_limit_exceeded"}
        answer, status = jsonify({"error": body}), 429
    answer.headers["Retry-After"] = str(max(0, round(seconds)))
    answer.headers["retry-after-ms"] = str(int(seconds * 1000))
    return answer, status


def content_filtered() -> Answer:
    """400 of Azure: the prompt was refused by its filter."""
    text = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
    calm = {"filtered": False, "severity": "safe"}
    verdict = {"hate": calm, "self_harm": calm, "sexual": calm, "violence": {"filtered": True, "severity": "medium"}}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": verdict}
    body = {"message": f"{text}Please modify your prompt and retry.", "type": None, "param": "prompt"}
    return jsonify({"error": body | {"code": "content_filter", "status": 400, "innererror": inner}}), 400


def server_error() -> Answer:
    """500 of either service."""
    return refused(500, "The server had an error while processing your request. Sorry about that!", None)
