"""What a scenario runs on: a farm, a server with fresh data, and a view of both."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.api import Api
from bench.client import Connection, WrongAnswerError
from bench.farm.journal import Entry
from bench.ideals import double_bookings
from bench.processes import FarmAddress, Process, chat, database, farm, server


class Steering:
    """The port that steers the farm."""

    def __init__(self, url: str) -> None:
        """Only keep the address."""
        self._connection = Connection(url)

    async def journal(self) -> list[Entry]:
        """Read every heavy call so far."""
        return [Entry(**row) for row in await self._call("GET", "/journal")]

    async def forget(self) -> None:
        """Empty the journal."""
        await self._call("DELETE", "/journal")

    async def set_timing(self, **seconds: float) -> None:
        """Change image_s, load_s or segment_s."""
        await self._call("POST", "/timing", seconds)

    async def set_fault(self, instance: str, kind: str) -> None:
        """Make an instance hang ("hang") or fail ("error_500"); "" mends it."""
        await self._call("POST", "/fault", {"instance": instance, "kind": kind})

    async def hasten(self) -> None:
        """End what is being painted at once, and well."""
        await self._call("POST", "/hasten")

    async def set_loaded(self, loaded: Mapping[str, str]) -> None:
        """Put checkpoints into instances at once."""
        await self._call("POST", "/loaded", dict(loaded))

    async def loaded(self) -> dict[str, str]:
        """Tell which checkpoint each instance has."""
        return dict(await self._call("GET", "/loaded"))

    async def _call(self, method: str, path: str, body: Any = None) -> Any:
        response = await self._connection.call(method, path, body)
        if response.status != 200:
            raise WrongAnswerError(f"the farm answered {response.status} to {method} {path}")
        return response.json()


@dataclass(frozen=True)
class Times:
    """Seconds that the stand-ins take."""

    image_s: float
    load_s: float = 1.0
    segment_s: float = 0.5
    chat_s: float = 0.05

    def as_arguments(self) -> list[str]:
        """For the farm's command line."""
        return ["--image-s", str(self.image_s), "--load-s", str(self.load_s), "--segment-s", str(self.segment_s)]


@dataclass(frozen=True)
class Stage:
    """A running farm and a running server that knows it."""

    steering: Steering
    endpoints: tuple[str, ...]
    api: Api
    process: Process
    chat_url: str


@dataclass
class Bench:
    """The whole run: its folder, its database, and the double bookings that were seen, by scenario."""

    folder: Path
    mongo_uri: str
    double_bookings: dict[str, int] = field(default_factory=dict)
    stages: int = 0

    def count(self, scenario: str, entries: list[Entry]) -> list[Entry]:
        """Look for double bookings in a journal, remember them, and return the journal."""
        self.double_bookings[scenario] = self.double_bookings.get(scenario, 0) + double_bookings(entries)
        return entries

    @contextmanager
    def stage(
        self,
        instances: int,
        workers: int,
        times: Times,
        settings: Mapping[str, str] | None = None,
        loaded: Sequence[str] = (),
    ) -> Iterator[Stage]:
        """Start a farm, a chat service and a server with a database of its own; all end with the block.

        `loaded` names the checkpoints that the first instances have in memory.
        """
        self.stages += 1
        folder = self.folder / f"stage-{self.stages}"
        folder.mkdir()
        with ExitStack() as parts:
            webuis: FarmAddress = parts.enter_context(
                farm(folder, instances, *times.as_arguments(), "--loaded", *loaded)
            )
            chat_url = parts.enter_context(chat(folder, times.chat_s))
            env = {
                "MONGO_URI": self.mongo_uri, "MONGO_DB": f"bench-{self.stages}", "OPENAI_API_KEY": "stand-in",
                "OPENAI_BASE_URL": f"{chat_url}/v1", "SD_ENDPOINTS": ",".join(webuis.endpoints), **(settings or {}),
            }  # fmt: skip
            url, process = parts.enter_context(server(folder, workers, env))
            yield Stage(Steering(webuis.control), webuis.endpoints, Api(url), process, chat_url)


@contextmanager
def benched(folder: Path) -> Iterator[Bench]:
    """Start what all scenarios share."""
    with database(folder) as uri:
        yield Bench(folder, uri)
