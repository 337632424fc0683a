"""`make run`: the server with everything that it needs, stand-ins in the place of what is not configured.

What is real is decided by the same configuration that the server reads. Ctrl-C, SIGTERM, a child that dies, and the
death of this very process end all of it.
"""

import fcntl
import functools
import os
import re
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click

from config import Config, ConfigError, load_config
from standins.embedded import Database, start_database, wait_for
from standins.processes import Child, StartError, StopRequested, Supervisor

HOST = "127.0.0.1"
"""Never another one here: stand-ins and the embedded database are for this machine only."""

ROOT = Path(__file__).parent.parent
WEBUI_COUNT = 2
START_TIMEOUT_S = 60.0
LISTENING = re.compile(r"listening on (http://\S+)")


class CannotStartError(Exception):
    """Something outside stands in the way; the message says what to do."""


@dataclass(frozen=True)
class Part:
    """One row of the table that tells a person what is real."""

    name: str
    is_real: bool
    address: str
    remark: str = ""

    def row(self) -> str:
        """One line for the terminal."""
        kind = click.style("REAL    ", fg="green") if self.is_real else click.style("STAND-IN", fg="yellow")
        return f"  {self.name:<16} {kind}  {self.address}" + (f"  ({self.remark})" if self.remark else "")


@dataclass
class Setup:
    """What has been started so far: rows for the reader, and settings for the server."""

    parts: list[Part] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)


@click.command(help=__doc__)
@click.option("--end-with-parent", "ends_with_parent", is_flag=True, help="End when the caller (make) is killed.")
def main(ends_with_parent: bool) -> None:
    """Run until the end is asked for; exit code 0 then, 1 when a part failed, 2 when nothing could start."""
    try:
        config = load_config()
        with only_user_of(config.DATA_DIR.resolve()):
            make_sure_port_is_free(config.PORT)
            _run(config, ends_with_parent)
    except (ConfigError, CannotStartError) as exc:
        click.secho(f"\ncannot start: {exc}", fg="red", err=True)
        sys.exit(2)


def _run(config: Config, ends_with_parent: bool) -> None:
    data_folder = config.DATA_DIR.resolve()
    with Supervisor(data_folder / "logs", ends_with_parent=ends_with_parent) as supervisor:
        try:
            setup = start_parts(supervisor, config, data_folder)
            url = start_server(supervisor, config, setup)
            click.echo(table(setup.parts, url, data_folder, config))
            supervisor.watch()
        except StopRequested:
            click.echo("\nEnding everything; Ctrl-C again does it by force.")
        except StartError as exc:
            click.secho(f"\n{exc}", fg="red", err=True)
            sys.exit(1)
    click.echo("Everything has ended.")


