"""One generation of a replay: submitted once more, awaited, and judged.

The id of the repetition is written before it is made, so that whoever goes on after a kill finds it and makes nothing
twice.
"""

import threading
from dataclasses import dataclass, replace
from typing import Final

from agent.errors import AgentError
from agent.host import Host
from apps.research.replaying.judging import judge, not_replayed
from apps.research.replaying.planning import Changes, overrides_for
from apps.research.replaying.shapes import Judgement
from jobs.errors import InvalidOverrideError, QueueFullError, StoppingError, UnservableError
from jobs.rerun import rerun_of
from jobs.service import Jobs
from jobs.submission import Submission
from settings.book import SettingsBook
from store.documents import ENDED, GenerationRecord
from store.errors import DuplicateError
from store.ids import new_id
from store.replays import Replay, ReplayItem
from store.stores import Stores

LOOK_S: Final = 1.0
LOST: Final = frozenset(("RunnerDiedError", "StoreUnavailableError"))
"""Errors of a record that tell of the server and nothing of the generation: then it is made once more."""
TRIES: Final = 3
CANCELED: Final = "the replay that it belongs to was canceled"


@dataclass(frozen=True)
class Tools:
    """What replays are made with; `host` is this process among the others."""

    stores: Stores
    jobs: Jobs
    book: SettingsBook
    host: Host


class DriverStoppedError(Exception):
    """Say that a driver does not go on: its replay was canceled, is another's now, or this process ends."""


@dataclass(frozen=True)
class Begun:
    """An item whose repetition is under way, or is not to be had: then its `judgement` says why."""

    item: ReplayItem
    old: GenerationRecord | None
    judgement: Judgement | None = None


class Repeater:
    """Repeats the generations of one replay, from any thread, until `stopped` is set."""

    def __init__(self, tools: Tools, replay: Replay, stopped: threading.Event) -> None:
        self._tools = tools
        self._replay = replay
        self._changes = Changes.model_validate_json(replay.changes)
        self._stopped = stopped

    def begin(self, item: ReplayItem) -> Begun:
        """Submit the repetition of an item, unless it is there already. Raises DriverStoppedError and StoreError."""
        old = self._tools.stores.generations.get(item.generation_id)
        if old is None:
            return Begun(item, old, not_replayed(None, "gone", "its record is not there any more"))
        if old.state == "canceled":
            return Begun(
                item, old, not_replayed(old, "was_canceled", "it was canceled, so there is nothing to compare")
            )
        if old.state not in ENDED:
            return Begun(item, old, not_replayed(old, "not_ended", f"it is {old.state}; replay the session later"))
        kept = self._tools.stores.generations.get(item.new_generation_id)
        if kept is not None and not _is_lost(kept):
            return Begun(self._noted(item), old)
        return self._submitted(self._noted(item if kept is None else _afresh(item)), old)

    def finish(self, begun: Begun) -> tuple[ReplayItem, Judgement]:
        """Wait for a repetition's end and judge it. Raises as `begin` does."""
        for _ in range(TRIES):
            if begun.judgement is not None or begun.old is None:
                break
            new = self._ended(begun.item.new_generation_id)
            if not _is_lost(new):
                return begun.item, judge(begun.old, new, self._read)
            begun = self._submitted(self._noted(_afresh(begun.item)), begun.old)
        lost = not_replayed(begun.old, "refused", "the server that repeated it was stopped again and again")
        return begun.item, begun.judgement or lost

    def check(self) -> None:
        """Go no further than this if there is no need to. Raises DriverStoppedError."""
        if self._stopped.is_set():
            raise DriverStoppedError

    def _submitted(self, item: ReplayItem, old: GenerationRecord) -> Begun:
        try:
            submission = self._submission(old, item.new_generation_id)
            while True:
                self.check()
                try:
                    self._tools.jobs.submit(submission)
                except QueueFullError as exc:
                    self._stopped.wait(exc.retry_after_s)
                except DuplicateError:
                    # A driver that was given up a moment ago has just made it.
                    return Begun(item, old)
                else:
                    return Begun(item, old)
        except (InvalidOverrideError, UnservableError, AgentError) as exc:
            return Begun(item, old, not_replayed(old, "refused", str(exc)))
        except StoppingError as exc:
            raise DriverStoppedError from exc

    def _submission(self, old: GenerationRecord, new_generation_id: str) -> Submission:
        again = rerun_of(old, overrides_for(old, self._changes), self._tools.stores, self._tools.book)
        return replace(
            again,
            generation_id=new_generation_id,
            # Nobody's pseudonym: what a replay makes is no participant's, and has a fair share of its own.
            participant_id=self._replay.id,
            replay_id=self._replay.id,
            presets=tuple(again.pins.presets),
        )

    def _ended(self, generation_id: str) -> GenerationRecord:
        while True:
            record = self._tools.jobs.wait(generation_id, LOOK_S)
            if record.state in ENDED:
                # Who waited may hold a record without its steps, and these are what is compared.
                return self._tools.stores.generations.get(generation_id) or record
            if self._stopped.is_set() and self._is_canceled():
                self._tools.jobs.cancel(generation_id, CANCELED)
            self.check()

    def _noted(self, item: ReplayItem) -> ReplayItem:
        running = replace(item, state="running")
        self._tools.stores.replays.note(self._replay.id, running)
        return running

    def _read(self, sha256: str) -> bytes | None:
        content = self._tools.stores.contents.get(sha256)
        return None if content is None else content.data

    def _is_canceled(self) -> bool:
        found = self._tools.stores.replays.get(self._replay.id)
        return found is not None and found.state == "canceled"


def _afresh(item: ReplayItem) -> ReplayItem:
    return replace(item, new_generation_id=new_id())


def _is_lost(record: GenerationRecord) -> bool:
    is_broken = record.state == "failed" and record.error is not None and record.error.type in LOST
    # Canceled with the replay that was taken up again since.
    return is_broken or record.state == "canceled"
