"""The settings: read from the environment and from .env, checked by name, and never told when they are secret."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from pydantic import SecretStr

from apps.check_settings import main as check_settings
from apps.factory import create_app
from apps.registry import PRESETS, PROMPTS
from config import Config, ConfigError, load_config

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent.parent
SECRET = "sup3r-s3cret-value"
LONG_SECRET = f"{SECRET}-of-at-least-32-characters"
AZURE = {
    "AZURE_OPENAI_ENDPOINT": "https://our.azure.example",
    "AZURE_OPENAI_API_KEY": SECRET,
    "AZURE_OPENAI_DEPLOYMENT": "our-gpt",
}
VALUES: dict[str, tuple[str, Any]] = {
    "HOST": ("0.0.0.0", "0.0.0.0"),
    "PORT": ("5999", 5999),
    "PUBLIC_URL": ("https://design.example/base/", "https://design.example/base"),
    "PROXY_COUNT": ("2", 2),
    "CORS_ORIGINS": ("http://a.example, http://b.example/,", ("http://a.example", "http://b.example")),
    "MAX_UPLOAD_MB": ("7", 7),
    "MAX_IMAGE_MEGAPIXELS": ("2.5", 2.5),
    "MONGO_URI": (f"mongodb://u:{SECRET}@db.example", SecretStr(f"mongodb://u:{SECRET}@db.example")),
    "MONGO_DB": ("study_3", "study_3"),
    "DATA_DIR": ("/srv/data", Path("/srv/data")),
    "SD_ENDPOINTS": ("http://gpu1:7860/ ,http://gpu2:7860", ("http://gpu1:7860", "http://gpu2:7860")),
    "SD_API_AUTH": (f"user:{SECRET}", SecretStr(f"user:{SECRET}")),
    "SD_CONNECT_TIMEOUT": ("1.5", 1.5),
    "SD_READ_TIMEOUT": ("60", 60.0),
    "SD_POOL_TIMEOUT": ("30", 30.0),
    "SD_PATIENCE": ("9", 9.0),
    "SD_OVERTAKE_LIMIT": ("30", 30.0),
    "SD_MAX_BATCH": ("2", 2),
    "SAM_MODEL": ("sam_vit_b.pth", "sam_vit_b.pth"),
    "MULTIVIEW_ENDPOINT": ("http://views:9000/", "http://views:9000"),
    "AZURE_OPENAI_ENDPOINT": ("https://our.azure.example/", "https://our.azure.example"),
    "AZURE_OPENAI_API_KEY": (SECRET, SecretStr(SECRET)),
    "AZURE_OPENAI_API_VERSION": ("2030-01-01", "2030-01-01"),
    "AZURE_OPENAI_DEPLOYMENT": ("our-gpt", "our-gpt"),
    "OPENAI_API_KEY": (SECRET, SecretStr(SECRET)),
    "OPENAI_BASE_URL": ("http://llm:8000/v1/", "http://llm:8000/v1"),
    "OPENAI_MODEL": ("qwen", "qwen"),
    "CHAT_TIMEOUT": ("9.5", 9.5),
    "CHAT_MAX_RETRIES": ("0", 0),
    "QUEUE_LIMIT": ("50", 50),
    "JOB_TIMEOUT": ("600", 600.0),
    "JOBS_BACKEND": ("celery", "celery"),
    "CELERY_BROKER_URL": (f"redis://:{SECRET}@broker:6379/0", SecretStr(f"redis://:{SECRET}@broker:6379/0")),
    "ADMIN_TOKEN": (SECRET, SecretStr(SECRET)),
    "RESEARCH_LOGIN": ("false", False),
    "SECRET_KEY": (LONG_SECRET, SecretStr(LONG_SECRET)),
    "GRACEFUL_TIMEOUT": ("30", 30),
    "SETTINGS_DIR": ("/srv/settings", Path("/srv/settings")),
    "SETTINGS_RELOAD": ("true", True),
    "PROMPTS_EDITABLE": ("false", False),
    "LOG_LEVEL": ("DEBUG", "DEBUG"),
    "LOG_FORMAT": ("json", "json"),
}


@pytest.fixture(autouse=True)
def _empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Stand in a folder without .env, with no setting in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in Config.model_fields:
        monkeypatch.delenv(name, raising=False)


def _companions(name: str) -> dict[str, str]:
    if name == "JOBS_BACKEND":
        return {"CELERY_BROKER_URL": "redis://broker"}
    return AZURE if name in AZURE else {}


def test_celery_without_a_broker_is_refused() -> None:
    with pytest.raises(ConfigError, match="CELERY_BROKER_URL"):
        load_config(JOBS_BACKEND="celery")


def test_every_setting_has_a_line_in_this_table() -> None:
    assert VALUES.keys() == Config.model_fields.keys()


@pytest.mark.parametrize("name", VALUES)
def test_a_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    written, meant = VALUES[name]
    for other, value in {**_companions(name), name: written}.items():
        monkeypatch.setenv(other, value)

    assert getattr(load_config(), name) == meant


@pytest.mark.parametrize("name", VALUES)
def test_a_setting_is_read_from_the_file(tmp_path: Path, name: str) -> None:
    written, meant = VALUES[name]
    lines = {**_companions(name), name: written}
    (tmp_path / ".env").write_text("".join(f'{key}="{value}"\n' for key, value in lines.items()), "utf-8")

    assert getattr(load_config(), name) == meant


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PORT=1111\nMONGO_DB=from_file\n", "utf-8")
    monkeypatch.setenv("PORT", "2222")

    config = load_config()

    assert (config.PORT, config.MONGO_DB) == (2222, "from_file")


def test_an_empty_value_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")

    assert load_config().PORT == 5002


def test_every_setting_has_a_default_so_that_the_server_starts_without_any() -> None:
    assert load_config().PORT == 5002


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        ("PORT", "70000"),
        ("PROXY_COUNT", "-1"),
        ("MAX_UPLOAD_MB", "0"),
        ("MAX_UPLOAD_MB", "1.5"),
        ("MAX_IMAGE_MEGAPIXELS", "0"),
        ("MAX_IMAGE_MEGAPIXELS", "nan"),
        ("MONGO_DB", "m" * 61),
        ("MONGO_DB", "a b/c"),
        ("MONGO_URI", "foo"),
        ("DATA_DIR", "/etc/passwd"),
        ("SD_ENDPOINTS", "http://localhost:7860,http://127.0.0.1:7860"),
        ("GRACEFUL_TIMEOUT", "0"),
        ("SD_READ_TIMEOUT", "soon"),
        ("SD_POOL_TIMEOUT", "-1"),
        ("SD_ENDPOINTS", "gpu1:7860"),
        ("SD_ENDPOINTS", "http://gpu1:7860,http://gpu1:7860/"),
        ("SD_ENDPOINTS", "http://user:password@gpu1:7860"),
        ("SD_API_AUTH", "only-a-user"),
        ("PUBLIC_URL", "design.example"),
        ("MULTIVIEW_ENDPOINT", "ftp://views"),
        ("OPENAI_BASE_URL", "llm:8000"),
        ("CHAT_MAX_RETRIES", "11"),
        ("RESEARCH_LOGIN", "perhaps"),
        ("SECRET_KEY", "short"),
        ("SETTINGS_RELOAD", "perhaps"),
        ("PROMPTS_EDITABLE", "perhaps"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_value_is_refused_by_name_without_being_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError, match=rf"wrong configuration:\n  {name}: \w+") as caught:
        load_config()

    assert value not in str(caught.value) or len(value) < 4


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "many")
    monkeypatch.setenv("LOG_LEVEL", "LOUD")

    with pytest.raises(ConfigError) as caught:
        load_config()

    assert "PORT" in str(caught.value)
    assert "LOG_LEVEL" in str(caught.value)


def test_a_misspelt_name_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"SD_ENDPOINT=http://gpu1\nOPENAI_API_KEYS={SECRET}\n", "utf-8")

    with pytest.raises(ConfigError, match="SD_ENDPOINT") as caught:
        load_config()

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("left_out", sorted(AZURE))
def test_half_an_azure_configuration_is_refused(left_out: str) -> None:
    with pytest.raises(ConfigError, match=left_out):
        load_config(**{name: value for name, value in AZURE.items() if name != left_out})


@pytest.mark.parametrize(
    ("settings", "provider"),
    [
        ({}, ""),
        (AZURE, "azure"),
        ({**AZURE, "OPENAI_API_KEY": SECRET}, "azure"),
        ({"OPENAI_API_KEY": SECRET}, "openai"),
        ({"OPENAI_BASE_URL": "http://llm:8000/v1"}, "openai"),
    ],
)
def test_the_chat_service_is_the_one_that_is_configured(settings: dict[str, str], provider: str) -> None:
    assert load_config(**settings).chat_provider == provider


def test_it_is_known_whether_somebody_chose_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load_config().mongo_is_configured
    monkeypatch.setenv("MONGO_URI", "mongodb://127.0.0.1:27017")
    assert load_config().mongo_is_configured


def _with_all_secrets() -> Config:
    return load_config(**AZURE, MONGO_URI=f"mongodb://u:{SECRET}@db", SD_API_AUTH=f"u:{SECRET}", OPENAI_API_KEY=SECRET)


@pytest.mark.parametrize(
    "shown", [repr, str, lambda config: repr(config.rows()), lambda config: str(config.model_dump())]
)
def test_no_secret_is_shown_in_any_form(shown: Callable[[Config], str]) -> None:
    assert SECRET not in shown(_with_all_secrets())


def test_every_setting_has_a_meaning() -> None:
    assert all(meaning for _, _, meaning in load_config().rows())


def test_a_setting_cannot_be_changed_while_the_server_runs() -> None:
    config = load_config()
    with pytest.raises(ValueError, match="frozen"):
        config.PORT = 1  # type: ignore[misc]


@pytest.fixture
def app() -> Iterator[Flask]:
    """Build the server with all secrets set."""
    yield create_app(_with_all_secrets())


def test_the_command_config_shows_every_setting_and_no_secret(app: Flask) -> None:
    shown = app.test_cli_runner().invoke(args=["config"])

    assert shown.exit_code == 0
    assert [line.split()[0] for line in shown.output.splitlines()] == list(Config.model_fields)
    assert "(set)" in shown.output
    assert SECRET not in shown.output


def test_the_command_check_settings_counts_what_is_in_order() -> None:
    checked = CliRunner().invoke(check_settings, [str(ROOT / "settings")])

    assert (checked.exit_code, checked.output) == (
        0,
        f"{len(PROMPTS)} prompts and {len(PRESETS)} presets are in order\n",
    )


def test_the_command_check_settings_names_file_and_key_of_what_is_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    shutil.copytree(ROOT / "settings", folder)
    preset = folder / "presets" / "sketch_extend.toml"
    preset.write_text(preset.read_text("utf-8").replace("steps = 20", 'steps = "many"'), "utf-8")

    checked = CliRunner().invoke(check_settings, [str(folder)])

    assert checked.exit_code == 1
    assert "presets/sketch_extend.toml" in checked.output
    assert "steps" in checked.output


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"PORT": "many"}, "PORT"), ({"SETTINGS_DIR": "/nowhere"}, "/nowhere")],
    ids=["value", "folder"],
)
def test_the_server_does_not_start_with_a_wrong_setting_and_says_which(
    wrong: dict[str, str], named: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import app"]

    ended = subprocess.run(command, cwd=tmp_path, env=wrong, capture_output=True, text=True, timeout=30)

    assert ended.returncode == 1
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr
