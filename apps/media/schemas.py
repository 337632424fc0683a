"""What the upload endpoints answer."""

from pydantic import BaseModel, ConfigDict, Field

from apps.schemas import Envelope

_URL = "http://127.0.0.1:5002/images/5f0c2a…e1.png"

_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAEElEQVR42mP8zwABTAwUMQBJQQEPkWFcdwAAAABJRU5ErkJggg=="


class Uploaded(BaseModel):
    """Where the picture is now."""

    url: str


class UploadAnswer(Envelope[Uploaded]):
    """The envelope, and `url` beside it, which is where the front end reads it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"success": True, "data": {"url": _URL}, "code": 0, "message": "", "url": _URL}]
        }
    )

    url: str


class UploadBody(BaseModel):
    """A picture in JSON instead of a form."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"image": _PICTURE}]})

    image: str = Field(description="BASE64, bare or as a data URL, or a URL of this server")