@contextmanager
def only_user_of(data_folder: Path) -> Iterator[None]:
    """Hold the data folder for ourselves, made when missing.

    Raises:
        CannotStartError: another `make run` holds it.
    """
    data_folder.mkdir(parents=True, exist_ok=True)
    # The lock is on the folder itself, so no lock file is left; the kernel lets it go whatever happens to us.
    handle = os.open(data_folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStartError(
            f"another `make run` already works with {data_folder}. End it first, or give this one a folder of its own: "
            f"make run DATA_DIR=./data2 PORT=5003"
        ) from None
    else:
        yield
    finally:
        os.close(handle)


def make_sure_port_is_free(port: int) -> None:
    """Raise CannotStartError when somebody listens on this port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as exc:
            words = f"port {port} is in use ({exc.strerror}). Take another: make run PORT=5003"
            raise CannotStartError(words) from None


def start_parts(supervisor: Supervisor, config: Config, data_folder: Path) -> Setup:
    """Start what is not configured, and return all parts, real and not, when they answer."""
    click.echo("Starting what is not configured ...")
    # All are started before any is waited for: they come up side by side.
    database = None if config.mongo_is_configured else start_database(supervisor, data_folder)
    names = [] if config.SD_ENDPOINTS else [f"gpu-{number}" for number in range(1, WEBUI_COUNT + 1)]
    webuis = [supervisor.start(name, _standin("webui", "--name", name)) for name in names]
    chat = None if config.chat_provider else supervisor.start("chat", _standin("chat"))
    setup = Setup()
    _add_database(supervisor, config, database, setup)
    _add_webuis(supervisor, config, webuis, setup)
    _add_chat(supervisor, config, chat, setup)
    return setup


def _add_database(supervisor: Supervisor, config: Config, database: Database | None, setup: Setup) -> None:
    if database is None:
        setup.parts.append(Part("database", True, without_secrets(config.MONGO_URI.get_secret_value())))
        return
    wait_for(supervisor, database)
    setup.env["MONGO_URI"] = database.uri
    setup.parts.append(Part("database", database.is_mongod, without_secrets(database.uri), database.remark))


def _add_webuis(supervisor: Supervisor, config: Config, webuis: list[Child], setup: Setup) -> None:
    if not webuis:
        setup.parts.extend(Part("image service", True, endpoint) for endpoint in config.SD_ENDPOINTS)
        return
    addresses = [_address(supervisor, child) for child in webuis]
    setup.env["SD_ENDPOINTS"] = ",".join(addresses)
    setup.parts.extend(Part("image service", False, address, "draws by rule, no model") for address in addresses)


def _add_chat(supervisor: Supervisor, config: Config, chat: Child | None, setup: Setup) -> None:
    if chat is None:
        address = config.AZURE_OPENAI_ENDPOINT or config.OPENAI_BASE_URL or "OpenAI"
        setup.parts.append(Part("chat service", True, address, config.chat_provider))
        return
    address = f"{_address(supervisor, chat)}/v1"
    setup.env |= {"OPENAI_BASE_URL": address, "OPENAI_API_KEY": "stand-in", "OPENAI_MODEL": "stand-in"}
    setup.parts.append(Part("chat service", False, address, "answers by rule, no model"))


def _standin(kind: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"standins.{kind}", "--host", HOST, "--port", "0", *arguments]


def _address(supervisor: Supervisor, child: Child) -> str:
    found = supervisor.wait_until(lambda: child.heard(LISTENING.search), f"the stand-in {child.name}", START_TIMEOUT_S)
    return str(found.group(1))


def start_server(supervisor: Supervisor, config: Config, setup: Setup) -> str:
    """Start the server with the parts, and return its URL when it answers /ping."""
    click.echo("Starting the server ...")
    env = {**setup.env, "HOST": HOST, "SETTINGS_RELOAD": os.environ.get("SETTINGS_RELOAD", "true")}
    env["RESEARCH_LOGIN"] = str(wants_login(config)).lower()
    # Ctrl-C should not wait for pictures that are being made: five seconds are enough for what is about to be done.
    gunicorn = ["-m", "gunicorn", "--workers", "2", "--graceful-timeout", "5", "app:app"]
    supervisor.start("server", [sys.executable, *gunicorn], env)
    url = f"http://{HOST}:{config.PORT}"
    supervisor.wait_until(functools.partial(_answers, f"{url}/ping"), "the server", START_TIMEOUT_S)
    setup.parts.insert(0, Part("server", True, url))
    return url


def wants_login(config: Config) -> bool:
    """Whether studies need a login here: only if somebody says so, as nobody but this machine reaches the server."""
    return config.RESEARCH_LOGIN and "RESEARCH_LOGIN" in config.model_fields_set


def _answers(url: str) -> bool:
    try:
        # A proxy that the environment names has no way to our own machine.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def without_secrets(uri: str) -> str:
    """A connection string as it may be shown: no user, no password, no options."""
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0].rstrip('/')}"


def table(parts: list[Part], url: str, data_folder: Path, config: Config) -> str:
    """What a person should know once all is up."""
    is_here = config.HOST in {HOST, "localhost"}
    remark = "" if is_here else f"  (HOST={config.HOST} is not used here: see deploy/README.md)"
    login = "login needed: flask user add" if wants_login(config) else "no login: open to everybody on this machine"
    lines = [
        click.style("StepIdeator is ready.", bold=True),
        "",
        *(part.row() for part in parts),
        "",
        f"  the page to create in      {url}/",
        f"  the researchers' page      {url}/studio/research  ({login})",
        f"  the API, to read and try   {url}/docs",
        f"  data and logs              {data_folder}",
        f"  to end everything          Ctrl-C{remark}",
    ]
    return "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
