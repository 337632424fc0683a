"""A small study in pieces, all on this machine: one web server, one Redis, worker hosts with WebUIs of their own."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from store.ids import new_id
from tests.embedded import free_port
from tests.processes.harness import BIN, Program, answers_ping, checkout, program, until
from tests.redis_server import RedisServer, redis_server
from tests.stand_ins import StandIn, stand_in

ENDED = ("succeeded", "failed", "canceled")
WORKER = [sys.executable, "-m", "apps.worker"]
"""The command that the unit in deploy/ runs."""


@dataclass
class WorkerHost:
    """One worker, and the WebUIs that only it knows."""

    worker: Program
    webuis: list[StandIn]

    def kill(self) -> None:
        """Kill the worker as a crash would; its WebUIs go on."""
        self.worker.process.send_signal(signal.SIGKILL)
        self.worker.process.wait()

    def hold(self) -> None:
        """Let no picture end."""
        for webui in self.webuis:
            webui.close_gate()

    def release(self) -> None:
        """Let pictures end again."""
        for webui in self.webuis:
            webui.open_gate()

    def running(self) -> int:
        """Count the calls that its WebUIs work at."""
        return sum(int(webui.state()["running"]) for webui in self.webuis)

    def seeds(self) -> list[int]:
        """Give the seed of each picture that its WebUIs have finished."""
        return [int(entry["seed"]) for webui in self.webuis for entry in webui.journal() if entry["outcome"] == "done"]


@dataclass
class Fleet:
    """The web server and what stands behind it."""

    url: str
    redis: RedisServer
    project: Path
    settings: dict[str, str]
    folder: Path
    stack: ExitStack = field(default_factory=ExitStack)

    @contextmanager
    def host(self, name: str, webuis: int = 1, **more: str) -> Iterator[WorkerHost]:
        """Run WebUIs and the worker that owns them (`more` are its settings); the web server sees them in the block."""
        flags = ("--plain", "--step-time", "0", "--load-time", "0")
        with ExitStack() as stack:
            standins = [stack.enter_context(stand_in("webui", *flags)) for _ in range(webuis)]
            own = {"SD_ENDPOINTS": ",".join(one.url for one in standins), "DATA_DIR": str(self.folder / name)}
            log = self.folder / f"{name}.log"
            env = {**self.settings, **own, "SD_PATIENCE": "60", **more}
            worker = stack.enter_context(program(WORKER, self.project, log, env))
            until(lambda: {one.url for one in standins} <= self.endpoints(), f"the WebUIs of {name}")
            yield WorkerHost(worker, standins)

    def pool(self) -> dict[str, dict[str, Any]]:
        """The WebUIs as the web server shows them, by their addresses."""
        answer = requests.get(f"{self.url}/api/pool", timeout=10).json()
        return by_endpoint(answer)

    def endpoints(self) -> set[str]:
        """The addresses of the WebUIs that the web server shows."""
        return set(self.pool())

    def job_at(self, webui: StandIn) -> str | None:
        """The job that a WebUI works for, as the web server shows it."""
        job: str | None = self.pool()[webui.url]["job"]
        return job

    def change(self, action: str, **more: str) -> requests.Response:
        """Order a change of the pool."""
        return requests.post(f"{self.url}/api/pool", json={"action": action, **more}, timeout=20)

    def submit(self, operation: str = "sketch.create_new", **more: Any) -> str:
        """Submit a generation; return its id."""
        body = {"username": "celery", "operation": operation, "task": "a lamp", "num": 1, **more}
        answer = requests.post(f"{self.url}/api/generations", json=body, timeout=10)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["data"]["id"])

    def job(self, generation_id: str) -> dict[str, Any]:
        """Look at a job."""
        found: dict[str, Any] = requests.get(f"{self.url}/api/generations/{generation_id}", timeout=10).json()["data"]
        return found

    def ended(self, generation_id: str, timeout_s: float = 30) -> dict[str, Any]:
        """Wait for a job's end."""

        def look() -> dict[str, Any] | None:
            job = self.job(generation_id)
            return job if job["state"] in ENDED else None

        return until(look, f"the end of {generation_id}", timeout_s)

    def changed(self, action: str, **more: str) -> requests.Response:
        """Change the pool of a host, again while it does not listen, as in the first second after Redis came back."""

        def answered() -> requests.Response | None:
            answer = self.change(action, **more)
            return None if answer.status_code == 504 else answer

        return until(answered, f"an answer to {action}")

    def cancel(self, generation_id: str) -> dict[str, Any]:
        """Cancel a job, and give it as it is then."""
        answer = requests.post(f"{self.url}/api/generations/{generation_id}/cancel", timeout=10)
        canceled: dict[str, Any] = answer.json()["data"]
        return canceled


def by_endpoint(answer: Any) -> dict[str, dict[str, Any]]:
    """Read what the web server tells of the pool."""
    return {instance["endpoint"]: instance for instance in answer["data"]["instances"]}


@contextmanager
def fleet(folder: Path, mongo_uri: str) -> Iterator[Fleet]:
    """Run Redis, a chat service and the web server; hosts are added by the test."""
    port, project = free_port(), checkout(folder / "checkout")
    with redis_server(folder / "redis") as redis, stand_in("chat", "--latency", "0") as chat:
        common = {
            "MONGO_URI": mongo_uri, "MONGO_DB": f"test_{new_id().lower()}", "OPENAI_BASE_URL": f"{chat.url}/v1",
            "OPENAI_API_KEY": "stand-in", "JOBS_BACKEND": "celery", "CELERY_BROKER_URL": redis.url,
        }  # fmt: skip
        web = {**common, "PORT": str(port), "DATA_DIR": str(folder / "web")}
        with program([BIN / "gunicorn", "-w", "2", "app:app"], project, folder / "gunicorn.log", web):
            url = f"http://127.0.0.1:{port}"
            until(lambda: answers_ping(url), "the server")
            yield Fleet(url, redis, project, common, folder)
