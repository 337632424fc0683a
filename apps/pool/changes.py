"""Looking at the pool and changing it."""

from dataclasses import asdict

from agent.errors import SDNotConfiguredError
from agent.pool import SDInstancePool
from apps.errors import InvalidInputError
from apps.pool.schemas import InstanceInfo, PoolChange, PoolInfo
from apps.services import Services
from jobs.celery_hosts import pool_of_hosts, waiting_of_hosts
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


def change(parts: Services, wanted: PoolChange, *, is_spread: bool) -> None:
    """Do what is wanted; the pool gives work to a new instance, or none to a drained one, from this moment on.

    Raises:
        UnknownInstanceError: no instance has this name.
        SDNotConfiguredError: the server has no pool.
        InvalidInputError: the instances belong to worker hosts.
    """
    if is_spread:
        raise InvalidInputError("action: each worker host has WebUIs of its own; change SD_ENDPOINTS there")
    pool = parts.parts.pool
    if pool is None:
        raise SDNotConfiguredError("this server has no pool, as SD_ENDPOINTS is empty; set it and start anew")
    if wanted.action == "add":
        pool.add(wanted.endpoint or "")
    else:
        _named(pool, wanted.action, wanted.instance or "")


def _look_at_hosts(stores: Stores) -> PoolInfo:
    return PoolInfo(
        instances=[InstanceInfo.model_validate(instance) for instance in pool_of_hosts(stores)],
        waiting=waiting_of_hosts(stores),
        admitted=stores.generations.queued_count(),
    )


def _named(pool: SDInstancePool, action: str, name: str) -> None:
    by_action = {"drain": pool.drain, "resume": pool.resume, "remove": pool.remove}
    by_action[action](name)
