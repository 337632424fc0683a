"""What is told by the routes of exports."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from apps.schemas import Envelope
from store.exports import ExportState


class ExportView(BaseModel):
    """One export of a study."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "01JDATASET0000000000000001",
                    "study_id": "01JSTUDY000000000000000001",
                    "requested_by": "anna",
                    "state": "writing",
                    "progress": 0.42,
                    "bytes": 0,
                    "records": 0,
                    "pictures": 0,
                    "under_way": 0,
                    "sha256": "",
                    "error": "",
                    "until": "2026-11-25T08:30:00.001Z",
                    "created_at": "2026-11-25T08:30:00Z",
                    "ended_at": None,
                    "file_url": None,
                }
            ]
        }
    )

    id: str
    study_id: str
    requested_by: str
    state: ExportState
    progress: float = Field(description="0 to 1")
    bytes: int = Field(description="size of the file, 0 until it is done")
    records: int
    pictures: int
    under_way: int = Field(description="generations that had not ended, and so are not in it")
    sha256: str = Field(description="of the file, empty until it is done")
    error: str = Field(description="why there is no file; empty unless it failed")
    until: datetime | None = Field(description="what came before this moment is in it; null until it has begun")
    created_at: datetime
    ended_at: datetime | None
    file_url: str | None = Field(description="where the ZIP is; null until it is done")


class ExportList(BaseModel):
    """The exports of a study, newest first."""

    exports: list[ExportView]


ExportAnswer = Envelope[ExportView]
ExportsAnswer = Envelope[ExportList]
