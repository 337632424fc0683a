"""What logging in takes and answers."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from apps.passwords import LONGEST
from apps.schemas import Envelope, succeeded


class LoginRequest(BaseModel):
    """Who comes, and the proof."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"login": "mueller", "password": "correct horse battery staple"}]},
    )

    login: str = Field(min_length=1, max_length=64)
    password: SecretStr = Field(min_length=1, max_length=LONGEST)


class Me(BaseModel):
    """Who one is."""

    login: str = Field(description="`local` where none is needed")
    needs_login: bool = Field(description="RESEARCH_LOGIN")


class MeAnswer(Envelope[Me]):
    """Who one is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [succeeded({"login": "mueller", "needs_login": True})]},
    )
