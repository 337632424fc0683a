"""What may be sent to /api/generations. This is our own API: a key that nobody knows is refused by name."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from apps.schemas import Seed
from apps.stepideator.operations import BY_NAME
from apps.stepideator.schemas import MAX_CANVASES, MAX_NUM, MAX_TEXTS, LongText, Username
from jobs.rerun import Overrides
from store.documents import State

PAGE_LIMIT = 200


def _known(name: str) -> str:
    if name not in BY_NAME:
        raise ValueError(f"there is no such operation; there are {', '.join(BY_NAME)}")
    return name


def _moment(value: Any) -> Any:
    """Read a moment as ISO 8601 or as milliseconds since the epoch; UTC where it names no zone."""
    if not isinstance(value, str):
        return value
    try:
        if re.fullmatch(r"\d{1,15}", value, re.ASCII):
            return datetime.fromtimestamp(int(value) / 1000, UTC)
        # The plus of a time zone that was not escaped arrives as a blank.
        moment = datetime.fromisoformat(re.sub(r" (?=\d\d:?\d\d$)", "+", value) if "T" in value else value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("must be a moment as ISO 8601 or milliseconds since the epoch") from None


def _blank_is_nothing(value: Any) -> Any:
    return None if value == "" else value


OperationName = Annotated[
    str,
    Field(max_length=100),
    AfterValidator(_known),
    WithJsonSchema({"type": "string", "enum": list(BY_NAME)}),
]
Task = Annotated[LongText, Field(min_length=1, pattern=r"\S")]
Num = Annotated[int, Field(ge=1, le=MAX_NUM, strict=True)]
Texts = Annotated[list[LongText], Field(max_length=MAX_TEXTS)]
Stage = Literal["brief", "sketch", "model", "rendering"]
Cursor = Annotated[str, Field(max_length=120)]
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "maxLength": 40})]


class NewGeneration(BaseModel):
    """What is to be made."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"username": "P07", "operation": "sketch.create_new", "task": "设计一款农业无人机", "num": 4}]
        },
    )

    username: Username = Field("", description="as typed; may be empty")
    operation: OperationName = Field(description="one of the names that `/api/operations` lists")
    task: Task = Field(description="the design task")
    num: Num = Field(1, description="how many results")
    texts: Texts | None = Field(None, description="texts that the operation works on")
    images: Annotated[list[str], Field(max_length=MAX_CANVASES)] = Field(
        [], description="pictures that it works on: URLs of this server, data URLs or BASE64"
    )
    seed: Seed | None = Field(
        None, description="seed of the first picture, the i-th has seed + i; chosen when left out"
    )
    stage: Stage | None = Field(
        None, description="representation that the picture shows; found by its origin when left out"
    )


class RerunRequest(Overrides):
    """What a rerun does otherwise than the first run; every key may be left out, and so may the whole body.

    `prompts` and `presets` give, by name, the hash of another version (it stands in the steps of generations that used
    it), or "current" for what the settings say now; `directions` and `views` do so for their one file. `checkpoint`
    takes the place of the one in every preset.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"seed": 7}]})
    may_be_left_out: ClassVar[bool] = True


class GenerationsQuery(BaseModel):
    """Which generations to list. A parameter without a value is left out."""

    model_config = ConfigDict(extra="forbid")

    username: Annotated[Username | None, BeforeValidator(_blank_is_nothing)] = None
    operation: Annotated[OperationName | None, BeforeValidator(_blank_is_nothing)] = None
    state: Annotated[State | None, BeforeValidator(_blank_is_nothing)] = None
    since: Annotated[Moment | None, BeforeValidator(_blank_is_nothing)] = Field(
        None, description="made at or after this moment: ISO 8601, or milliseconds since the epoch"
    )
    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT)] = 50
    cursor: Annotated[Cursor | None, BeforeValidator(_blank_is_nothing)] = Field(
        None, description="`next` of the page before"
    )
