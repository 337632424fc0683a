"""Changing the pool of a worker host from a web host: an order over Redis, and the worker's answer.

It goes past the queues: all threads of a busy worker may be in use, and an order that waits would be carried out when
whoever gave it has long been told that it was not. The worker's side is `jobs.celery_orders`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from agent.errors import PoolClosedError, SDError, SDNotConfiguredError, UnknownInstanceError
from jobs.celery_app import CHANGE_POOL, mailbox
from jobs.celery_hosts import ALIVE_S, facts_of_workers
from jobs.errors import HostNotNamedError, HostSilentError, UnknownHostError
from jobs.pool_changes import PoolOrder
from store.runners import Runners

ANSWER_S = 5.0

_ERRORS: dict[str, type[SDError]] = {
    kind.__name__: kind for kind in (UnknownInstanceError, SDNotConfiguredError, PoolClosedError)
}


class HostPools:
    """The pools of all worker hosts, as a web process reaches them.

    Args:
        app: made by `celery_app`.
        runners: where the worker hosts' heartbeats are.
        answer_s: how long a worker may take to answer.
    """

    def __init__(self, app: Celery, runners: Runners, *, answer_s: float = ANSWER_S) -> None:
        self._app = app
        self._runners = runners
        self._answer_s = answer_s

    def carry_out(self, order: PoolOrder) -> None:
        """Have the worker do it, and wait for its answer; see `jobs.pool_changes.PoolChanges`.

        Raises:
            HostSilentError: it does not answer in time, or the broker is away.
        """
        alive = facts_of_workers(self._runners.alive(ALIVE_S))
        host = host_for(order, alive)
        answer = self._ask(host, order)
        if "error" in answer:
            raise _ERRORS.get(answer["error"], SDError)(answer.get("message", answer["error"]))

    def _ask(self, host: str, order: PoolOrder) -> Mapping[str, str]:
        arguments = {"action": order.action, "target": order.target}
        try:
            with self._app.connection_for_write() as connection:
                # The call itself would try for ever to reach a broker that is away.
                connection.ensure_connection(max_retries=0)
                answers = mailbox(connection).call([host], CHANGE_POOL, arguments, timeout=self._answer_s)
        except (OperationalError, RedisError, OSError) as exc:
            raise HostSilentError(
                f"worker host {host!r} was not reached, as the broker is away; see to Redis and try again"
            ) from exc
        if not answers:
            raise HostSilentError(
                f"worker host {host!r} did not answer within {self._answer_s:g} s; look at GET /api/pool whether it did"
            )
        answer: Mapping[str, str] = answers[0][host]
        return answer


def host_for(order: PoolOrder, alive: Iterable[Mapping[str, Any]]) -> str:
    """Name the worker host that an order is for, among those whose heartbeats say this.

    Raises:
        UnknownHostError: there is no such host.
        UnknownInstanceError: no host has the instance.
        HostNotNamedError: several hosts may be meant.
    """
    instances = {str(facts.get("host", "")): facts.get("instances", ()) for facts in alive}
    hosts = sorted(instances)
    if order.host:
        if order.host not in instances:
            raise UnknownHostError(f"there is no worker host {order.host!r}; there are {_listed(hosts)}")
        return order.host
    if order.action == "add":
        found = hosts
    else:
        names = (order.target, order.target.rstrip("/"))
        found = [
            host for host in hosts if any(one["name"] in names or one["endpoint"] in names for one in instances[host])
        ]
    if len(found) > 1:
        raise HostNotNamedError(f"host: {_listed(found)} may be meant; name one of them")
    if found:
        return found[0]
    if order.action == "add":
        raise UnknownHostError("there is no worker host that could take it; start one")
    known = sorted({str(one["name"]) for host in hosts for one in instances[host]})
    raise UnknownInstanceError(f"there is no instance of this name; there are {_listed(known)}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
