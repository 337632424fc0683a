"""What a lease is while it lasts: whose call it is, how long it should take, and what was measured."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent import desk
from agent.calls import Call, Leased
from agent.errors import CallCanceledError, InstanceTimeoutError, InstanceUnreachableError, SDError

if TYPE_CHECKING:
    from agent.instance import SDInstance
    from agent.overseer import Overseer


class Holding:
    """One granted lease. `number` is its call's in the ledger; times in seconds."""

    def __init__(
        self,
        number: int,
        call: Call,
        leased: Leased,
        note_task: Callable[[str], None],
        sent: Callable[[], None],
        overseer: Overseer,
    ) -> None:
        """Keep who it is for.

        `note_task` tells all processes which task runs under it; `sent` tells this one that its work is on its way.
        """
        self.number = number
        self.call = call
        self.leased = leased
        self.load_s = 0.0
        self.load_limit_s: float | None = None
        self.paint_s: float | None = None
        self.hung_after_s: float | None = None
        self.sent = sent
        self._note_task = note_task
        self._overseer = overseer

    def expected_s(self, instance: SDInstance) -> float | None:
        """Foresee the seconds of its picture, as far as was learned."""
        return self._overseer.expected(instance, self)

    @contextmanager
    def task(self, instance: SDInstance, task_id: str) -> Iterator[None]:
        """Watch over a task while its call is under way: progress, signs of life, cancellation.

        An SDError of a call that was canceled meanwhile is raised as CallCanceledError.
        """
        self.call.raise_if_canceled()
        # Written down first: if this process is killed, the others know what to interrupt.
        self._note_task(task_id)
        self.sent()
        began = time.monotonic()
        try:
            with self._stopping(instance, task_id), self._overseer.watching(instance, task_id, self):
                yield
        except SDError as exc:
            if self.call.cancellation is not None and self.call.cancellation.is_canceled:
                raise CallCanceledError("the job was canceled") from exc
            raise
        self.paint_s = time.monotonic() - began
        self.call.raise_if_canceled()

    @contextmanager
    def _stopping(self, instance: SDInstance, task_id: str) -> Iterator[None]:
        cancellation = self.call.cancellation
        if cancellation is None:
            yield
            return
        ended = threading.Event()

        def stop() -> None:
            # Interrupting asks the instance questions; whoever cancels should not wait for the answers.
            threading.Thread(
                target=self._overseer.stop, args=(instance, task_id, ended), name="interrupt", daemon=True
            ).start()

        try:
            with cancellation.calling(stop):
                yield
        finally:
            ended.set()


def outcome_of(instance: SDInstance, exc: SDError | None = None, *, served: bool = False) -> desk.Outcome:
    """Say what became of the lease under which an instance is used, for the ledger."""
    holding = instance.holding
    return desk.Outcome(
        served=served,
        failed=exc is not None and exc.blames_instance,
        down=isinstance(exc, InstanceUnreachableError | InstanceTimeoutError),
        checkpoint=instance.loaded,
        paint_s=holding.paint_s if holding is not None else None,
        load_s=holding.load_s if holding is not None else None,
        unsettled=instance.unsettled,
        abandoned_task=instance.abandoned_task,
    )
