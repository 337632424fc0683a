"""Which queue a job's message goes to: the rule that brings work to the host whose WebUIs are ready for it.

1. An operation that only chats goes to `chat`, for any host.
2. A job whose checkpoint is loaded on an idle WebUI goes to the own queue of that host; of several to the one with
   most such WebUIs.
3. Else it goes to the queue of its checkpoint, to which every host listens that has the file: whoever has room first.
4. A checkpoint that no living host is known to have goes to `sd.any`: each host looks for itself.

All are pure functions of what the hosts said of themselves in their last heartbeat.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from agent.capabilities import bare_checkpoint
from jobs.celery_places import Seats

CHAT_QUEUE = "chat"
ANY_QUEUE = "sd.any"

UP = ("idle", "loading", "busy")
"""The states of a WebUI that takes work, now or soon."""


@dataclass(frozen=True)
class WorkerHost:
    """A worker as its heartbeat shows it.

    `queues` are those it listens to, `ready` counts its idle WebUIs by the checkpoint that they have loaded, `spare` is
    how many idle ones have nothing to come, `up` how many there are.
    """

    name: str
    queues: frozenset[str]
    ready: Mapping[str, int] = field(default_factory=dict)
    spare: int = 0
    up: int = 0


def route(checkpoint: str | None, hosts: Iterable[WorkerHost]) -> str:
    """Name the queue for a job by the first checkpoint that it needs; None: it only chats."""
    if checkpoint is None:
        return CHAT_QUEUE
    known = list(hosts)
    name = bare_checkpoint(checkpoint)
    ready = [(host.ready[name], host.spare, host.name) for host in known if host.ready.get(name, 0) > 0 < host.spare]
    if ready:
        return host_queue(max(ready)[2])
    queue = checkpoint_queue(checkpoint)
    return queue if any(queue in host.queues for host in known) else ANY_QUEUE


def queues_of(host: str, checkpoints: Collection[str], *, chats: bool, paints: bool) -> tuple[str, ...]:
    """List the queues that a worker listens to.

    Args:
        host: its name, which no other worker has.
        checkpoints: the files that its WebUIs have, by any of their names.
        chats: whether it has a chat service.
        paints: whether it has any WebUI.
    """
    own = [host_queue(host), *([CHAT_QUEUE] if chats else []), *([ANY_QUEUE] if paints else [])]
    return (*own, *sorted({checkpoint_queue(name) for name in checkpoints}))


def host_queue(host: str) -> str:
    """Name the queue to which only this host listens."""
    return f"host.{quote(host, safe='')}"


def checkpoint_queue(checkpoint: str) -> str:
    """Name the queue of all hosts that have this checkpoint."""
    return f"sd.{quote(bare_checkpoint(checkpoint), safe='')}"


def host_of(facts: Mapping[str, Any]) -> WorkerHost | None:
    """Read a heartbeat; None if it is not a worker's."""
    if facts.get("kind") != "worker":
        return None
    instances: Sequence[Mapping[str, Any]] = facts.get("instances", ())
    seats = seats_of((str(one.get("state")), one.get("checkpoint")) for one in instances)
    name, queues = str(facts.get("host", "")), frozenset(facts.get("queues", ()))
    return WorkerHost(name, queues, seats.ready, int(facts.get("spare", 0)), seats.up)


def seats_of(instances: Iterable[tuple[str, str | None]]) -> Seats:
    """Count WebUIs, given by the word for their state and the checkpoint that they have loaded."""
    loaded: Counter[str] = Counter()
    ready: Counter[str] = Counter()
    up = idle = 0
    for state, checkpoint in instances:
        if state not in UP:
            continue
        up, idle = up + 1, idle + (state == "idle")
        if checkpoint is not None:
            loaded[bare_checkpoint(checkpoint)] += 1
            ready[bare_checkpoint(checkpoint)] += state == "idle"
    return Seats(up, idle, loaded, ready)
