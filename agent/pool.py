"""The WebUI instances, lent one by one: never two users at once, over threads and processes.

    with pool.lease(checkpoint="sd15", timeout=120) as instance:
        text2Image(instance, request)

A call is entered into the ledger that all processes of the host share; the scheduler (schedule.py) grants it an
instance. Until then its thread stands at a semaphore of its own, which whoever frees an instance lets it pass.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

from agent import desk
from agent.access import Access
from agent.calls import Call, Leased
from agent.errors import NoInstanceUpError, PoolClosedError, PoolTimeoutError, SDError
from agent.holding import Holding, outcome_of
from agent.host import Host
from agent.instance import SDInstance
from agent.ledger import Ledger, Transaction
from agent.outlook import Forecast, InstanceState, expected_s, forecasts, split, states
from agent.overseer import Overseer
from agent.roster import Roster
from agent.scene import Scene
from agent.turns import Turns
from agent.upkeep import Upkeep

__all__ = ["Forecast", "InstanceState", "SDInstance", "SDInstancePool"]

# A bell that was not heard costs at most this long.
_LOOK_AGAIN_S = 1.0
_FORECAST_FOR_S = 0.5


class SDInstancePool:
    """The pool, as one process sees it. Thread-safe; build it after the fork."""

    def __init__(
        self,
        instances: Sequence[SDInstance],
        timeout_s: float = 120.0,
        locks_dir: Path | None = None,
        *,
        ledger: Ledger | None = None,
        overtake_s: float = 120.0,
        max_batch: int = 1,
        patience_s: float = 4.0,
        probes: bool = True,
    ) -> None:
        """Keep the instances, one or more. `timeout_s` bounds a wait; processes that share `locks_dir` share the pool.

        `ledger` is used in place of one in `locks_dir`. `overtake_s`: nobody passes a call that came so much earlier.
        `max_batch`: most pictures that one instance makes at once. `patience_s`: least silence after which a call that
        should be done is given up. `probes`: look at the instances by itself. Raises ValueError for no instances.
        """
        if not instances:
            raise ValueError("a pool without instances lends none; give it one or more")
        self.ledger = ledger or Ledger(Host(locks_dir, uuid.uuid4().hex))
        self.timeout_s = timeout_s
        self._overtake_s = overtake_s
        self._max_batch = max_batch
        self.roster = Roster(self.ledger, instances)
        self._overseer = Overseer(self._expected, patience_s)
        self._upkeep = Upkeep(self.ledger, self.roster, self._schedule, probes=probes)
        self._turns = Turns()
        self._access = Access(self.ledger, self.roster, self._turns.call, self._upkeep.start)
        self._forecasts: tuple[float, dict[str, Forecast]] = (0.0, {})
        self._forecasting = threading.Lock()
        self._is_closed = False

    def __len__(self) -> int:
        """Count the instances that this process knows."""
        return len(self.roster)

    @property
    def instances(self) -> tuple[SDInstance, ...]:
        """All instances, to look at; to use one, lease it."""
        return self.roster.all()

    @contextmanager
    def lease(
        self,
        checkpoint: str | None = None,
        timeout: float | None = None,
        *,
        avoid: Collection[str] = (),
        call: Call | None = None,
    ) -> Iterator[SDInstance]:
        """Lend the instance where the call will be done soonest, and none named in `avoid` if it can be.

        Waits `timeout` seconds (None: the pool's own limit). Raises PoolTimeoutError, PoolClosedError,
        NoInstanceUpError at once when every instance is down, CallCanceledError, or SDNotConfiguredError for an
        unusable folder. An SDError that passes through and blames the instance sets it aside until a probe succeeds.
        """
        instance = self._take(checkpoint, self.timeout_s if timeout is None else timeout, avoid, call or Call())
        try:
            yield instance
        except SDError as exc:
            self._give_back(instance, outcome_of(instance, exc))
            raise
        except BaseException:
            # Not ours: it may have come in the middle of a call, so nobody knows what still runs there.
            instance.unsettled = True
            self._give_back(instance, outcome_of(instance, served=False))
            raise
        else:
            self._give_back(instance, outcome_of(instance, served=True))

    def blame(self, name: str, exc: SDError) -> None:
        """Set an instance aside for an error that was found after it was given back, such as a broken picture."""
        instance = self.roster.named(name)
        if exc.blames_instance and instance is not None:
            with self._access.changing() as change:
                desk.set_aside(change, instance.endpoint, time.time(), down=False)
                self._schedule(change)

    def forecast(self, job: str) -> Forecast | None:
        """Foresee when the pool's part of a job is done; None for a job without calls. Up to half a second old."""
        made_at, found = self._forecasts
        # One of the many who ask makes it anew; the others take the last one, except when there is none yet.
        if time.monotonic() - made_at > _FORECAST_FOR_S and self._forecasting.acquire(blocking=not made_at):
            try:
                with self._access.looking() as now:
                    scene = Scene.of(now, time.time())
                found = forecasts(scene, self._overtake_s)
                self._forecasts = (time.monotonic(), found)
            finally:
                self._forecasting.release()
        return found.get(job)

    def split(self, num: int, checkpoint: str, size: float) -> tuple[int, ...]:
        """Divide `num` pictures of this size (megapixel steps) into batches so that the last is done soonest."""
        with self._access.looking() as now:
            return split(now, time.time(), num, checkpoint, size, self._max_batch)

    def states(self) -> tuple[InstanceState, ...]:
        """Describe every instance, as all processes see it."""
        with self._access.looking() as now:
            return states(now, time.time())

    def waiting(self) -> int:
        """Count the calls that wait for an instance."""
        with self._access.looking() as now:
            row = now.row("SELECT COUNT(*) FROM calls WHERE endpoint IS NULL")
        return int(row[0]) if row is not None else 0

    def why_unservable(self, checkpoint: str, controlnet: Collection[str] = ()) -> str | None:
        """Say what is missing when every instance is known to lack it; None while any may have it."""
        with self._access.looking() as now:
            return self.roster.why_unservable(now, checkpoint, controlnet)

    def add(self, endpoint: str) -> None:
        """Take another instance in. Raises UnknownInstanceError for an address that is no URL."""
        with self._access.changing() as change:
            self.roster.add(change, endpoint)
        self._upkeep.look_now()

    def drain(self, name: str) -> None:
        """Give an instance no more work; what it does now it finishes. Raises UnknownInstanceError."""
        self._set_mode(name, "drained")

    def resume(self, name: str) -> None:
        """Give a drained instance work again. Raises UnknownInstanceError."""
        self._set_mode(name, "open")

    def remove(self, name: str) -> None:
        """Drain an instance and forget it once it is idle. Raises UnknownInstanceError."""
        self._set_mode(name, "removed")

    def start(self) -> None:
        """Take part in the pool and look after it; otherwise done at the first use. Raises SDNotConfiguredError."""
        with self._access.looking():
            pass

    def close(self) -> None:
        """Send all waiters of this process home and close the idle connections."""
        self._is_closed = True
        self._upkeep.stop()
        self._overseer.close()
        self._turns.wake_all()
        for instance in self.roster.all():
            instance.close()

    def _take(self, checkpoint: str | None, timeout_s: float, avoid: Collection[str], call: Call) -> SDInstance:
        began, turn = time.monotonic(), threading.Semaphore(0)
        with self._access.changing() as change:
            number = desk.enter(change, self.ledger.host.id, self.roster.entry(checkpoint, avoid, call), time.time())
            self._turns.join(number, turn)
            self._schedule(change)
        try:
            return self._wait(number, turn, began, timeout_s, call)
        except BaseException:
            self._leave(number)
            self._turns.sent(number)
            raise
        finally:
            self._turns.leave(number)

    def _wait(self, number: int, turn: threading.Semaphore, began: float, timeout_s: float, call: Call) -> SDInstance:
        cancellation = call.cancellation
        with cancellation.calling(turn.release) if cancellation is not None else nullcontext():
            return self._stand(number, turn, began, timeout_s, call)

    def _stand(self, number: int, turn: threading.Semaphore, began: float, timeout_s: float, call: Call) -> SDInstance:
        end = began + timeout_s
        while True:
            turn.acquire(timeout=max(min(end - time.monotonic(), _LOOK_AGAIN_S), 0))
            call.raise_if_canceled()
            if self._is_closed:
                raise PoolClosedError("the pool of WebUI instances is closed: this server is shutting down")
            instance = self._granted(number, call, time.monotonic() - began)
            if instance is not None:
                return instance
            if time.monotonic() >= end:
                raise self._timed_out(timeout_s)

    def _granted(self, number: int, call: Call, waited_s: float) -> SDInstance | None:
        with self._access.looking() as now:
            row = now.row(
                "SELECT calls.endpoint, calls.reason, calls.checkpoint AS wanted, instances.* FROM calls"
                " LEFT JOIN instances ON instances.call = calls.id WHERE calls.id = ?",
                number,
            )
            load_limit_s = desk.load_limit_s(now)
        if row is None:
            raise PoolClosedError("the pool's ledger was lost; send the request again")
        if row[0] is None:
            return None
        if row["name"] is None:
            raise NoInstanceUpError(
                "no WebUI is up: each of them failed or cannot be reached, and is probed now and then"
            )
        instance = self.roster.at(row[0])
        leased = Leased(instance.name, row["wanted"], waited_s, row["reason"], bool(row["loads"]))
        instance.loaded = row["checkpoint"]
        if instance.capabilities is None:
            instance.capabilities = self.roster.listed(instance.endpoint)
        instance.unsettled, instance.abandoned_task = bool(row["unsettled"]), row["abandoned_task"]
        note_task, sent = partial(self._note_task, number), partial(self._turns.sent, number)
        instance.holding = Holding(number, call, leased, note_task, sent, self._overseer)
        instance.holding.load_limit_s = load_limit_s
        if call.on_lease is not None:
            call.on_lease(leased)
        return instance

    def _leave(self, number: int) -> None:
        """Take a call that is not wanted any more out, wherever it stands."""
        with self._access.changing() as change:
            if desk.withdraw(change, number):
                self._schedule(change)

    def _give_back(self, instance: SDInstance, outcome: desk.Outcome) -> None:
        holding, instance.holding = instance.holding, None
        assert holding is not None
        with self._access.changing() as change:
            desk.clear(change, instance.endpoint, self.ledger.host.id, holding.number, outcome, time.time())
            self._schedule(change)
        self._turns.sent(holding.number)
        self._turns.stand_back()

    def _note_task(self, number: int, task_id: str) -> None:
        with self._access.changing() as change:
            change.run("UPDATE instances SET task = ? WHERE call = ?", task_id, number)

    def _schedule(self, change: Transaction) -> None:
        desk.schedule(change, time.time(), self._overtake_s, self._notify)

    def _notify(self, process: str, number: int) -> None:
        if process == self.ledger.host.id:
            self._turns.call(number)
        else:
            self.ledger.host.tell(f"grant {number}", to=process)

    def _set_mode(self, name: str, mode: str) -> None:
        with self._access.changing() as change:
            self.roster.set_mode(change, name, mode)
            self._schedule(change)

    def _expected(self, instance: SDInstance, holding: Holding) -> float | None:
        with self._access.looking() as now:
            return expected_s(now, instance.endpoint, holding.call)

    def _timed_out(self, timeout_s: float) -> PoolTimeoutError:
        count = len(self)
        who = f"all {count} instances" if count > 1 else "the only instance"
        return PoolTimeoutError(
            f"{who} stayed busy for {timeout_s:g} s; add one to SD_ENDPOINTS or raise SD_POOL_TIMEOUT"
        )
