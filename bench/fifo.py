"""What most systems do, to compare with: first come, first served, one call to each idle instance, no memory."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from bench.api import Job
from bench.client import Connection, WrongAnswerError

SECONDS = 600.0


async def first_come_first_served(
    endpoints: Sequence[str], jobs: Iterable[Job], checkpoints: Mapping[str, str]
) -> None:
    """Paint every job in the order of the list on whichever instance is idle; `checkpoints` by operation."""
    left = iter(jobs)

    async def instance(endpoint: str) -> None:
        connection = Connection(endpoint)
        for job in left:
            await paint(connection, checkpoints[job.operation], job.number)
        connection.close()

    async with asyncio.TaskGroup() as group:
        for endpoint in endpoints:
            group.create_task(instance(endpoint))


async def paint(connection: Connection, checkpoint: str, seed: int) -> None:
    """Paint one picture by a direct call to a WebUI, and read it."""
    payload = {
        "prompt": "line sketch of one kettle", "seed": seed, "steps": 20, "width": 512, "height": 512,
        "sampler_name": "Euler a", "override_settings": {"sd_model_checkpoint": checkpoint},
        "override_settings_restore_afterwards": False,
    }  # fmt: skip
    response = await connection.call("POST", "/sdapi/v1/txt2img", payload, timeout_s=SECONDS)
    if response.status != 200:
        raise WrongAnswerError(f"a WebUI answered {response.status}: {response.body[:200]!r}")
