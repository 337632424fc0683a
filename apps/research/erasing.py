"""Erases a participant who withdrew: ends what runs, takes exports back, removes records and pictures."""

import logging
from pathlib import Path

from apps.errors import InvalidInputError, UnknownRecordError
from apps.openapi import VERSION
from apps.research.export_runs import ExportRuns
from apps.services import Services
from store.errors import NotFoundError
from store.receipts import Receipt

logger = logging.getLogger(__name__)

REASON = "the participant withdrew, and all of it is erased"
TAKEN_BACK = "a participant withdrew; make another export"


def erase(parts: Services, participant_id: str, exports_dir: Path, requested_by: str) -> Receipt:
    """Erase a participant and give the receipt; what was broken off is gone on with, what is done is told again.

    Raises:
        UnknownRecordError: there is no such participant, and never was one that was erased.
        StoreError: it was broken off; ask again.
    """
    stores = parts.stores
    if not stores.erasure.is_known(participant_id):
        done = stores.receipts.of_participant(participant_id)
        if done is None:
            raise UnknownRecordError(
                f"there is no participant {participant_id[:40]!r}; the lists of sessions name them"
            )
        return done
    receipt = stores.receipts.begin(participant_id, requested_by)
    stores.erasure.forget_name(participant_id)
    owned = stores.erasure.owned(participant_id)
    for replay_id in owned.replay_ids:
        stores.replays.cancel(replay_id)
    for generation_id in owned.living:
        _cancel(parts, generation_id)
    _take_exports_back(parts, exports_dir, owned.study_ids)
    receipt = stores.erasure.erase(receipt, participant_id)
    # Again, for those that began while it was done.
    _take_exports_back(parts, exports_dir, owned.study_ids)
    logger.info("receipt %s: a participant is erased", receipt.id)
    return receipt


def id_of_name(parts: Services, name: str) -> str:
    """Give the pseudonym of a name. Raises UnknownRecordError if nobody came under it."""
    participant = parts.stores.participants.find(name)
    if participant is None:
        raise UnknownRecordError("nobody came under this name; give the pseudonym's id if an erasure was broken off")
    return participant.id


def check_confirmed(participant_id: str, confirm: str) -> None:
    """Raise InvalidInputError unless both are the same."""
    if participant_id != confirm:
        raise InvalidInputError("confirm: must be the participant's id, as this cannot be undone")


def _cancel(parts: Services, generation_id: str) -> None:
    try:
        parts.jobs.cancel(generation_id, REASON)
    except NotFoundError:
        logger.info("generation %s was gone before it could be canceled", generation_id)


def _take_exports_back(parts: Services, folder: Path, study_ids: tuple[str, ...]) -> None:
    for study_id in study_ids:
        parts.stores.exports.withdraw(study_id, TAKEN_BACK)
    if folder.is_dir():
        ExportRuns(parts.stores, folder, VERSION).sweep()
