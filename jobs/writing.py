"""Brings to the database what a runner notes of one generation: in order, together, and in nobody's way.

What is noted waits for a few milliseconds, so that whatever comes with it goes in the same write; most often that is
the end. While the database is away everything waits; then the record itself says which write got through.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from jobs.background import Alarm, Background
from jobs.patience import patiently
from store.claims import Claim
from store.clock import utc_now
from store.documents import ENDED, ErrorRecord, Live, Output, StepRecord
from store.errors import OwnershipLostError, StoreError, StoreUnavailableError
from store.generations import Generations

logger = logging.getLogger(__name__)

TOGETHER_S: Final = 0.05
AGAIN_S: Final = 0.5


@dataclass
class _Noted:
    """What is not written yet."""

    steps: list[StepRecord] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.steps or self.outputs)


class Writing:
    """The record of one generation in the hands of its runner. Thread-safe.

    Args:
        changed: told after each write, with whether it was the end.
        lost: told once, when the generation turns out to be somebody else's.
    """

    def __init__(
        self,
        generations: Generations,
        claim: Claim,
        background: Background,
        *,
        changed: Callable[[bool], None] = lambda _ended: None,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self.generation_id = claim.generation_id
        self._generations = generations
        self._claim = claim
        self._background = background
        self._changed = changed
        self._lost = lost
        self._noted = _Noted()
        self._began_at: datetime | None = claim.started_at
        self._broken: StoreError | None = None
        self._is_unsure = self._is_closed = False
        self.is_ended = False
        self._alarm: Alarm | None = None
        self._lock = threading.Lock()
        self._sending = threading.Lock()

    @property
    def began_at(self) -> datetime | None:
        """When it began to run; None while it is queued."""
        return self._began_at

    @property
    def has_begun(self) -> bool:
        """Whether it runs, and is not queued any more."""
        return self._began_at is not None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Write nothing as long as the block lasts: the record itself is being written in it."""
        with self._sending:
            yield

    def begin(self) -> None:
        """Note that it runs from now on; only the first time counts."""
        with self._lock:
            if self._began_at is None:
                self._began_at = utc_now()
                self._plan(TOGETHER_S)

    def add(self, *, steps: Sequence[StepRecord] = (), outputs: Sequence[Output] = ()) -> None:
        """Note what happened; nobody waits until it is written."""
        with self._lock:
            self._noted.steps += steps
            self._noted.outputs += outputs
            self._plan(TOGETHER_S)

    def finish(self, outputs: Sequence[Output], times: Mapping[str, float]) -> None:
        """Write the good end with all that is not written yet; waits for a database that is away, up to a minute.

        Raises:
            OwnershipLostError: it is somebody else's now; nothing of this was kept.
            StoreError: it could not be written.
        """
        self.raise_if_broken()
        with self._lock:
            self._noted.outputs += outputs
        self._end(
            lambda noted: self._generations.finish(
                self._claim, steps=noted.steps, outputs=noted.outputs, times=times, started_at=self._began_at
            )
        )

    def fail(self, error: ErrorRecord, times: Mapping[str, float]) -> None:
        """Write the bad end, as `finish` does."""
        self._end(
            lambda noted: self._generations.fail(
                self._claim, error, steps=noted.steps, outputs=noted.outputs, times=times, started_at=self._began_at
            )
        )

    def close(self) -> None:
        """Write nothing more; what is not written yet is dropped."""
        with self._lock:
            self._is_closed = True
            if self._alarm is not None:
                self._alarm.call_off()

    def drain(self) -> None:
        """Close it, and wait for a write that is under way."""
        self.close()
        with self._sending:
            return

    def set_live(self, live: Live) -> bool:
        """Write how far it is, for readers in other processes; tell whether that worked, for it does not matter."""
        if self._is_closed:
            return False
        try:
            self._generations.set_live(self._claim, live)
        except StoreError as exc:
            logger.info("progress is not told: %s", exc)
            return False
        return True

    def raise_if_broken(self) -> None:
        """Raise the StoreError, if there was one, that no later write can mend: the record is too large."""
        if self._broken is not None:
            raise self._broken

    def _plan(self, delay_s: float) -> None:
        if self._alarm is None and not self._is_closed:
            self._alarm = self._background.after(delay_s, self._flush)

    def _flush(self) -> None:
        with self._sending:
            with self._lock:
                self._alarm = None
                if self._is_closed:
                    return
            try:
                self._send(self._written)
            except StoreUnavailableError as exc:
                logger.info("what was noted is written later: %s", exc)
                with self._lock:
                    self._plan(AGAIN_S)
            except OwnershipLostError:
                self.close()
                self._lost()
            except StoreError as exc:
                self._broken = exc

    def _written(self, noted: _Noted) -> Claim:
        return self._generations.write(self._claim, steps=noted.steps, outputs=noted.outputs, started_at=self._began_at)

    def _end(self, write: Callable[[_Noted], Claim]) -> None:
        """Write the end, again and again while the database is away."""
        self.close()
        with self._sending:
            patiently(lambda: self._send(write, is_end=True))

    def _send(self, write: Callable[[_Noted], Claim], *, is_end: bool = False) -> None:
        if self._is_unsure and self._find_out() and is_end:
            self._tell(is_end)
            return
        with self._lock:
            noted, self._noted = self._noted, _Noted()
        try:
            self._claim = write(noted)
        except StoreUnavailableError:
            # It may have got through all the same; what came since must go after it.
            self._is_unsure = True
            with self._lock:
                self._noted.steps[:0], self._noted.outputs[:0] = noted.steps, noted.outputs
            raise
        self._tell(is_end)

    def _tell(self, is_end: bool) -> None:
        # Before anybody is woken: who waits here need not read what was just written.
        self.is_ended = is_end
        self._changed(is_end)

    def _find_out(self) -> bool:
        """See in the record what the write did whose answer got lost; tell whether it was the end.

        Raises:
            OwnershipLostError: the record is somebody else's by now.
        """
        record = self._generations.get(self.generation_id)
        if record is None or (record.owner, record.token) != (self._claim.owner, self._claim.token):
            raise OwnershipLostError(f"generation {self.generation_id} changed hands while the database was away")
        self._claim = self._generations.claim_of(record)
        steps, outputs = {step.id for step in record.steps}, {output.index for output in record.outputs}
        with self._lock:
            self._noted.steps = [step for step in self._noted.steps if step.id not in steps]
            self._noted.outputs = [output for output in self._noted.outputs if output.index not in outputs]
        self._is_unsure = False
        return record.state in ENDED
