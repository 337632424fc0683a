"""Who takes part in which study, and what its condition says of a generation.

Whoever comes by no link belongs to the default study, where everything is allowed. What is looked up is remembered for
some seconds, because every generation asks for it.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from apps.errors import InvalidInputError, NotAllowedError, NotNowError
from apps.sealing import Difference
from jobs.submission import Belonging, Submission
from store.clock import utc_now
from store.errors import StoreError
from store.sessions import Session
from store.stores import Stores
from store.studies import Condition, Hold, Study

logger = logging.getLogger(__name__)

REMEMBERED_S = 5.0
TOUCHED_EVERY_S = 10.0
MANY = 5_000

Item = TypeVar("Item")
Differences = Callable[[Study], Sequence[Difference]]
"""Names what is not as a study was sealed; nothing for one that is not sealed."""


@dataclass(frozen=True)
class Part:
    """A participant's part in a study."""

    study: Study
    condition: Condition
    session: Session


class _Memory(Generic[Item]):
    """What was looked up a moment ago. Thread-safe, as each entry is replaced whole."""

    def __init__(self, kept_s: float) -> None:
        self._kept_s = kept_s
        self._known: dict[str, tuple[float, Item]] = {}

    def get(self, key: str, look: Callable[[], Item]) -> Item:
        known = self._known.get(key)
        if known is not None and time.monotonic() - known[0] < self._kept_s:
            return known[1]
        found = look()
        if len(self._known) >= MANY:
            self._known.clear()
        self._known[key] = (time.monotonic(), found)
        return found

    def forget(self, key: str) -> None:
        self._known.pop(key, None)


class Participation:
    """The studies as participants meet them.

    Args:
        operations: the names of all operations that there are.
        differences: see `Differences`.
    """

    def __init__(
        self, stores: Stores, operations: tuple[str, ...], differences: Differences = lambda _study: ()
    ) -> None:
        self.operations = operations
        self._stores = stores
        self._differences = differences
        self._sessions = _Memory[Session](REMEMBERED_S)
        self._studies = _Memory[Study](REMEMBERED_S)
        self._touched: dict[str, float] = {}
        self._lock = threading.Lock()
        self._touching: ThreadPoolExecutor | None = None

    def of(self, participant_id: str) -> Part:
        """Give a participant's part; one who came by no link is in the default study from now on. Raises StoreError."""
        session = self._sessions.get(participant_id, lambda: self._stores.sessions.of_nobody_else(participant_id))
        study = self._studies.get(session.study_id, lambda: self._study_of(session))
        return Part(study, _condition_of(study, session), session)

    def forget(self, participant_id: str) -> None:
        """Look a participant up anew next time."""
        self._sessions.forget(participant_id)

    def permit(self, participant_id: str, operation: str, num: int) -> Part:
        """Give a participant's part if its condition offers so many results of an operation now; raises as `ruled`.

        To be asked before anything of a request is kept, so that a refused one leaves no picture behind.
        """
        return self._permitted(participant_id, operation, num)[0]

    def ruled(self, submission: Submission) -> Submission:
        """Put a generation under the rules of its participant's study.

        Raises:
            NotAllowedError: the condition has no such operation, or the session is over.
            InvalidInputError: it has fewer results at once.
            NotNowError: the study was sealed, is not as sealed, and wants no data then.
        """
        part, drift = self._permitted(submission.participant_id, submission.operation, submission.inputs.num)
        kind, hold_s = part.condition.hold.kind, drawn(part.condition.hold, submission.generation_id)
        self.touch(part.session.id)
        belongs = Belonging(
            part.study.id, part.session.id, part.condition.id, "" if hold_s is None else kind, hold_s, drift
        )
        pins = submission.pins
        if part.condition.checkpoint is not None and pins.checkpoint is None:
            pins = replace(pins, checkpoint=part.condition.checkpoint)
        return replace(submission, belongs=belongs, pins=pins)

    def active(self, username: str) -> None:
        """Note that the participant of a name did something just now. Raises StoreError."""
        self.touch(self.of(self._stores.participants.id_of(username)).session.id)

    def touch(self, session_id: str) -> None:
        """Note that something happened in a session just now; written soon, in nobody's way."""
        with self._lock:
            if time.monotonic() - self._touched.get(session_id, -TOUCHED_EVERY_S) < TOUCHED_EVERY_S:
                return
            if len(self._touched) >= MANY:
                self._touched.clear()
            self._touched[session_id] = time.monotonic()
            if self._touching is None:
                self._touching = ThreadPoolExecutor(1, thread_name_prefix="sessions")
            self._touching.submit(self._touch, session_id)

    def close(self) -> None:
        """Write what is still to be written."""
        if self._touching is not None:
            self._touching.shutdown()

    def _permitted(self, participant_id: str, operation: str, num: int) -> tuple[Part, bool | None]:
        part = self.of(participant_id)
        _check(part, operation, num)
        return part, self._drift(part.study)

    def _touch(self, session_id: str) -> None:
        try:
            self._stores.sessions.update(session_id, {"last_event_at": utc_now()})
        except StoreError as exc:
            logger.info("when session %s was last active is not written: %s", session_id, exc)

    def _study_of(self, session: Session) -> Study:
        found = self._stores.studies.get(session.study_id)
        return self._stores.studies.default() if found is None else found

    def _drift(self, study: Study) -> bool | None:
        if study.seal is None:
            return None
        differences = self._differences(study)
        if differences and study.drift_policy == "refuse":
            changed = ", ".join(f"{one.what} {one.name}" for one in differences[:3])
            raise NotNowError(
                f"study {study.name!r} was frozen and is not as it was then: {changed}. "
                "Put it back as it was, or let the study record such changes"
            )
        return bool(differences)


def drawn(hold: Hold, generation_id: str) -> float | None:
    """Draw the seconds that an answer is held back, the same again for the same generation; None: not at all."""
    chance = random.Random(generation_id)
    if hold.kind == "none":
        return None
    if hold.kind == "fixed":
        return hold.seconds
    if hold.kind == "uniform":
        return round(chance.uniform(hold.low or 0.0, hold.high or 0.0), 3)
    seconds = max(chance.gauss(hold.mean or 0.0, hold.sd or 0.0), hold.min or 0.0)
    return round(seconds if hold.max is None else min(seconds, hold.max), 3)


def _condition_of(study: Study, session: Session) -> Condition:
    return study.condition(session.condition_id) or Condition(id=session.condition_id)


def _check(part: Part, operation: str, num: int) -> None:
    condition = part.condition
    if part.session.state != "active" and not part.study.is_default:
        raise NotAllowedError(403, "this session is over; what was made in it stays, and nothing new can be made")
    if not condition.assistant:
        raise NotAllowedError(403, "in this session there is no assistant; draw and write yourself")
    if condition.allowed is not None and operation not in condition.allowed:
        allowed = ", ".join(condition.allowed) or "none"
        raise NotAllowedError(403, f"in this session {operation} is not offered; these are: {allowed}")
    if condition.num_max is not None and num > condition.num_max:
        raise InvalidInputError(f"num: in this session at most {condition.num_max} at once")
