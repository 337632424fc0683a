"""Looking at the pool and changing it."""

from dataclasses import asdict

from apps.pool.schemas import InstanceInfo, PoolChange, PoolInfo
from apps.services import Services
from jobs.celery_hosts import pool_of_hosts, waiting_of_hosts
from jobs.pool_changes import PoolOrder
from store.stores import Stores


def look(parts: Services, *, is_spread: bool) -> PoolInfo:
    """Describe every instance and count who waits; `is_spread`: the instances belong to worker hosts.

    Raises:
        StoreError: what the worker hosts told cannot be read.
    """
    if is_spread:
        return _look_at_hosts(parts.stores)
    pool = parts.parts.pool
    if pool is None:
        return PoolInfo(instances=[], waiting=0, admitted=parts.ledger.admitted())
    return PoolInfo(
        instances=[InstanceInfo.model_validate(asdict(state)) for state in pool.states()],
        waiting=pool.waiting(),
        admitted=parts.ledger.admitted(),
    )


def change(parts: Services, wanted: PoolChange) -> None:
    """Do what is wanted, here or on a worker host. Raises as `PoolChanges.carry_out` does."""
    target = wanted.endpoint or wanted.instance or ""
    parts.pool_changes.carry_out(PoolOrder(wanted.action, target, wanted.host or ""))


def _look_at_hosts(stores: Stores) -> PoolInfo:
    return PoolInfo(
        instances=[InstanceInfo.model_validate(instance) for instance in pool_of_hosts(stores)],
        waiting=waiting_of_hosts(stores),
        admitted=stores.generations.queued_count(),
    )
