"""`python -m bench.scaling_simulation` prints the table of docs/scaling.md: how 100 hosts with 8 GPUs each would serve.

Load is given in parts of what the GPUs could paint if no checkpoint ever had to be loaded.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import simpy

from bench.scaling_fleet import Fleet, Policy, Times

POLICIES = (
    Policy("one queue, first come first served", routed=False, planned=False),
    Policy("as the workers do it"),
)
WARM_UP_S = 90.0
MEASURED_S = 180.0
TIMES = Times()


@dataclass(frozen=True)
class Row:
    """What one run showed; waits in seconds, until the first picture starts, the chat before it left out."""

    policy: str
    load: float
    pictures_per_s: float
    busy: float
    loads: float
    wait_p50: float
    wait_p95: float
    jobs_per_s: float
    backlog: int

    def __str__(self) -> str:
        """Write it as a row of the table."""
        return (
            f"| {self.load:.0%} | {self.policy} | {self.pictures_per_s:.0f} | {self.busy:.0%} | {self.loads:.1%} "
            f"| {self.wait_p50:.1f} | {self.wait_p95:.1f} | {self.jobs_per_s:.0f} | {self.backlog} |"
        )


HEAD = (
    "| load | rule | pictures/s | GPUs painting | loads per picture | wait p50, s | wait p95, s | jobs/s | waiting |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def run(policy: Policy, load: float, hosts: int, gpus: int) -> Row:
    """Let people come for four and a half minutes, and measure the last three."""
    env = simpy.Environment()
    fleet = Fleet(env, hosts, gpus, TIMES, policy, seed=1)
    jobs_per_s = load * hosts * gpus / TIMES.picture_s / TIMES.pictures_per_job
    env.process(_people(env, fleet, jobs_per_s))
    env.run(WARM_UP_S)
    before = _counts(fleet)
    env.run(WARM_UP_S + MEASURED_S)
    painted, loads, messages = (now - then for now, then in zip(_counts(fleet), before, strict=True))
    waits = [job.waited_s for job in fleet.ended if job.checkpoint and job.created_s > WARM_UP_S]
    cuts = statistics.quantiles(waits, n=20)
    return Row(
        policy=policy.name,
        load=load,
        pictures_per_s=painted / MEASURED_S,
        busy=painted * TIMES.picture_s / MEASURED_S / (hosts * gpus),
        loads=loads / painted,
        wait_p50=cuts[9],
        wait_p95=cuts[18],
        jobs_per_s=messages / MEASURED_S,
        backlog=len(fleet.unclaimed),
    )


def _people(env: simpy.Environment, fleet: Fleet, jobs_per_s: float) -> Generator[simpy.Event, Any, None]:
    pauses = random.Random(2)
    while True:
        yield env.timeout(pauses.expovariate(jobs_per_s))
        fleet.submit()


def _counts(fleet: Fleet) -> tuple[int, int, int]:
    instances = [instance for host in fleet.hosts for instance in host.instances]
    return sum(one.painted for one in instances), sum(one.loads for one in instances), fleet.messages


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--gpus", type=int, default=8, help="of each host")
    parser.add_argument("--load", type=float, nargs="*", default=[0.5, 0.7, 0.9])
    asked = parser.parse_args()
    sys.stdout.write(f"{HEAD}\n")
    for load in asked.load:
        for policy in POLICIES:
            sys.stdout.write(f"{run(policy, load, asked.hosts, asked.gpus)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
