"""Brings a replay to its end: its generations in their order, some of them at a time, each judged when it is there.

One driver sees to a replay at a time: a thread of the server, or a command. It may be killed at any moment; then
another one can take the replay up.
"""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace
from datetime import timedelta
from typing import Final

from agent.host import Host
from apps.research.replaying.repeating import Begun, DriverStoppedError, Repeater, Tools
from apps.research.replaying.shapes import Judgement
from jobs.threads import in_thread, tell_error
from store.clock import utc_now
from store.errors import StoreError
from store.ids import new_id
from store.replays import OPEN, Replay, ReplayItem

logger = logging.getLogger(__name__)

BEAT_S: Final = 3.0
GIVEN_UP_AFTER: Final = timedelta(seconds=30)
COMPARED: Final = frozenset(("equal", "similar", "differs", "failed"))
"""The verdicts about generations that had an answer in the session."""
UNMET: Final = frozenset(("refused", "gone"))
"""Reasons for which it is not known whether an answer would be equal."""


def is_stalled(replay: Replay, host: Host) -> bool:
    """Tell whether a replay has not ended and nobody sees to it any more."""
    if replay.state not in OPEN:
        return False
    if replay.driver and host.is_alive(replay.driver.partition("/")[0]) is False:
        return True
    # Of a driver on another host only its signs of life can be seen.
    return utc_now() - (replay.driven_at or replay.created_at) > GIVEN_UP_AFTER


class Driver:
    """Sees to one replay. `tell` hears of each item that is done, from any thread."""

    def __init__(self, tools: Tools, tell: Callable[[ReplayItem], None] = lambda _item: None) -> None:
        self._tools = tools
        self._replays = tools.stores.replays
        # One process may see to a replay twice, one after the other.
        self._name = f"{tools.host.id}/{new_id()}"
        self._tell = tell
        self._stopped = threading.Event()
        self._counting = threading.Lock()
        self._submitting = threading.Lock()
        self._waiting: deque[ReplayItem] = deque()
        self._done = 0
        self._tallies: Counter[str] = Counter()

    def drive(self, seen: Replay) -> Replay | None:
        """Take a replay and bring it to its end; give it as it is then, None if another driver has it.

        Raises:
            StoreError: the database is away; the replay can be taken up later.
        """
        self._tools.jobs.start()
        replay = self._replays.take(seen, self._name)
        if replay is None:
            return None
        in_thread(lambda: self._beat(replay.id), "replay's beat").add_done_callback(tell_error)
        try:
            self._work(replay)
        finally:
            # Also when somebody interrupts: what has begun is left to whoever takes the replay up.
            self._stopped.set()
        return self._replays.get(replay.id)

    def _work(self, replay: Replay) -> None:
        for item in self._replays.items(replay.id):
            if item.state == "done":
                self._count(item, Judgement.model_validate_json(item.judgement))
            else:
                self._waiting.append(item)
        repeater = Repeater(self._tools, replay, self._stopped)
        number = min(replay.at_once, len(self._waiting))
        threads = [in_thread(lambda: self._go_through(replay, repeater), "replay") for _ in range(number)]
        wait(threads)
        self._close(replay, threads)

    def _close(self, replay: Replay, threads: "list[Future[None]]") -> None:
        errors = [error for thread in threads if (error := thread.exception()) is not None]
        broken = [error for error in errors if not isinstance(error, DriverStoppedError)]
        if broken:
            self._replays.end(replay.id, self._name, "failed", str(broken[0])[:500])
            raise broken[0]
        if not errors:
            self._tell_how_far(replay)
            self._replays.end(replay.id, self._name, "done")

    def _go_through(self, replay: Replay, repeater: Repeater) -> None:
        try:
            while (begun := self._next(replay.id, repeater)) is not None:
                item, judgement = repeater.finish(begun)
                repeater.check()
                self._keep(replay, item, judgement)
        except BaseException:
            self._stopped.set()
            raise

    def _next(self, replay_id: str, repeater: Repeater) -> Begun | None:
        """Begin the next item: of several threads one at a time, so that the order is kept."""
        with self._submitting:
            if not self._replays.beat(replay_id, self._name):
                self._stopped.set()
            repeater.check()
            return repeater.begin(self._waiting.popleft()) if self._waiting else None

    def _keep(self, replay: Replay, item: ReplayItem, judgement: Judgement) -> None:
        text = judgement.model_dump_json(exclude_defaults=True)
        done = replace(item, state="done", verdict=judgement.verdict, judgement=text)
        self._replays.note(replay.id, done)
        with self._counting:
            self._count(done, judgement)
            self._tell_how_far(replay)
        self._tell(done)

    def _tell_how_far(self, replay: Replay) -> None:
        self._replays.tally(replay.id, self._name, self._done, dict(self._tallies))

    def _count(self, item: ReplayItem, judgement: Judgement) -> None:
        self._done += 1
        self._tallies[f"items.{item.verdict}"] += 1
        if any(reason.code in UNMET for reason in judgement.why):
            self._tallies["unmet"] += 1
        for pair in judgement.outputs if item.verdict in COMPARED else ():
            verdict = "differs" if pair.verdict in ("missing", "extra") else pair.verdict
            self._tallies[f"{pair.kind}s.{verdict}"] += 1

    def _beat(self, replay_id: str) -> None:
        """Give signs of life, and stop when the replay is not this driver's any more."""
        while not self._stopped.wait(BEAT_S):
            try:
                if not self._replays.beat(replay_id, self._name):
                    self._stopped.set()
            except StoreError as exc:
                logger.warning("replay %s gives no sign of life: %s", replay_id, exc)
