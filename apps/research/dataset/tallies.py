"""What is counted while a study is read, for the tables and the paragraph on methods."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from apps.research.dataset.rows import Record, seconds, shown

FIRST: Final = datetime(1980, 1, 1, tzinfo=UTC)
"""The earliest date that a ZIP can hold."""


@dataclass
class ConditionTally:
    """What came of one condition; waiting times in seconds."""

    sessions: Counter[str] = field(default_factory=Counter)
    generations: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    waited_s: array[float] = field(default_factory=lambda: array("d"))
    shown_s: array[float] = field(default_factory=lambda: array("d"))


class Tallies:
    """The numbers of one study. A list of times holds 8 bytes for each generation, all else is small."""

    def __init__(self, study: Record) -> None:
        self.conditions: dict[str, ConditionTally] = {one["id"]: ConditionTally() for one in study["conditions"]}
        self.chat_models: Counter[str] = Counter()
        self.image_models: Counter[tuple[str, str, str]] = Counter()
        self.samplers: Counter[tuple[str, str, int, float]] = Counter()
        self.first: datetime | None = None
        self.last = FIRST
        self._states: Counter[str] = Counter()
        self._waited_s = 0.0
        for moment in (study.get("created_at"), study.get("changed_at"), (study.get("seal") or {}).get("at")):
            self.at(moment)

    def at(self, *moments: Any) -> None:
        """Note when something happened; the last change of a study is the date of its data set."""
        for moment in moments:
            if isinstance(moment, datetime):
                self.last = max(self.last, moment)

    def session(self, session: Record) -> None:
        """Begin to count a session."""
        self._states, self._waited_s = Counter(), 0.0
        self._of(session).sessions[session.get("state", "active")] += 1
        started_at: datetime | None = session.get("started_at")
        if started_at is not None:
            self.first = started_at if self.first is None else min(self.first, started_at)
        self.at(started_at, session.get("ended_at"), session.get("last_event_at"), session.get("changed_at"))

    def generation(self, generation: Record, session: Record) -> None:
        """Count a generation of the session that was begun last."""
        self.at(generation["created_at"], generation.get("ended_at"), shown(generation))
        tally = self._of(session)
        tally.generations[generation["state"]] += 1
        tally.operations[generation["operation"]] += 1
        self._states[generation["state"]] += 1
        if generation["state"] == "succeeded":
            tally.waited_s.append(seconds(generation["created_at"], generation["ended_at"]) or 0.0)
            tally.shown_s.append(seconds(generation["created_at"], shown(generation)) or 0.0)
        self._waited_s += seconds(generation["created_at"], shown(generation) or generation.get("ended_at")) or 0.0
        for step in generation.get("steps", ()):
            self._step(step.get("details", {}))

    def states(self) -> dict[str, int]:
        """Give the number of generations of the session that was begun last, by how they ended."""
        return dict(self._states)

    def waited_s(self) -> float:
        """Give how long that session's participant waited for results, in seconds."""
        return self._waited_s

    def _of(self, session: Record) -> ConditionTally:
        return self.conditions.setdefault(session.get("condition_id", ""), ConditionTally())

    def _step(self, details: Record) -> None:
        for reply in details.get("replies") or ():
            self.chat_models[str(reply.get("model"))] += 1
        used = details.get("used")
        if used:
            name = str(used.get("sd_model_name") or details.get("checkpoint") or "")
            self.image_models[name, str(used.get("sd_model_hash") or ""), str(used.get("version") or "")] += 1
            sampler = str(used.get("sampler_name") or details.get("sampler_name") or "")
            schedule = str(used.get("scheduler") or details.get("scheduler") or "")
            self.samplers[sampler, schedule, int(details.get("steps") or 0), float(details.get("cfg_scale") or 0)] += 1


def quartiles(values: Iterable[float]) -> Sequence[float] | None:
    """Give the first quartile, the median and the third quartile; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    last = len(ordered) - 1
    found = []
    for part in (0.25, 0.5, 0.75):
        low = int(part * last)
        high = min(low + 1, last)
        found.append(ordered[low] + (ordered[high] - ordered[low]) * (part * last - low))
    return found
