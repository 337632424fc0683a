"""One WebUI process: its settings and everything that its calls share."""

import random
import threading
import time
from dataclasses import dataclass, field

from standins.control import Controls
from standins.faults import FaultBook
from standins.journal import Journal
from standins.webui.checkpoints import Shelf
from standins.webui.errors import FAULTS
from standins.webui.state import FifoQueue, State, Tasks

CONTROLNET_MODELS = (
    "control_v11p_sd15_scribble", "control_v11p_sd15_lineart", "control_v11f1p_sd15_depth",
    "control_v11p_sd15_inpaint", "control_v11p_sd15_canny",
)  # fmt: skip
WIRE_FAULTS = {"hang", "reset", "slow_body", "broken_base64", "garbage"}


@dataclass(frozen=True)
class Settings:
    """The command line of one stand-in WebUI."""

    name: str = "webui"
    step_time: float = 0.02
    load_time: float = 0.5
    api_auth: str | None = None
    nowebui: bool = False
    journal: str | None = None
    controlnet: bool = True
    sam: bool = True
    plain: bool = False
    checkpoints: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    worker_threads: int = 40


class Instance:
    """The parts of the process; `event_loop` is held by calls that block all others (SAM, detect)."""

    def __init__(self, settings: Settings) -> None:
        """Load the first checkpoint, idle."""
        self.settings = settings
        book = FaultBook(frozenset(FAULTS) | WIRE_FAULTS, settings.faults)
        timing = {"step_time": settings.step_time, "load_time": settings.load_time}
        self.controls = Controls(book, Journal(settings.journal), timing)
        self.shelf = Shelf(list(settings.checkpoints), self._switch)
        self.queue, self.state, self.tasks = FifoQueue(), State(), Tasks()
        self.event_loop = threading.RLock()
        self.threads = threading.BoundedSemaphore(settings.worker_threads)
        self.dice = random.Random()

    def _switch(self, _model_name: str) -> float:
        began = time.time()
        time.sleep(self.controls.timing["load_time"])
        return time.time() - began

    def random_seed(self) -> int:
        """A seed as the WebUI draws it for -1."""
        return self.dice.randrange(2**32)
