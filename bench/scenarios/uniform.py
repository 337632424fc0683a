"""Uniform load: one checkpoint, every picture takes equally long; how much of the time is an instance idle?"""

import time
from pathlib import Path

from bench.api import Job
from bench.farm.journal import Entry
from bench.figures import Figure
from bench.gantt import Chart, draw
from bench.ideals import paintings, uniform_share
from bench.load import all_good, closed
from bench.report import Report
from bench.stage import Bench, Stage, Times

MUST = 0.97
ROUNDS = {6: 22, 32: 12}
IMAGE_S = {6: 0.5, 32: 1.5}
"""Seconds for a picture: so long that two cores can carry what 32 instances make (21 pictures of 400 KB a second)."""
CLIENTS = 2
"""For each instance; the second one's job waits in the queue while the first one's is painted."""


async def run(bench: Bench, pictures: Path) -> Report:
    """Measure 6 and 32 instances with 1 and 4 workers."""
    figures = []
    for instances in IMAGE_S:
        for workers in (1, 4):
            share, entries, began = await _one(bench, instances, workers)
            count = len(paintings(entries))
            what = f"{instances} instances, {workers} worker{'s' * (workers > 1)}: ideal busy time / makespan"
            figures.append(Figure(what, share, MUST, remark=f"{count} pictures of {IMAGE_S[instances]:g} s"))
    title = f"uniform load, {instances} instances, {workers} workers: {share:.3f} of the ideal"
    draw(pictures / "uniform.png", [Chart(title, entries, began)])
    return Report("uniform", figures, {"uniform.png": title})


async def _one(bench: Bench, instances: int, workers: int) -> tuple[float, list[Entry], float]:
    with bench.stage(instances, workers, Times(IMAGE_S[instances])) as stage:
        await warm_up(stage, instances)
        jobs = [Job(number, username=f"P{number % 20:02}") for number in range(instances * ROUNDS[instances])]
        began = time.time()
        done = all_good(await closed(stage.api.run, jobs, clients=CLIENTS * instances))
        makespan_s = max(one.ended for one in done) - began
        entries = bench.count("uniform", await stage.steering.journal())
    return uniform_share(entries, instances, makespan_s), entries, began


async def warm_up(stage: Stage, instances: int, operation: str = "sketch.create_new") -> None:
    """Let every instance paint once, so that its lists are known and the subject is remembered; then forget it."""
    jobs = [Job(10_000_000 + number, operation) for number in range(instances + 1)]
    all_good(await closed(stage.api.run, jobs[:1], clients=1))
    all_good(await closed(stage.api.run, jobs[1:], clients=instances))
    await stage.steering.forget()
