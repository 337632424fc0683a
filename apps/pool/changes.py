"""Looking at the pool and changing it."""

from dataclasses import asdict

from agent.errors import SDNotConfiguredError
from agent.pool import SDInstancePool
from apps.pool.schemas import InstanceInfo, PoolChange, PoolInfo
from apps.services import Services


def look(parts: Services) -> PoolInfo:
    """Describe every instance, as all processes of this host see it; nothing when none is configured."""
    pool = parts.parts.pool
    if pool is None:
        return PoolInfo(instances=[], waiting=0, admitted=0)
    return PoolInfo(
        instances=[InstanceInfo.model_validate(asdict(state)) for state in pool.states()],
        waiting=pool.waiting(),
        admitted=pool.ledger.admitted(),
    )


def change(parts: Services, wanted: PoolChange) -> None:
    """Do what is wanted; the pool gives work to a new instance, or none to a drained one, from this moment on.

    Raises:
        UnknownInstanceError: no instance has this name.
        SDNotConfiguredError: the server has no pool.
    """
    pool = parts.parts.pool
    if pool is None:
        raise SDNotConfiguredError("this server has no pool, as SD_ENDPOINTS is empty; set it and start anew")
    if wanted.action == "add":
        pool.add(wanted.endpoint or "")
    else:
        _named(pool, wanted.action, wanted.instance or "")


def _named(pool: SDInstancePool, action: str, name: str) -> None:
    by_action = {"drain": pool.drain, "resume": pool.resume, "remove": pool.remove}
    by_action[action](name)
