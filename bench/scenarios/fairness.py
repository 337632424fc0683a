"""40 participants, one of whom submits 20 times as much as each other: who waits for whom?"""

import time
from dataclasses import replace
from pathlib import Path
from statistics import mean

from bench.api import Job
from bench.farm.journal import Entry
from bench.figures import Figure
from bench.gantt import Chart, draw
from bench.ideals import waits_s
from bench.load import all_good, at_once
from bench.report import Report
from bench.scenarios.uniform import warm_up
from bench.stage import Bench, Stage, Times

MUST = 3.0
INSTANCES, PARTICIPANTS, EACH, TIMES_AS_MUCH = 6, 40, 3, 20
TIMES = Times(image_s=0.4)
GREEDY = "P00"


async def run(bench: Bench, pictures: Path) -> Report:
    """Submit everything at once, the greedy one's first, so that first come, first served would serve it first."""
    with bench.stage(INSTANCES, 4, TIMES) as stage:
        await warm_up(stage, INSTANCES)
        jobs, waits, entries, began = await _measured(bench, stage)
    greedy = [waits[job.number] for job in jobs if job.username == GREEDY]
    others = [waits[job.number] for job in jobs if job.username != GREEDY]
    everybody = mean([*greedy, *others])
    remark = f"{max(waits.values()):.2f} s / {everybody:.2f} s, {len(jobs)} jobs"
    of_others = f"{max(others):.2f} s / {mean(others):.2f} s; the greedy one waits {mean(greedy):.2f} s on average"
    figures = [
        Figure("longest wait / mean wait, all jobs", max(waits.values()) / everybody, MUST, "at most", "", remark),
        Figure("longest wait / mean wait, the other 39", max(others) / mean(others), MUST, "at most", "", of_others),
        Figure(
            "mean wait of the other 39 / of the greedy one", mean(others) / mean(greedy), 1.0, "at most", "",
            f"first come, first served would give {_first_come(len(greedy), len(others)):.1f}",
        ),
    ]  # fmt: skip
    title = "Who is painted when: one of 40 participants submitted 20 times as much, and first"
    draw(pictures / "fairness.png", [Chart(title, _by_participant(entries, jobs), began)])
    return Report("fairness", figures, {"fairness.png": title})


async def _measured(bench: Bench, stage: Stage) -> tuple[list[Job], dict[int, float], list[Entry], float]:
    jobs = _jobs()
    began = time.time()
    done = all_good(await at_once(stage.api.run, jobs))
    entries = bench.count("fairness", await stage.steering.journal())
    return jobs, waits_s(entries, {one.job.number: one.submitted for one in done}), entries, began


def _jobs() -> list[Job]:
    names = [GREEDY] * (EACH * TIMES_AS_MUCH)
    names += [f"P{number:02}" for _ in range(EACH) for number in range(1, PARTICIPANTS)]
    return [Job(number, username=name) for number, name in enumerate(names)]


def _first_come(greedy: int, others: int) -> float:
    """Mean waits if the greedy one's jobs were all served first: the middle of their places."""
    return (greedy + others / 2) / (greedy / 2)


def _by_participant(entries: list[Entry], jobs: list[Job]) -> list[Entry]:
    """Name the participant where the chart shows a colour."""
    names = {job.number: "the greedy one" if job.username == GREEDY else "the other 39" for job in jobs}
    return [replace(entry, checkpoint=names.get(entry.seed, "")) for entry in entries]
