"""What the server adds to one picture: the front end's call on an idle pool against a direct call to the WebUI."""

import time
from pathlib import Path

from bench.api import Api, Job
from bench.client import Connection
from bench.fifo import paint
from bench.figures import Figure
from bench.ideals import percentile
from bench.load import all_good
from bench.processes import seconds_of_writes
from bench.report import Report
from bench.scenarios.uniform import warm_up
from bench.stage import Bench, Stage, Times

MUST_MS = 15
PAIRS = 50
CHECKPOINT = "realisticVisionV60B1_v60B1VAE"
TIMES = Times(image_s=0.1)
"""The picture's own time falls out; a short one leaves room for many pairs."""


async def run(bench: Bench, pictures: Path) -> Report:
    """Measure 1 and 4 workers; a direct and a served call take turns, so that both meet the same machine."""
    figures = []
    for workers in (1, 4):
        with bench.stage(1, workers, TIMES) as stage:
            direct, served = await _pairs(stage)
            bench.count("latency", await stage.steering.journal())
        write_ms = 1000 * percentile(seconds_of_writes(bench.mongo_uri), 0.5)
        added_ms = 1000 * (percentile(served, 0.5) - percentile(direct, 0.5))
        p90_ms = 1000 * (percentile(served, 0.9) - percentile(direct, 0.9))
        what = f"{workers} worker{'s' * (workers > 1)}: added latency of a 400 KB picture, p50"
        remark = f"p90 {p90_ms:.1f} ms, {PAIRS} pairs; one small write to this database takes {write_ms:.1f} ms"
        figures.append(Figure(what, added_ms, MUST_MS, "at most", " ms", remark))
    return Report("latency", figures, {})


async def _pairs(stage: Stage) -> tuple[list[float], list[float]]:
    await warm_up(stage, 8)
    webui, front_end = Connection(stage.endpoints[0]), Connection(stage.api.url)
    direct, served = [], []
    for number in range(PAIRS):
        began = time.perf_counter()
        await paint(webui, CHECKPOINT, number)
        direct.append(time.perf_counter() - began)
        served.append(await _served(stage.api, front_end, number))
    return direct, served


async def _served(api: Api, connection: Connection, number: int) -> float:
    began = time.perf_counter()
    all_good([await api.generate(Job(number), connection)])
    return time.perf_counter() - began
