"""The envelope of every answer, and types that several apps share."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import to_jsonable_python

from apps.codes import BUSINESS_FAIL, SUCCESS
from jobs.submission import SEED_LIMIT

T = TypeVar("T")


def _whole_number(value: Any) -> Any:
    """Take 2, 2.0 and "2" for two, as the original's `int()` did, but no truth value; a blank is nothing."""
    if isinstance(value, bool):
        raise ValueError("Input should be a whole number, not true or false")
    if isinstance(value, str) and not value.strip():
        return None
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


def _integral(value: Any) -> Any:
    """Take 7.0 for seven: JSON knows one kind of number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WholeNumber = BeforeValidator(_whole_number)
Seed = Annotated[int, Field(ge=0, lt=SEED_LIMIT, strict=True), BeforeValidator(_integral)]
ImageFormat = Literal["url", "base64"]


class Envelope(BaseModel, Generic[T]):
    """What every JSON answer looks like."""

    success: bool = Field(description="whether the request did what it asked for")
    data: T
    code: int = Field(
        SUCCESS, description="0 success, 1 the caller can mend it, 2 a model service failed, 3 the server failed"
    )
    message: str = Field("", description="empty on success; else what is wrong and what to do")


class Failure(BaseModel):
    """The envelope of a request that failed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"success": False, "data": None, "code": 1, "message": "designTask: Field required"}]
        }
    )

    success: Literal[False] = False
    data: None = None
    code: int = Field(
        BUSINESS_FAIL, description="1 the caller can mend it, 2 a model service failed, 3 the server failed"
    )
    message: str = Field(description="what is wrong and what to do")


class Nothing(Envelope[None]):
    """Success with nothing to tell."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"success": True, "data": None, "code": 0, "message": ""}]}
    )


def succeeded(data: Any, **more: Any) -> dict[str, Any]:
    """Wrap plain data, or models, in the envelope; `more` are keys that a legacy client reads beside it."""
    return {"success": True, "data": to_jsonable_python(data, by_alias=True), "code": SUCCESS, "message": "", **more}


def documented_as(*required: str, example: dict[str, Any]) -> ConfigDict:
    """Say in the OpenAPI document which keys a body needs, and show an example.

    The legacy contract has its own words for a missing key, so these models leave the key out of what pydantic
    demands and check it themselves; the document tells the truth all the same.
    """

    def complete(schema: dict[str, Any]) -> None:
        schema["required"] = list(dict.fromkeys([*schema.get("required", []), *required]))
        for key in required:
            schema["properties"][key].pop("default", None)
        schema["examples"] = [example]

    return ConfigDict(json_schema_extra=complete)
