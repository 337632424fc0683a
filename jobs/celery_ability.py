"""What this worker host can do: which records its WebUIs and its chat service can serve, and how they stand now."""

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, astuple
from typing import Any

from agent.capabilities import bare_checkpoint
from agent.errors import SDError
from agent.models import models_of
from agent.pool import InstanceState, SDInstancePool
from agent.roster import offers_in
from jobs.celery_places import Seats, Wish
from jobs.celery_routing import queues_of, seats_of
from jobs.parts import Parts
from store.documents import GenerationRecord

PresetsOf = Callable[[GenerationRecord], tuple[str, ...]]

FRESH_S = 0.2
OFFER = "checkpoint:"


class Ability:
    """The view of one host on itself. Thread-safe.

    Args:
        name: the host's, which no other worker has.
        presets_of: names the image presets that the run of a record uses; none: it only chats.
        known_presets: all presets that any operation uses.
    """

    def __init__(self, name: str, parts: Parts, presets_of: PresetsOf, known_presets: tuple[str, ...]) -> None:
        self.name = name
        self._parts = parts
        self._presets_of = presets_of
        self._known_presets = known_presets
        self._lock = threading.Lock()
        self._seen: tuple[float, tuple[InstanceState, ...]] = (-FRESH_S, ())

    def states(self) -> tuple[InstanceState, ...]:
        """Describe the WebUIs of this host, as they were a moment ago at most; none when there is no usable pool."""
        with self._lock:
            seen_s, states = self._seen
            if time.monotonic() - seen_s > FRESH_S:
                states = self._states()
                self._seen = (time.monotonic(), states)
            return states

    def look_again(self) -> None:
        """Forget how they were a moment ago, as they were changed since."""
        with self._lock:
            self._seen = (-FRESH_S, ())

    def seats(self) -> Seats:
        """Count them."""
        return seats_of((state.state, state.checkpoint) for state in self.states())

    def wish(self, record: GenerationRecord) -> Wish:
        """Say what a record asks of a host."""
        names = self._presets_of(record)
        checkpoint = self._checkpoint(record, names[0]) if names else None
        bare = None if checkpoint is None else bare_checkpoint(checkpoint)
        return Wish(bare, record.inputs.num, record.created_at.timestamp())

    def serves(self, record: GenerationRecord) -> bool:
        """Tell whether this host can run a record, now or as soon as a WebUI is idle."""
        names = self._presets_of(record)
        if not names:
            return self._parts.chat is not None
        return self.seats().up > 0 and not any(self._lack(self._checkpoint(record, name), name) for name in names)

    def is_ready(self, record: GenerationRecord) -> bool:
        """Tell whether an idle WebUI has loaded what a record needs first."""
        return self.seats().ready.get(str(self.wish(record).checkpoint), 0) > 0

    def queues(self) -> tuple[str, ...]:
        """List the queues that this host should listen to."""
        paints = self._parts.pool is not None
        return queues_of(self.name, self._checkpoints(), chats=self._parts.chat is not None, paints=paints)

    def facts(self) -> dict[str, Any]:
        """Say what other processes may know of this host; see `jobs.celery_routing.host_of`."""
        lacks = {name: self._lack(self._parts.book.preset(name).checkpoint, name) for name in self._known_presets}
        return {
            "kind": "worker",
            "host": self.name,
            "queues": list(self.queues()),
            "instances": [asdict(state) for state in self.states()],
            "models": [list(astuple(model)) for model in models_of(self._parts.pool)],
            "waiting": self._waiting(),
            "lacks": {name: why for name, why in lacks.items() if why},
        }

    def _checkpoint(self, record: GenerationRecord, preset: str) -> str:
        return str(record.pins.get("checkpoint") or self._parts.book.preset(preset).checkpoint)

    def _lack(self, checkpoint: str, preset: str) -> str | None:
        """Say why no WebUI here can paint this preset; None while any may."""
        pool, unit = self._parts.pool, self._parts.book.preset(preset).controlnet
        if pool is None:
            return "no Stable Diffusion WebUI is configured; set SD_ENDPOINTS of the worker hosts to their base URLs"
        try:
            return pool.why_unservable(checkpoint, () if unit is None else (unit.model,))
        except SDError as exc:
            return exc.message

    def _checkpoints(self) -> set[str]:
        """Name the files that the WebUIs here have, and those of the presets while one of them has not told."""
        pool = self._parts.pool
        if pool is None:
            return set()
        offers, is_whole = _offers(pool)
        known = {offer.removeprefix(OFFER) for offer in offers if offer.startswith(OFFER)}
        if not is_whole:
            known |= {self._parts.book.preset(name).checkpoint for name in self._known_presets}
        return known

    def _states(self) -> tuple[InstanceState, ...]:
        try:
            return self._parts.pool.states() if self._parts.pool is not None else ()
        except SDError:
            return ()

    def _waiting(self) -> int:
        try:
            return self._parts.pool.waiting() if self._parts.pool is not None else 0
        except SDError:
            return 0


def _offers(pool: SDInstancePool) -> tuple[set[str], bool]:
    """Gather what the WebUIs offer, and whether each of them has told."""
    try:
        with pool.ledger.look() as now:
            offers = offers_in(now)
    except (OSError, sqlite3.Error):
        return set(), False
    return {offer for offered in offers for offer in offered or ()}, None not in offers
