"""The pool's two calls: look, and change."""

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from apps.openapi import answers, api, documented
from apps.pool.changes import change, look
from apps.pool.permission import check_permission
from apps.pool.schemas import PoolAnswer, PoolChange
from apps.schemas import succeeded
from apps.services import services

pool = Blueprint("pool", __name__)

TOKEN = {
    "name": "Authorization",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "`Bearer <token>`, where the server has an ADMIN_TOKEN",
}


@pool.get("/api/pool")
@api.validate(resp=answers(PoolAnswer), tags=["pool"])
def show() -> ResponseReturnValue:
    """Tell what each Stable Diffusion WebUI does, and how many calls wait for one."""
    return succeeded(look(services(), is_spread=_is_spread()))


@pool.post("/api/pool")
@documented(parameters=[TOKEN])
@api.validate(resp=answers(PoolAnswer, 400, 401, 403, 404, 413, 415, 422, 504), tags=["pool"])
def alter(json: PoolChange) -> ResponseReturnValue:
    """Add, drain, resume or remove a WebUI while the server runs; nothing is lost by it.

    With ADMIN_TOKEN set whoever has it may do this, else only a caller on the server's own machine. With worker hosts
    the one is told that has the WebUI; 504 if it does not answer within a few seconds. It is lost when the server, or
    the worker, starts anew: what is to stay belongs into SD_ENDPOINTS as well.
    """
    check_permission(request, current_app.config["ADMIN_TOKEN"])
    change(services(), json)
    return succeeded(look(services(), is_spread=_is_spread()))


def _is_spread() -> bool:
    return bool(current_app.config["JOBS_BACKEND"] != "embedded")
