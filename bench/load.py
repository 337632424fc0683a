"""Ways to bring load: so many clients at a time, or everything at once."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from bench.api import Done, Job
from bench.client import WrongAnswerError

Result = TypeVar("Result")
Work = Callable[[Job], Awaitable[Result]]


async def closed(work: Work[Result], jobs: Iterable[Job], clients: int) -> list[Result]:
    """Let `clients` clients work the jobs off in order, each taking the next one when its own has ended."""
    left = iter(jobs)
    ended: list[Result] = []

    async def client() -> None:
        for job in left:
            ended.append(await work(job))

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    return ended


async def at_once(work: Work[Result], jobs: Sequence[Job]) -> list[Result]:
    """Submit everything at once, in order."""
    return list(await asyncio.gather(*(work(job) for job in jobs)))


def mixed(operations: Sequence[str], count: int, first_number: int) -> list[Job]:
    """Make jobs of these operations, equally many of each, in a random order that is the same in every run."""
    names = [operations[index % len(operations)] for index in range(count)]
    random.Random(20).shuffle(names)
    return [Job(first_number + index, name, username=f"P{index % 20:02}") for index, name in enumerate(names)]


def all_good(done: Iterable[Done]) -> list[Done]:
    """Return them if every job succeeded; else say why the first one did not."""
    ended = list(done)
    bad = [one for one in ended if not one.is_good]
    if bad:
        raise WrongAnswerError(f"{len(bad)} of {len(ended)} jobs failed, the first: {bad[0].message}")
    return ended
