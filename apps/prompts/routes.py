"""Prompts and presets, for their designers."""

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue

from apps.guard import guarded, researcher
from apps.openapi import answers, api
from apps.prompts import shelf
from apps.prompts.schemas import (
    Candidate,
    CheckAnswer,
    FileAnswer,
    FileList,
    FilesAnswer,
    Save,
    TryAnswer,
    VersionAnswer,
)
from apps.schemas import succeeded
from apps.services import services

prompts = guarded(Blueprint("prompts", __name__, url_prefix="/api/prompts"))


@prompts.get("")
@api.validate(resp=answers(FilesAnswer, 401, 403), tags=["prompts"])
def page() -> ResponseReturnValue:
    """List every prompt and preset, with its purpose and variables."""
    return succeeded(FileList(files=shelf.listed(services()), is_editable=_is_editable()))


@prompts.get("/versions/<version_hash>")
@api.validate(resp=answers(VersionAnswer, 401, 403, 404), tags=["prompts"])
def version(version_hash: str) -> ResponseReturnValue:
    """Give the text that a generation was made with, by the hash in its record."""
    return succeeded(shelf.version(services(), version_hash))


@prompts.get("/<kind>/<setting>")
@api.validate(resp=answers(FileAnswer, 401, 403, 404), tags=["prompts"])
def one(kind: str, setting: str) -> ResponseReturnValue:
    """Tell all of a prompt or preset: text, values, filled example, versions."""
    parts = services()
    return succeeded(shelf.whole(parts, shelf.found(parts, kind, setting), is_editable=_is_editable()))


@prompts.post("/<kind>/<setting>/check")
@api.validate(resp=answers(CheckAnswer, 400, 401, 403, 404, 413, 415, 422), tags=["prompts"])
def check(kind: str, setting: str, json: Candidate) -> ResponseReturnValue:
    """Say what is wrong with a text that may take a file's place; nothing is changed."""
    parts = services()
    return succeeded(shelf.checked(parts, shelf.found(parts, kind, setting), json.source))


@prompts.post("/<kind>/<setting>/try")
@api.validate(resp=answers(TryAnswer, 400, 401, 403, 404, 413, 415, 422), tags=["prompts"])
def try_out(kind: str, setting: str, json: Candidate) -> ResponseReturnValue:
    """Try a text beside the one in use: both filled, and for a prompt both answers of the chat service."""
    parts = services()
    return succeeded(shelf.tried(parts, shelf.found(parts, kind, setting), json.source))


@prompts.post("/<kind>/<setting>")
@api.validate(resp=answers(FileAnswer, 400, 401, 403, 404, 409, 413, 415, 422), tags=["prompts"])
def save(kind: str, setting: str, json: Save) -> ResponseReturnValue:
    """Save a text in a file's place.

    Every process uses it within a second. 409 when somebody else has changed the file since; a study that was frozen
    with it notices (`/api/studies/<id>/drift`).
    """
    parts = services()
    saved = shelf.save(parts, shelf.found(parts, kind, setting), json, researcher(), is_editable=_is_editable())
    return succeeded(shelf.whole(parts, saved, is_editable=_is_editable()))


def _is_editable() -> bool:
    return bool(current_app.config["PROMPTS_EDITABLE"])
