"""What `/metrics` looks up at the moment it is asked: the pool, which all processes share, and the queue."""

import logging
from collections.abc import Iterator
from typing import get_args, get_type_hints

from agent.errors import SDError
from agent.pool import InstanceState, SDInstancePool
from apps.services import Services
from jobs import measures
from jobs.metrics import Reading
from store.errors import StoreError
from store.generations import Generations

logger = logging.getLogger(__name__)

STATES: tuple[str, ...] = get_args(get_type_hints(InstanceState)["state"])


def readings(services: Services) -> Iterator[Reading]:
    """Look up the queue and every instance of the pool; what cannot be looked up is left out."""
    yield from _queue(services.stores.generations)
    if services.parts.pool is not None:
        yield from _pool(services.parts.pool)


def _queue(generations: Generations) -> Iterator[Reading]:
    try:
        yield Reading(measures.JOBS_QUEUED.name, generations.queued_count())
        yield Reading(measures.JOBS_RUNNING.name, generations.running_count())
    except StoreError as exc:
        # The other measures are wanted most when the database is away.
        logger.warning("/metrics without the queue: %s", exc)


def _pool(pool: SDInstancePool) -> Iterator[Reading]:
    try:
        for instance in pool.states():
            yield from _instance(instance)
        yield Reading(measures.POOL_WAITING.name, pool.waiting())
    except SDError as exc:
        logger.warning("/metrics without the pool: %s", exc)


def _instance(instance: InstanceState) -> Iterator[Reading]:
    for state in STATES:
        yield Reading(measures.POOL_STATE.name, instance.state == state, (instance.name, state))
    values = {
        measures.POOL_SERVED: instance.served,
        measures.POOL_FAILED: instance.failed,
        measures.POOL_BUSY: instance.busy_s,
        measures.POOL_LOADING: instance.loading_s,
        measures.POOL_MEAN: instance.mean_s,
        measures.POOL_LOAD: instance.load_s,
    }
    for measure, value in values.items():
        # What was not learned yet has no value.
        if value is not None:
            yield Reading(measure.name, value, (instance.name,))
