"""What a process left behind that died, or that could not finish writing, is found and seen to.

A job that has made nothing yet is run once more; any other is marked failed with the reason, so that no record says
`running` for ever. Several processes may look at the same time: each change of a record names the owner it takes it
from, so one of them gets through.
"""

import logging
from collections.abc import Iterable
from typing import Final

from agent.host import Host
from jobs.admission import Admission
from jobs.dispatch import Dispatcher
from jobs.metrics import Metrics
from jobs.runner import Runner
from store.documents import ErrorRecord
from store.generations import Generations
from store.stores import Stores

logger = logging.getLogger(__name__)

UNCLAIMED_AFTER_S: Final = 2.0
STOPPED: Final = ErrorRecord(
    type="RunnerDiedError",
    message="the server process that ran it stopped before it ended; send the request again",
)
UNWRITTEN: Final = ErrorRecord(
    type="StoreUnavailableError",
    message="the database was away when it ended, so what it made is not kept; send the request again",
)


def let_go_of_what_was_taken(runner: Runner, generations: Generations) -> tuple[str, ...]:
    """Stop what others took from a runner, or canceled, and give the generations that are its own by their records.

    Raises:
        StoreError: the database is away.
    """
    worked_on = runner.written()
    held = generations.abandoned(runner.id)
    for generation_id in worked_on.difference(held):
        runner.cancel(generation_id)
    return held


class Recovery:
    """Looks for abandoned generations.

    Args:
        dispatcher: brings them to runners elsewhere; None: this process takes them, as far as it has room.
    """

    def __init__(
        self,
        stores: Stores,
        runner: Runner,
        host: Host,
        admission: Admission,
        metrics: Metrics,
        dispatcher: Dispatcher | None = None,
    ) -> None:
        self._stores = stores
        self._runner = runner
        self._host = host
        self._admission = admission
        self._metrics = metrics
        self._dispatcher = dispatcher

    def of_this_process(self) -> None:
        """Close what this runner could not finish writing, and stop what others took from it.

        Raises:
            StoreError: the database is away; as all others here do.
        """
        held = let_go_of_what_was_taken(self._runner, self._stores.generations)
        # Looked at again after the question, in which it may have taken some.
        for generation_id in set(held).difference(self._runner.in_hand()):
            if self._stores.generations.abandon(generation_id, self._runner.id, UNWRITTEN):
                logger.warning("generation %s failed: its end could not be written", generation_id)
                self._admission.dismiss(generation_id)

    def of_dead_neighbours(self, within_s: float) -> int:
        """Take over from the processes of this host whose lock is free: they are certainly dead."""
        alive = self._stores.runners.alive(within_s)
        return self._take_over(runner.id for runner in alive if self._host.is_alive(runner.id) is False)

    def of_the_silent(self, after_s: float) -> int:
        """Take over from the runners that have not been heard of for so many seconds."""
        return self._take_over(self._stores.runners.dead(after_s))

    def of_nobody(self) -> None:
        """Take what waits and belongs to nobody, if this process is one that does; no more than can begin at once."""
        room = self._runner.room()
        if self._dispatcher is not None or not room:
            return
        for generation_id in self._stores.generations.unclaimed(UNCLAIMED_AFTER_S, room):
            if not self._fetch(generation_id):
                break

    def _take_over(self, runners: Iterable[str]) -> int:
        count = 0
        for runner_id in runners:
            for generation_id in self._stores.generations.abandoned(runner_id):
                count += self._take_up(generation_id, runner_id)
            self._stores.runners.forget(runner_id)
        return count

    def _take_up(self, generation_id: str, owner: str) -> bool:
        """See to one generation of a dead runner; False if somebody was quicker."""
        generations = self._stores.generations
        self._admission.dismiss(generation_id)
        if generations.requeue(generation_id, owner):
            logger.warning("generation %s is run once more: its process died", generation_id)
            self._start_again(generation_id)
            return True
        if generations.abandon(generation_id, owner, STOPPED):
            logger.warning("generation %s failed: its process died", generation_id)
            return True
        return False

    def _start_again(self, generation_id: str) -> None:
        record = self._stores.generations.get(generation_id)
        if record is None:
            return
        self._metrics.job_requeued(record.operation)
        if self._dispatcher is not None:
            self._dispatcher.dispatch(record)
        else:
            self._fetch(generation_id)

    def _fetch(self, generation_id: str) -> bool:
        """Claim a generation and run it here; False if there is no room for it, or for any other."""
        if not self._runner.room():
            return False
        self._admission.readmit(generation_id)
        if self._runner.fetch(generation_id):
            logger.info("generation %s is taken up", generation_id)
        else:
            self._admission.dismiss(generation_id)
        return True
