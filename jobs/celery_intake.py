"""What a worker host takes in: what a message names, and what waits unclaimed although nobody was told, or too few.

A message may be lost with the broker, lie in the queue of a host that died, or be in the hands of a host that is busy.
The record tells all the same that the job waits, so a host with places left looks for such records every second.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

from jobs.celery_places import Places, PlacesClosedError
from store.clock import utc_now
from store.documents import GenerationRecord
from store.errors import StoreError
from store.generations import Generations

logger = logging.getLogger(__name__)

LOOK_S = 1.0
GRACE_S = 1.0
"""How long a message has to find its host before others look into the records."""

CANDIDATES = 50
OVERTAKE = timedelta(seconds=30)
"""A record that waits longer than this is taken before those for which a WebUI is ready."""

Adopt = Callable[[str], bool]
Serves = Callable[[GenerationRecord], bool]


class Intake:
    """Lets jobs into this host, one place for each.

    Args:
        adopt: claims a generation and runs it to its end in the caller's thread; False when it is not to be had.
        paints: whether the run of a record needs a WebUI.
        serves: whether this host can run a record at all.
        is_ready: whether a WebUI of this host has loaded what a record needs.
    """

    def __init__(
        self,
        generations: Generations,
        places: Places,
        adopt: Adopt,
        *,
        paints: Serves,
        serves: Serves,
        is_ready: Serves,
    ) -> None:
        self._generations = generations
        self._places = places
        self._adopt = adopt
        self._paints, self._serves, self._is_ready = paints, serves, is_ready
        self._looker: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look for records that nobody claims, in a thread of its own."""
        self._looker = threading.Thread(target=self._go_on, name="intake", daemon=True)
        self._looker.start()

    def stop(self) -> None:
        """Take nothing in any more; what runs goes on."""
        self._places.close()
        if self._looker is not None:
            self._looker.join()

    def take(self, generation_id: str) -> bool:
        """Run a generation here as soon as there is a place, unless somebody has it already or this host cannot.

        Raises:
            PlacesClosedError: the worker is being stopped, and the generation still waits.
        """
        record = self._generations.get(generation_id)
        if record is None or not _waits(record):
            return False
        if not self._serves(record):
            logger.info("generation %s is left to others: no WebUI here has what it needs", generation_id)
            return False
        with self._places.one(paints=self._paints(record)):
            return self._adopt(generation_id)

    def _go_on(self) -> None:
        while not self._places.is_closed:
            try:
                self._look()
            except StoreError as exc:
                logger.warning("the records that wait cannot be read: %s", exc)
            self._places.wait_for_change(LOOK_S)

    def _look(self) -> None:
        rooms = {paints: self._places.free(paints=paints) for paints in (True, False)}
        if not any(rooms.values()):
            return
        for record in self._waiting():
            paints = self._paints(record)
            if rooms[paints] and self._serves(record):
                rooms[paints] -= 1
                threading.Thread(target=self._taken_up, args=(record.id,), name=f"job {record.id}").start()

    def _waiting(self) -> list[GenerationRecord]:
        """The records that wait, those first that have waited too long, then those for which a WebUI is ready."""
        late = utc_now() - OVERTAKE

        def urgency(record: GenerationRecord) -> tuple[int, str]:
            # Ids are in the order of their making.
            return 0 if record.created_at < late else 1 if self._is_ready(record) else 2, record.id

        return sorted(self._records(), key=urgency)

    def _records(self) -> Iterator[GenerationRecord]:
        for generation_id in self._generations.unclaimed(GRACE_S)[:CANDIDATES]:
            record = self._generations.get(generation_id)
            if record is not None and _waits(record):
                yield record

    def _taken_up(self, generation_id: str) -> None:
        try:
            if self.take(generation_id):
                logger.info("generation %s was found by itself, not by a message", generation_id)
        except PlacesClosedError:
            return
        except StoreError as exc:
            logger.warning("generation %s was not taken: %s", generation_id, exc)


def _waits(record: GenerationRecord) -> bool:
    return record.state == "queued" and not record.owner
