"""Erase a participant, and look at the receipts; over HTTP and by `flask erase`."""

import json as json_format

import click
from flask import Blueprint, Response, current_app, jsonify
from flask.cli import with_appcontext
from flask.typing import ResponseReturnValue

from apps.errors import BusinessException
from apps.guard import guarded, researcher
from apps.openapi import answers, api
from apps.research.erasing import check_confirmed, erase, id_of_name
from apps.research.erasure_schemas import EraseRequest, ReceiptAnswer, ReceiptList, ReceiptsAnswer, view_of
from apps.schemas import succeeded
from apps.services import services
from store.errors import StoreError

erasures = guarded(Blueprint("erasures", __name__, url_prefix="/api"))


@erasures.post("/research/participants/<participant_id>/erase")
@api.validate(resp=answers(ReceiptAnswer, 400, 401, 403, 404, 413, 415, 422), tags=["erasure"])
def erase_participant(participant_id: str, json: EraseRequest) -> ResponseReturnValue:
    """Erase a participant who withdrew: every record, and each picture and text that nobody else's record uses.

    What runs is canceled, exports of the study are taken back. If it is broken off, ask again. A participant who is
    erased already is answered with the same receipt.
    """
    check_confirmed(participant_id, json.confirm)
    receipt = erase(services(), participant_id, current_app.config["EXPORTS_DIR"], researcher())
    return _fresh(succeeded(view_of(receipt)))


@erasures.get("/receipts")
@api.validate(resp=answers(ReceiptsAnswer, 401, 403), tags=["erasure"])
def receipts() -> ResponseReturnValue:
    """List the receipts of all erasures, newest first."""
    found = [view_of(receipt) for receipt in services().stores.receipts.all()]
    return _fresh(succeeded(ReceiptList(receipts=found)))


@click.command("erase")
@click.option("--participant", "participant_id", help="The pseudonym's id.")
@click.option("--name", help="The name, or a study's code, that was typed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def erase_command(participant_id: str | None, name: str | None, yes: bool) -> None:
    """Erase a participant who withdrew, and print the receipt as JSON."""
    if (participant_id is None) == (name is None):
        raise click.ClickException("give either --participant or --name")
    parts, found = services(), participant_id or ""
    try:
        found = found or id_of_name(parts, name or "")
        if not yes:
            click.confirm(f"Erase all of participant {found}? This cannot be undone.", abort=True, err=True)
        receipt = erase(parts, found, current_app.config["EXPORTS_DIR"], "command line")
    except BusinessException as exc:
        raise click.ClickException(exc.message) from exc
    except StoreError as exc:
        raise click.ClickException(f"{exc}; give the same command again, with --participant {found}") from exc
    click.echo(json_format.dumps(view_of(receipt).model_dump(mode="json"), indent=2))
    if receipt.left:
        raise click.ClickException("something was still written meanwhile; give the same command again")


def _fresh(envelope: dict[str, object]) -> Response:
    response = jsonify(envelope)
    response.headers["Cache-Control"] = "no-store"
    return response
