"""One instance of six fails: how many jobs are lost, and how much later is everything done than without it?"""

import time
from collections.abc import Mapping
from pathlib import Path

from bench.api import Done, Job
from bench.farm.journal import Entry
from bench.figures import Figure
from bench.gantt import Chart, draw
from bench.ideals import paintings
from bench.load import closed
from bench.report import Report
from bench.scenarios.uniform import warm_up
from bench.stage import Bench, Times

MUST = 1.15
INSTANCES, JOBS, WORKERS = 6, 100, 4
TIMES = Times(image_s=0.4)
SETTINGS = {"SD_READ_TIMEOUT": "2"}
"""Five pictures' time, in the proportion that a real server would be set to."""
HANGS, FAILS = "gpu-03", "gpu-05"
CASES: Mapping[str, Mapping[str, str]] = {
    "one hangs": {HANGS: "hang"},
    "one answers 500": {FAILS: "error_500"},
    "one hangs and one answers 500": {HANGS: "hang", FAILS: "error_500"},
}


async def run(bench: Bench, pictures: Path) -> Report:
    """Let one or two of six fail from the first job on; the measure is the time that the good ones would need alone."""
    figures, charts = [], []
    for named, faults in CASES.items():
        done, entries, began = await _one(bench, faults)
        makespan_s = max(one.ended for one in done) - began
        left = INSTANCES - len(faults)
        alone_s = sum(entry.work_s for entry in paintings(entries)) / left
        lost = sum(not one.is_good for one in done)
        figures.append(Figure(f"of six, {named}: jobs lost", lost, 0, "at most", remark=f"of {JOBS}"))
        what = f"of six, {named}: makespan / ideal of the {left} good ones alone"
        remark = f"{makespan_s:.2f} s / {alone_s:.2f} s"
        figures.append(Figure(what, makespan_s / alone_s, MUST, "at most", remark=remark))
        charts.append(Chart(f"of six, {named}", entries, began))
    draw(pictures / "failures.png", charts)
    return Report("failures", figures, {"failures.png": "One instance of six hangs, fails, or both"})


async def _one(bench: Bench, faults: Mapping[str, str]) -> tuple[list[Done], list[Entry], float]:
    with bench.stage(INSTANCES, WORKERS, TIMES, SETTINGS) as stage:
        await warm_up(stage, INSTANCES)
        for instance, kind in faults.items():
            await stage.steering.set_fault(instance, kind)
        jobs = [Job(number, username=f"P{number % 20:02}") for number in range(JOBS)]
        began = time.time()
        done = await closed(stage.api.run, jobs, clients=3 * INSTANCES)
        entries = bench.count("failures", await stage.steering.journal())
    return done, entries, began
