"""What a worker host takes in: what a message names, and what waits unclaimed although nobody was told, or too few.

A message may be lost with the broker, lie in the queue of a host that died, or be in the hands of a host that is busy.
The record tells all the same that the job waits, so a host with places left looks for such records by itself.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from jobs.celery_ability import Ability
from jobs.celery_hosts import Fleet
from jobs.celery_places import Places, Wish
from jobs.celery_routing import CHAT_QUEUE, checkpoint_queue
from jobs.threads import in_thread
from store.clock import utc_now
from store.documents import GenerationRecord
from store.errors import StoreError
from store.generations import Generations

logger = logging.getLogger(__name__)

LOOK_S = 0.5
"""Between two looks of a host with an idle WebUI for which nothing is in hand."""
BUSY_LOOK_S = 2.0
"""Between two looks of any other: what waits elsewhere is of little use to it, and looking is not for nothing."""
GRACE_S = 0.5
"""How long a message has to find its host before others look into the records."""

CANDIDATES = 50
OVERTAKE = timedelta(seconds=30)
"""A record that waits longer than this is taken before those for which a WebUI is ready."""

SETTLED_S = 5.0
"""How long after its start a host has heard of all others."""

Adopt = Callable[[str], bool]


class Intake:
    """Lets jobs into this host, one place for each.

    Args:
        fleet: all worker hosts, to know whether another one could run what this one cannot.
        adopt: claims a generation and runs it to its end in the caller's thread; False when it is not to be had.
    """

    def __init__(self, generations: Generations, places: Places, ability: Ability, fleet: Fleet, adopt: Adopt) -> None:
        self._generations = generations
        self._places = places
        self._ability = ability
        self._fleet = fleet
        self._adopt = adopt
        self._looker: threading.Thread | None = None
        self._settled_s = 0.0
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to look for records that nobody claims, in a thread of its own."""
        self._settled_s = time.monotonic() + SETTLED_S
        self._looker = threading.Thread(target=self._go_on, name="intake", daemon=True)
        self._looker.start()

    def stop(self) -> None:
        """Take nothing in any more; what runs goes on."""
        self._stopped.set()
        self._places.close()
        if self._looker is not None:
            self._looker.join()

    def take(self, generation_id: str) -> bool:
        """Run a generation here as soon as there is a place, unless somebody has it already or this host cannot.

        Raises:
            PlacesClosedError: the worker is being stopped, and the generation still waits.
            StoreError: the database is away.
        """
        record = self._generations.get(generation_id)
        if record is None or not _waits(record):
            return False
        if self._ability.serves(record):
            with self._places.one(self._ability.wish(record)):
                return self._adopt(generation_id)
        return self._is_hopeless(record) and self._adopt(generation_id)

    def _is_hopeless(self, record: GenerationRecord) -> bool:
        """Whether no host can run this; it is taken then, so that it fails and says what is missing."""
        if time.monotonic() < self._settled_s:
            return False
        checkpoint = self._ability.wish(record).checkpoint
        queue = CHAT_QUEUE if checkpoint is None else checkpoint_queue(checkpoint)
        others = [host for host, _beat_at in self._fleet.hosts() if host.name != self._ability.name]
        return not any(queue in host.queues and (checkpoint is None or host.up) for host in others)

    def _go_on(self) -> None:
        looked_s = -BUSY_LOOK_S
        while not self._stopped.wait(LOOK_S):
            if not self._places.spare() and time.monotonic() - looked_s < BUSY_LOOK_S:
                continue
            looked_s = time.monotonic()
            try:
                self._look()
            except StoreError as exc:
                logger.warning("the records that wait cannot be read: %s", exc)

    def _look(self) -> None:
        for record in self._waiting():
            wish = self._ability.wish(record) if self._ability.serves(record) else None
            if self._places.enter(wish) if wish is not None else self._is_hopeless(record):
                in_thread(partial(self._taken_up, record.id, wish), f"job {record.id}")

    def _waiting(self) -> list[GenerationRecord]:
        """The records that wait, those first that have waited too long, then those for which a WebUI is ready."""
        late = utc_now() - OVERTAKE

        def urgency(record: GenerationRecord) -> tuple[int, str]:
            # Ids are in the order of their making.
            return 0 if record.created_at < late else 1 if self._ability.is_ready(record) else 2, record.id

        return sorted(self._records(), key=urgency)

    def _records(self) -> Iterator[GenerationRecord]:
        for generation_id in self._generations.unclaimed(GRACE_S, CANDIDATES):
            record = self._generations.get(generation_id)
            if record is not None and _waits(record):
                yield record

    def _taken_up(self, generation_id: str, wish: Wish | None) -> None:
        try:
            if self._adopt(generation_id):
                logger.info("generation %s was found in the records, without a message", generation_id)
        except StoreError as exc:
            logger.warning("generation %s was not taken: %s", generation_id, exc)
        finally:
            if wish is not None:
                self._places.leave(wish)


def _waits(record: GenerationRecord) -> bool:
    return record.state == "queued" and not record.owner
