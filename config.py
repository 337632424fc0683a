"""The APP_IDs, and every setting of the server once: name, type, default and meaning.

Values come from the environment or from a file `.env` in the working directory; the environment wins. They are read
and checked once, at the start. Secrets are `SecretStr`, so no log line and no printed configuration shows them.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

APP_ID_STEPIDEATOR = 1
"""The StepIdeator front end: four representations, 14 operations. Stands in the record of each of its generations."""

LOOPBACK = re.compile(r"//(localhost|\[::1\])(?=[:/]|$)")
LOGIN = re.compile(r"//[^/]*@")
SHORTEST_KEY = 32

CommaSeparated = Annotated[tuple[str, ...], NoDecode]


class ConfigError(Exception):
    """A setting is missing or wrong; the message names each one."""


class Config(BaseSettings):
    """All settings, checked. A name in `.env` that is not among them is an error: it is most likely misspelt."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="forbid", frozen=True, case_sensitive=True
    )

    HOST: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 for all interfaces")
    PORT: int = Field(5002, ge=0, le=65535, description="port to listen on; the front end is built for 5002")
    PUBLIC_URL: str = Field(
        "", description="base of the image URLs given out; empty: the (forwarded) host of the request"
    )
    PROXY_COUNT: int = Field(
        1, ge=0, le=5, description="how many proxies in front may set X-Forwarded-*; 0 ignores them"
    )
    CORS_ORIGINS: CommaSeparated = Field(("*",), description="origins that may call, comma-separated; * for all")
    MAX_UPLOAD_MB: int = Field(64, ge=1, le=2048, description="largest request body, in MiB")
    MAX_IMAGE_MEGAPIXELS: float = Field(40, gt=0, le=178, description="largest picture accepted, in millions of pixels")

    MONGO_URI: SecretStr = Field(
        SecretStr("mongodb://127.0.0.1:27017"),
        description="connection string of MongoDB; `make run` brings its own when unset",
    )
    MONGO_DB: str = Field("stepideator", pattern=r"^[A-Za-z0-9_-]{1,60}$", description="name of the database")
    DATA_DIR: Path = Field(
        Path("data"), description="folder for lock files and, with `make run`, the embedded database"
    )

    SD_ENDPOINTS: CommaSeparated = Field((), description="base URLs of the Stable Diffusion WebUIs, comma-separated")
    SD_API_AUTH: SecretStr = Field(SecretStr(""), description="user:password of the WebUIs' --api-auth; empty: none")
    SD_CONNECT_TIMEOUT: float = Field(5, gt=0, description="seconds to wait for a connection to a WebUI")
    SD_READ_TIMEOUT: float = Field(600, gt=0, description="seconds to wait for the answer of a WebUI")
    SD_POOL_TIMEOUT: float = Field(900, gt=0, description="seconds a picture may wait for an idle WebUI")
    SD_PATIENCE: float = Field(
        4, gt=0, description="least seconds without a sign of life after which a WebUI that should be done is given up"
    )
    SD_OVERTAKE_LIMIT: float = Field(
        120, ge=0, description="seconds by which a picture may come later and still be painted earlier than another"
    )
    SD_MAX_BATCH: int = Field(
        4, ge=1, le=16, description="most pictures of one request that one WebUI paints as a batch; 1: never batch"
    )
    SAM_MODEL: str = Field(
        "", description="file name of the Segment Anything model; empty: the one the WebUI has loaded"
    )
    MULTIVIEW_ENDPOINT: str = Field("", description="base URL of a multi-view service; empty: views by ControlNet")

    AZURE_OPENAI_ENDPOINT: str = Field("", description="base URL of the Azure OpenAI resource")
    AZURE_OPENAI_API_KEY: SecretStr = Field(SecretStr(""), description="key of the Azure OpenAI resource")
    AZURE_OPENAI_API_VERSION: str = Field("2024-10-21", description="API version of Azure OpenAI")
    AZURE_OPENAI_DEPLOYMENT: str = Field("", description="name of the deployment that answers")
    OPENAI_API_KEY: SecretStr = Field(SecretStr(""), description="key of OpenAI or of a compatible service")
    OPENAI_BASE_URL: str = Field("", description="base URL of an OpenAI-compatible service, up to and with /v1")
    OPENAI_MODEL: str = Field("gpt-4o", description="model to ask at OpenAI or the compatible service")
    CHAT_TIMEOUT: float = Field(120, gt=0, description="seconds to wait for one answer of the chat service")
    CHAT_MAX_RETRIES: int = Field(
        3, ge=0, le=10, description="times the SDK repeats a call after 429, 5xx or no connection"
    )

    QUEUE_LIMIT: int = Field(
        2000, ge=1, description="generations accepted and not ended at which further ones are answered 429"
    )
    JOB_TIMEOUT: float = Field(
        3600, gt=0, description="seconds after which a generation that has not ended is given up"
    )
    JOBS_BACKEND: Literal["embedded", "celery"] = Field(
        "embedded", description="who runs generations: embedded (this server's processes) or celery (worker hosts)"
    )
    CELERY_BROKER_URL: SecretStr = Field(
        SecretStr(""), description="redis:// URL of the broker, with JOBS_BACKEND=celery"
    )
    ADMIN_TOKEN: SecretStr = Field(
        SecretStr(""), description="bearer token to change the pool; empty: only from this machine, past no proxy"
    )

    RESEARCH_LOGIN: bool = Field(
        True, description="whether studies need a login or token; false: open to this very machine, past no proxy"
    )
    SECRET_KEY: SecretStr = Field(
        SecretStr(""), description="key that signs login cookies, the same on all hosts; empty: made once in DATA_DIR"
    )

    GRACEFUL_TIMEOUT: int = Field(120, ge=1, description="seconds for requests in flight when gunicorn stops")
    SETTINGS_DIR: Path = Field(Path(__file__).parent / "settings", description="folder of the prompts and presets")
    SETTINGS_RELOAD: bool = Field(
        False, description="pick up edited prompts and presets without a restart; on with `make run`"
    )
    PROMPTS_EDITABLE: bool = Field(True, description="researchers may save prompts and presets on their page")
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least severity that is logged: DEBUG, INFO, WARNING, ERROR"
    )
    LOG_FORMAT: Literal["text", "json"] = Field("text", description="form of the log lines: text or json")

    @field_validator("CORS_ORIGINS", "SD_ENDPOINTS", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        return value

    @field_validator("SD_ENDPOINTS")
    @classmethod
    def _endpoints_differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        endpoints = tuple(_http_url(endpoint) for endpoint in value)
        if len({LOOPBACK.sub("//127.0.0.1", endpoint) for endpoint in endpoints}) != len(endpoints):
            raise ValueError("an endpoint is listed twice; one WebUI works at one picture at a time")
        return endpoints

    @field_validator("PUBLIC_URL", "MULTIVIEW_ENDPOINT", "AZURE_OPENAI_ENDPOINT", "OPENAI_BASE_URL")
    @classmethod
    def _is_url(cls, value: str) -> str:
        return _http_url(value) if value else value

    @field_validator("MONGO_URI")
    @classmethod
    def _is_mongo(cls, value: SecretStr) -> SecretStr:
        if not re.match(r"mongodb(\+srv)?://.", value.get_secret_value()):
            raise ValueError("must start with mongodb:// or mongodb+srv://")
        return value

    @field_validator("CELERY_BROKER_URL")
    @classmethod
    def _is_redis(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not re.match(r"rediss?://.", value.get_secret_value()):
            raise ValueError("must start with redis:// or rediss://")
        return value

    @field_validator("DATA_DIR")
    @classmethod
    def _is_folder(cls, value: Path) -> Path:
        if value.exists() and not value.is_dir():
            raise ValueError("must be a folder")
        return value

    @field_validator("SECRET_KEY")
    @classmethod
    def _is_long(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(f"must have at least {SHORTEST_KEY} characters, and be random")
        return value

    @field_validator("SD_API_AUTH")
    @classmethod
    def _is_pair(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and ":" not in value.get_secret_value():
            raise ValueError("must be user:password")
        return value

    @model_validator(mode="after")
    def _azure_is_whole(self) -> Self:
        three = (
            self.AZURE_OPENAI_ENDPOINT,
            self.AZURE_OPENAI_API_KEY.get_secret_value(),
            self.AZURE_OPENAI_DEPLOYMENT,
        )
        if any(three) and not all(three):
            raise ValueError(
                "AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT must be set all three, or none"
            )
        return self

    @model_validator(mode="after")
    def _celery_has_a_broker(self) -> Self:
        if self.JOBS_BACKEND == "celery" and not self.CELERY_BROKER_URL.get_secret_value():
            raise ValueError("JOBS_BACKEND=celery needs CELERY_BROKER_URL")
        return self

    @property
    def chat_provider(self) -> Literal["azure", "openai", ""]:
        """The chat service that is configured: Azure wins over OpenAI; empty when there is none."""
        if self.AZURE_OPENAI_ENDPOINT:
            return "azure"
        return "openai" if self.OPENAI_API_KEY.get_secret_value() or self.OPENAI_BASE_URL else ""

    @property
    def mongo_is_configured(self) -> bool:
        """Whether somebody chose a database; otherwise MONGO_URI is only where one usually is."""
        return "MONGO_URI" in self.model_fields_set

    def rows(self) -> list[tuple[str, str, str]]:
        """List (name, value, meaning) of each setting for people to read; a secret shows only whether it is set."""
        return [
            (name, _shown(name, getattr(self, name)), field.description or "")
            for name, field in type(self).model_fields.items()
        ]


def load_config(**overrides: Any) -> Config:
    """Read and check the settings; `overrides` win over the environment (tests use them).

    Raises:
        ConfigError: one line for each wrong setting, with its name and what is wrong; never its value.
    """
    try:
        return Config(**overrides)
    except ValidationError as exc:
        lines = [
            f"{'.'.join(map(str, e['loc'])) or 'configuration'}: {e['msg'].removeprefix('Value error, ')}"
            for e in exc.errors()
        ]
        raise ConfigError("wrong configuration:\n  " + "\n  ".join(lines)) from None


def _shown(name: str, value: Any) -> str:
    if name == "MONGO_URI":
        return LOGIN.sub("//***@", value.get_secret_value())
    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else "(not set)"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _http_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must be a URL that starts with http:// or https://")
    if "@" in value.split("/")[2]:
        raise ValueError("must not hold a user name or password; SD_API_AUTH and the keys are there for that")
    return value.rstrip("/")
