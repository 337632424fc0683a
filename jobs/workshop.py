"""Puts together what a process needs that runs jobs, or submits and watches them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from agent.host import Host
from agent.ledger import Ledger
from jobs.admission import Admission
from jobs.attendance import Attendance
from jobs.background import Background
from jobs.celery_hosts import Fleet
from jobs.courses import Courses
from jobs.dispatch import Dispatcher
from jobs.heartbeat import Facts, Heartbeat
from jobs.parts import Parts
from jobs.pulse import Pulse, forecast_of
from jobs.recovery import Recovery
from jobs.run import OperationFunction
from jobs.runner import JOB_TIMEOUT_S, Operation, Runner
from jobs.starts import MAX_STARTED
from jobs.viewing import Viewing
from jobs.watch import Watch
from store.stores import Stores

LOOK_S: Final = 1.0
SPREAD_LOOK_S: Final = 0.5


@dataclass(frozen=True)
class Terms:
    """On what terms a process deals with jobs.

    `presets` are the image presets of each operation; one with none only chats. `dispatcher` brings jobs to runners on
    other hosts, those of the `fleet`; None: this process runs what it takes. `queue_limit` counts the jobs of all
    processes that are accepted and have not ended, `timeout_s` is how long one may take, `max_started` how many begin
    at once in this process. `facts` is what others may know of this process, told with each heartbeat.
    """

    presets: Mapping[Operation, tuple[str, ...]] = field(default_factory=dict)
    dispatcher: Dispatcher | None = None
    fleet: Fleet | None = None
    queue_limit: int = 2000
    timeout_s: float = JOB_TIMEOUT_S
    max_started: int = MAX_STARTED
    facts: Facts = lambda: {}

    @property
    def chats_only(self) -> frozenset[Operation]:
        """The operations that need no instance."""
        return frozenset(name for name, names in self.presets.items() if not names)


@dataclass(frozen=True)
class Workshop:
    """The parts, put together. `owner` stands in the record of a new job: empty for whoever takes it first."""

    background: Background
    admission: Admission
    watch: Watch
    runner: Runner
    viewing: Viewing
    heartbeat: Heartbeat
    dispatcher: Dispatcher | None
    owner: str


def set_up(
    parts: Parts,
    functions: Mapping[Operation, OperationFunction],
    host: Host,
    ledger: Ledger,
    terms: Terms,
    give_up: Callable[[str], None],
) -> Workshop:
    """Put the parts together; nothing begins. `give_up` cancels the job of an id, as its Cancel-After is over."""
    stores, pool, is_spread = parts.stores, parts.pool, terms.dispatcher is not None
    background = Background()
    courses = Courses(ledger, background)
    admission = Admission(parts, ledger, terms.queue_limit, _counting(stores) if is_spread else None, terms.fleet)
    watch = Watch(
        stores, background, place=lambda name: _place(parts, name), look_s=SPREAD_LOOK_S if is_spread else LOOK_S
    )
    attendance = Attendance(
        host, admission, watch, background, parts.metrics, begin=lambda: pulse.start(), give_up=give_up
    )
    runner = Runner(
        host.id, parts, functions, background, courses, attendance,
        chats_only=terms.chats_only, max_started=terms.max_started, timeout_s=terms.timeout_s,
    )  # fmt: skip
    pulse = Pulse(
        runner, pool, watch, host, background, courses, ahead=admission.ahead, tells_queued=is_spread
    )  # fmt: skip
    recovery = Recovery(stores, runner, host, admission, parts.metrics, terms.dispatcher)
    return Workshop(
        background=background,
        admission=admission,
        watch=watch,
        runner=runner,
        viewing=Viewing(watch, runner, pulse, courses, pool),
        heartbeat=Heartbeat(stores.runners, host.id, recovery, terms.facts),
        dispatcher=terms.dispatcher,
        owner="" if is_spread else host.id,
    )


def _counting(stores: Stores) -> Callable[[], int]:
    """Give the function that counts the jobs which are accepted and have not ended, wherever they are."""
    return lambda: stores.generations.queued_count() + stores.generations.running_count()


def _place(parts: Parts, generation_id: str) -> int | None:
    forecast = forecast_of(parts.pool, generation_id)
    return None if forecast is None else forecast.place
