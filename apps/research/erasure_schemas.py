"""What erasing a participant takes and answers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from apps.schemas import Envelope
from store.receipts import Receipt

_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_RECEIPT: dict[str, Any] = {
    "id": "01JRECEIPT0000000000000001",
    "participant_hash": _HASH,
    "requested_by": "mueller",
    "state": "done",
    "started_at": "2026-11-25T09:00:00Z",
    "ended_at": "2026-11-25T09:00:03Z",
    "confirmed_at": "2026-11-25T09:00:03Z",
    "counts": {"generations": 3, "sessions": 1},
    "contents": [_HASH],
    "kept": 1,
    "left": {},
}


class EraseRequest(BaseModel):
    """The participant's id once more."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"confirm": "01JPARTICIPANT000000000001"}]}
    )

    confirm: str = Field(max_length=100, description="the participant's id, as in the path; this cannot be undone")


class ReceiptView(BaseModel):
    """What was erased, without saying whose it was."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RECEIPT]})

    id: str
    participant_hash: str = Field(description="SHA-256 of `participant ` and the pseudonym's id")
    requested_by: str
    state: Literal["running", "done"] = Field(description="`running`: under way, or broken off; ask again")
    started_at: datetime
    ended_at: datetime | None
    confirmed_at: datetime | None = Field(description="when a second scan of all collections found nothing left")
    counts: dict[str, int] = Field(description="removed records by collection")
    contents: list[str] = Field(description="SHA-256 of each picture or text that was removed")
    kept: int = Field(description="pictures and texts that stay, as others' records use them")
    left: dict[str, int] = Field(description="what the second scan found, by collection; empty when done")


class ReceiptList(BaseModel):
    """All receipts, newest first."""

    receipts: list[ReceiptView]


ReceiptAnswer = Envelope[ReceiptView]
ReceiptsAnswer = Envelope[ReceiptList]


def view_of(receipt: Receipt) -> ReceiptView:
    """Give a receipt as it is told."""
    return ReceiptView(**{name: getattr(receipt, name) for name in ReceiptView.model_fields})
