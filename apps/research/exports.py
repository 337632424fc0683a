"""Exports of studies: ask for one, watch it, fetch its file."""

from flask import Blueprint, Response, current_app, jsonify, send_file, url_for
from flask.typing import ResponseReturnValue

from apps.errors import NotNowError, UnknownRecordError
from apps.guard import guarded, researcher
from apps.openapi import VERSION, answers, api, documented
from apps.research.export_runs import ExportRuns
from apps.research.export_schemas import ExportAnswer, ExportList, ExportsAnswer, ExportView
from apps.schemas import succeeded
from apps.services import services
from store.exports import Export

exports = guarded(Blueprint("exports", __name__, url_prefix="/api"))

ZIP = {
    "responses": {
        "200": {
            "description": "the data set; see docs/dataset.md for its form",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}


@exports.post("/studies/<study_id>/exports")
@api.validate(resp=answers(ExportAnswer, 401, 403, 404, is_accepted=True), tags=["exports"])
def create(study_id: str) -> ResponseReturnValue:
    """Make a data set of all that a study has up to now: one ZIP, checked before it is given out.

    `Location` is where it can be watched. If one of this study still waits to begin, that one is answered.
    """
    check_study(study_id)
    response = _fresh(_runs().start(study_id, researcher()))
    response.status_code = 202
    return response


@exports.get("/studies/<study_id>/exports")
@api.validate(resp=answers(ExportsAnswer, 401, 403, 404), tags=["exports"])
def of_study(study_id: str) -> ResponseReturnValue:
    """List the exports of a study, newest first."""
    check_study(study_id)
    found = [view_of(export) for export in services().stores.exports.of_study(study_id)]
    response = jsonify(succeeded(ExportList(exports=found)))
    response.headers["Cache-Control"] = "no-store"
    return response


@exports.get("/exports/<export_id>")
@api.validate(resp=answers(ExportAnswer, 401, 403, 404), tags=["exports"])
def show(export_id: str) -> ResponseReturnValue:
    """Tell how far an export is."""
    return _fresh(_found(export_id))


@exports.get("/exports/<export_id>/file")
@documented(**ZIP)
@api.validate(resp=answers(None, 401, 403, 404, 409), tags=["exports"])
def file(export_id: str) -> ResponseReturnValue:
    """Give the ZIP of an export that is done.

    Parts of it may be asked for, so that a download can be resumed.
    """
    export = _found(export_id)
    if export.state == "failed":
        raise NotNowError(f"export {export.id} failed: {export.error}")
    if export.state != "done":
        raise NotNowError(f"export {export.id} is not done yet; /api/exports/{export.id} tells how far it is")
    path = _runs().file(export)
    if path is None:
        raise UnknownRecordError(f"the file of export {export.id} is not on this host, but on {export.host}, if at all")
    name = f"study-{export.study_id}-{export.created_at:%Y-%m-%d}.zip"
    response = send_file(path, "application/zip", as_attachment=True, download_name=name, etag=export.sha256)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def check_study(study_id: str) -> None:
    """Raise UnknownRecordError if there is no such study."""
    if services().stores.studies.get(study_id) is None:
        raise UnknownRecordError(f"there is no study {study_id[:40]!r}; /api/studies lists them")


def view_of(export: Export) -> ExportView:
    """Give an export as it is told."""
    names = set(ExportView.model_fields) & set(Export.__dataclass_fields__)
    values = {name: getattr(export, name) for name in names}
    url = url_for("exports.file", export_id=export.id) if export.state == "done" else None
    return ExportView(**values, bytes=export.size, file_url=url)


def _found(export_id: str) -> Export:
    found = services().stores.exports.get(export_id)
    if found is None:
        raise UnknownRecordError(f"there is no export {export_id[:40]!r}")
    return found


def _runs() -> ExportRuns:
    return ExportRuns(services().stores, current_app.config["EXPORTS_DIR"], VERSION)


def _fresh(export: Export) -> Response:
    response = jsonify(succeeded(view_of(export)))
    response.headers["Cache-Control"] = "no-store"
    response.headers["Location"] = url_for("exports.show", export_id=export.id)
    return response
