"""What /api/pool tells and takes."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from apps.schemas import Envelope, succeeded

_WEB = ("http", "https")


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_base = parts.scheme in _WEB and bool(parts.hostname) and (parts.port or 80) > 0
    except ValueError:
        is_base = False
    if not is_base or parts.query or parts.fragment:
        raise ValueError("must be the base URL of a WebUI, such as http://192.168.1.20:7860")
    if "@" in parts.netloc:
        raise ValueError("must hold no user name or password; SD_API_AUTH is there for that")
    return value.rstrip("/")


Endpoint = Annotated[str, Field(max_length=300), AfterValidator(_base_url)]


class InstanceInfo(BaseModel):
    """One WebUI, as all processes of this host see it."""

    name: str
    host: str = Field("", description="the worker host that it belongs to; empty when it is this server's own")
    endpoint: str
    state: str = Field(description="idle, loading, busy, resting (after failures), down, draining or drained")
    checkpoint: str | None = Field(description="what it has loaded; null while that is not known")
    job: str | None = Field(description="id of the generation that it works for")
    since_s: float | None = Field(description="seconds it has been in this state")
    served: int = Field(description="calls that ended well")
    failed: int
    mean_s: float | None = Field(description="mean seconds of a call")
    load_s: float | None = Field(description="mean seconds to load a checkpoint")
    rest_s: float | None = Field(description="seconds until it is tried again")


class PoolInfo(BaseModel):
    """The pool as it is now."""

    instances: list[InstanceInfo]
    waiting: int = Field(description="calls that wait for an instance")
    admitted: int = Field(
        description="generations accepted and not ended on this host; with worker hosts those that wait"
    )


class PoolAnswer(Envelope[PoolInfo]):
    """The pool as it is now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                succeeded(
                    {
                        "instances": [
                            {
                                "name": "192.168.1.20:7860",
                                "endpoint": "http://192.168.1.20:7860",
                                "host": "",
                                "state": "busy",
                                "checkpoint": "realisticVisionV60B1_v60B1VAE",
                                "job": "01KAVJ5Q4M8X0T3N6R9W2Z7CDE",
                                "since_s": 1.4,
                                "served": 318,
                                "failed": 2,
                                "mean_s": 2.6,
                                "load_s": 5.2,
                                "rest_s": None,
                            }
                        ],
                        "waiting": 3,
                        "admitted": 4,
                    }
                )
            ]
        }
    )


class PoolChange(BaseModel):
    """What is to change. `add` takes an endpoint, the others the name of an instance.

    `host` says on which worker host, where more than one has such an instance, or could take it.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"action": "drain", "instance": "192.168.1.20:7860"}]}
    )

    action: Literal["add", "drain", "resume", "remove"] = Field(
        description="drain: give it nothing new; resume: the end of that; remove: drain, then forget it"
    )
    endpoint: Endpoint | None = Field(None, description="base URL, with `add`")
    instance: str | None = Field(None, min_length=1, max_length=300, description="name, with the other actions")
    host: str | None = Field(
        None, min_length=1, max_length=300, description="the worker host, as GET shows it; never with a server's own"
    )

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        wanted, other = ("endpoint", "instance") if self.action == "add" else ("instance", "endpoint")
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            raise ValueError(f"{wanted}: {self.action} needs it, and no {other}")
        return self
