"""What the calls about sessions take."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

SessionState = Literal["active", "completed", "withdrawn"]


def _blank_is_nothing(value: Any) -> Any:
    return None if value == "" else value


Blank = BeforeValidator(_blank_is_nothing)
Limit = Annotated[int, Field(ge=1, le=1000)]


class SessionsQuery(BaseModel):
    """Which sessions of a study to list. A parameter without a value is left out."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[SessionState | None, Blank] = None
    condition: Annotated[Annotated[str, Field(max_length=40)] | None, Blank] = None
    before: Annotated[Annotated[str, Field(max_length=64)] | None, Blank] = Field(
        None, description="`next` of the page before"
    )
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ChronicleQuery(BaseModel):
    """Which part of a session's events: the last ones, those before an entry, or those after one."""

    model_config = ConfigDict(extra="forbid")

    before: Annotated[Annotated[int, Field(ge=1)] | None, Blank] = Field(None, description="only lower `seq`s")
    after: Annotated[Annotated[int, Field(ge=0)] | None, Blank] = Field(
        None, description="only higher `seq`s, the lowest first"
    )
    limit: Limit = 200


class TreeQuery(BaseModel):
    """Which part of the tree: the newest generations, or those before one."""

    model_config = ConfigDict(extra="forbid")

    before: Annotated[Annotated[str, Field(max_length=64)] | None, Blank] = Field(
        None, description="`next` of the page before"
    )
    limit: Limit = 200
